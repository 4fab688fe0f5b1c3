"""How much better a network knows its training images than others: along the epochs, and at the end."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_curves
from sidestep import drawing_parts as shared
from sidestep.drawing import empty, line, over_seeds
from sidestep.drawing_variants import DIVERGED, colour, each_variant, of_diverged
from sidestep.figures.shared.substitution import by_budget, gaps
from sidestep.tables import Tables

ALT = "Training accuracy minus test accuracy"
CAPTION = (
    "Accuracy on training images minus accuracy on test images, of the same network. Left: after each "
    "epoch; line: mean over seeds; band: smallest to largest. Right: at the end of training, over the seeds "
    "that finished; point: mean; bar: its 95 % t interval. Zero, dotted, is a network that knows its training "
    "images no better than others."
)
PLACE = ["dataset", "setting", "variant"]
KEYS = ["dataset", "setting", "variant", "look", "left", "epoch"]


def rows(tables: Tables) -> pd.DataFrame:
    """The gap at every evaluation (`when` is `during`), and at the end with its interval (`end`)."""
    single = drawing_curves.runs_of(tables)
    single = single[single["quantity"] == "accuracy"]
    place = ["dataset", "variant", "seed", "step", "epoch"]
    known, seen = (
        single[single["split"] == images].set_index(place)["value"] for images in ("train", "test")
    )
    gap = (known - seen).dropna().rename("value").reset_index()
    its = shared.members(tables)
    its = by_budget(its[its["drawn"] > 0], tables.study)
    gap = gap.merge(its, on=["dataset", "variant"])
    during = over_seeds(gap, KEYS).assign(when="during")
    end = _ends(tables).merge(its, on=["dataset", "variant"])
    end = end[end["mean"].notna() | (end["diverged"] > 0)].assign(when="end", epoch=float("nan"))
    columns = [*KEYS, "when", "mean", "low", "high", "n", "diverged"]
    parts = [part.reindex(columns=columns) for part in (during.assign(diverged=0), end)]
    parts = [part for part in parts if len(part)] or parts[:1]
    found = pd.concat(parts, ignore_index=True)
    order = {
        cell: index for index, cell in enumerate(zip(*(its[name] for name in PLACE), strict=True))
    }
    cells = zip(*(found[name] for name in PLACE), strict=True)
    return found.assign(place=[order[cell] for cell in cells]).sort_values("place", kind="stable")


def _ends(tables: Tables) -> pd.DataFrame:
    """The gap at the end with its interval, by the study's analysis `family` if it has that."""
    if "family" not in {thing["name"] for thing in tables.study.analyses}:
        return gaps(tables)
    kept = ["dataset", "variant", "gap", "gap_low", "gap_high", "n", "diverged"]
    found = tables.analysis("family")[kept]
    return found.rename(columns={"gap": "mean", "gap_low": "low", "gap_high": "high"})


def draw(rows: pd.DataFrame) -> Figure:
    """For each setting the curves and, beside them, the ends, whose names are the key."""
    if rows.empty:
        return empty()
    parts = shared.parts_of(rows)
    each = shared.height([shared.key_height([])] * len(parts), 1.3, 1.9)
    heights = [
        max(each, 0.5 + 0.17 * part.rows["variant"].nunique()) + shared.key_height([])
        for part in parts
    ]
    parts, note = shared.fitting(parts, heights)
    figure, places = shared.sheet(heights[: len(parts)])
    for part, place in zip(parts, places, strict=True):
        left, right = place.subplots(1, 2, width_ratios=[1.7, 1])
        shared.key(place, part.name, [])
        during = part.rows[part.rows["when"] == "during"]
        few = during["epoch"].nunique() <= drawing_curves.FEW_MARKS
        for look, its in each_variant(during, sorted(set(during["look"]))):
            line(
                left, its, x="epoch", color=colour(look), scale=100, marker="." if few else "",
                linewidth=1.0, linestyle=shared.stroke(look),
            )  # fmt: skip
        left.axhline(0, color="black", linestyle=":", linewidth=0.8, zorder=0)
        left.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        left.set_xlabel("epoch")
        left.set_ylabel("training − test\naccuracy (points)")
        ends = part.rows[part.rows["when"] == "end"]
        names = list(dict.fromkeys(part.rows["variant"]))
        lost = set(ends.loc[ends["diverged"] > 0, "variant"])
        shared.dots(
            right,
            ends,
            "mean",
            ("low", "high"),
            places=[names.index(v) for v in ends["variant"]],
            faces=True,
        )
        shared.zero(right)
        shown = [f"{name} {DIVERGED}" if name in lost else name for name in names]
        shared.name_lines(right, shown)
        looks = part.rows.drop_duplicates("variant").set_index("variant")["look"]
        for text, name in zip(right.get_yticklabels(), names, strict=True):
            text.set_color(colour(int(looks[name])))
        right.set_xlabel("at the end (points)")
        right.xaxis.set_major_locator(MaxNLocator(5))
    shown_rows = pd.concat([part.rows for part in parts])
    shared.bottom(
        figure, shown_rows["n"], "band: smallest to largest seed; bar: 95 % t interval",
        shared.left_out(shown_rows), note, of_diverged(shown_rows),
    )  # fmt: skip
    return figure

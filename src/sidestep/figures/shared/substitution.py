"""What the figures of substituted convolutions share: one look per layer, parts by budget, keys and axes.

A layer has one colour and shape in all of these figures, whatever its budget: the whole dense network is
black, dense ones made smaller are grey. Filled is taught, open is alone; small is scaled weight decay.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from sidestep import drawing_parts as shared
from sidestep import registry, variants
from sidestep.drawing import datasets_of
from sidestep.drawing_variants import TALLEST, colour, round_values
from sidestep.drawing_variants import marker as first_marker
from sidestep.statistics.intervals import mean_interval
from sidestep.study import Study
from sidestep.style import VARIANT_COLOURS
from sidestep.tables import Tables

Array = npt.NDArray[np.float64]
DENSE = "dense"
# Layers by their look; 0 is black, 7 and 14 are grey, 8 to 13 have the colours of 1 to 6 again.
LOOKS = {
    **{DENSE: 0, "narrower": 7, "shallower": 14},
    **{"hashed": 1, "separable_hashed": 2, "low_rank": 3, "separable": 4, "tied_low_rank": 5},
    **{"monarch": 6, "tensor_train": 8, "tucker": 9, "cp": 10, "acdc": 11, "shuffle": 12},
}
SECOND_MARKERS = ("o", "p", ">", "d", "h", "*", "8")
# Settings of a network that say what stands in the place of its convolutions.
SUBSTITUTED = ("layer", "budget", "base", "match")
# What a budget up to 1 is a share of, in words.
BASES = {
    "network": "of the network",
    "layer": "of each layer",
    "separable": "of separable layers",
}
# Points of 1/72 inch: how wide one of two panels is, and how far points beside one another are apart.
WIDE, BESIDE = 205.0, 5.0
# Inches of a line of names.
LINE = 0.135
USUAL_DECAY, SCALED = "full", "scaled"


def look(layer: str) -> int:
    """The place of a layer among the looks; layers that are not known here follow, in their order."""
    if layer in LOOKS:
        return LOOKS[layer]
    others = [name for name in registry.names("layers") if name not in LOOKS]
    free = (place for place in itertools.count(13) if place != LOOKS["shallower"])
    places = dict(zip([*others, layer], free, strict=False))
    return places[layer]


def with_looks(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with a column `look` by their `layer`."""
    return rows.assign(look=[look(str(name)) for name in rows["layer"]])


def marker(place: int) -> str:
    """The shape of a look; those that share a colour differ in it."""
    size = len(VARIANT_COLOURS)
    return SECOND_MARKERS[(place - 1) % size] if place > size else first_marker(place)


def point(place: int, *, taught: bool, scaled: bool = False) -> dict[str, Any]:
    """How the point of a variant looks."""
    return {
        "color": colour(place),
        "marker": marker(place),
        "markerfacecolor": colour(place) if taught else "white",
        "markersize": 2.8 if scaled else 4.6,
        "markeredgewidth": 0.9,
        "linestyle": "",
    }


def layer_key(rows: pd.DataFrame, *, line: bool = False) -> list[Line2D]:
    """A handle for each layer of the rows, dense networks first."""
    names = dict(zip(rows["look"].astype(int), rows["layer"], strict=True))
    known = [place for place in LOOKS.values() if place in names]
    found = []
    for place in [*known, *sorted(names.keys() - set(known))]:
        how = point(place, taught=True)
        how |= {"linestyle": stroke(place)} if line else {}
        found.append(Line2D([], [], label=str(names[place]).replace("_", " "), **how))
    return found


def teaching_key(rows: pd.DataFrame) -> list[Line2D]:
    """What filled and open mean, as far as the rows have both, and small ones."""
    grey: dict[str, Any] = {"color": "#555555", "marker": "o", "linestyle": "", "markersize": 4.6}
    found = []
    taught = set(rows["taught"].astype(int))
    if 1 in taught:
        found.append(Line2D([], [], label="filled: taught", **grey))
    if 0 in taught:
        found.append(Line2D([], [], label="open: alone", markerfacecolor="white", **grey))
    if "decay" in rows and (rows["decay"] == SCALED).any():
        found.append(Line2D([], [], label="small: scaled decay", **grey | {"markersize": 2.8}))
    return found


def stroke(place: int) -> str:
    """The line of a look; those that share a colour differ in it."""
    return "--" if place > len(VARIANT_COLOURS) else "-"


def by_budget(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Rows of variants with `setting` and `look` such that layers of one budget are drawn together.

    Each network with other layers would be a setting of its own. The whole dense network is in the
    part of every budget. Rows of a study without layers stay as they are.
    """
    if not any("layer" in variant.run["network"] for variant in study.variants):
        return rows
    runs = {variant.name: variant.run for variant in study.variants}
    places = {name: (_bare(run), _budget(run)) for name, run in runs.items()}
    known: dict[str, list[str]] = {}
    for bare, budget in places.values():
        known.setdefault(bare, []).append(budget)
    parts: dict[str, list[str]] = {}
    for name, (bare, budget) in places.items():
        budgets = [budget] if budget else [*filter(None, known[bare])] or [""]
        for each in dict.fromkeys(budgets):
            # What all variants have in common is not said again for each part.
            words = [bare, each] if len(known) > 1 or not each else [each]
            parts.setdefault(", ".join(filter(None, words)), []).append(name)
    table = []
    for setting, names in parts.items():
        taken: list[int] = []
        for name in names:
            taken.append(_free(look(variants.layer(runs[name])), taken))
            table.append({"variant": name, "setting": setting, "look": taken[-1], "left": 0})
    kept = rows.drop(columns=["setting", "look", "left"])
    order = list(parts)
    found = pd.DataFrame(table).merge(kept, on="variant")
    found = found.assign(
        first=found["dataset"].map(study.datasets.index), then=found["setting"].map(order.index)
    )
    return found.sort_values(["first", "then"], kind="stable")[rows.columns]


def _free(wish: int, taken: Sequence[int]) -> int:
    return wish if wish not in taken else shared.distinct(wish, taken)


def _bare(run: variants.Run) -> str:
    """A run's setting whatever its layers are."""
    network = {key: value for key, value in run["network"].items() if key not in SUBSTITUTED}
    return variants.setting({**run, "network": network})


def _budget(run: variants.Run) -> str:
    """What the networks are that may be drawn together; empty for the whole dense one alone."""
    network, taught = run["network"], variants.taught(run)
    layer = variants.layer(run)
    if layer == DENSE and not taught:
        return ""
    words = [f"{key} {network['layer'][key]}" for key in ("size",) if key in network["layer"]]
    if not words and layer != DENSE:
        budget = network.get("budget", 1.0)
        share = f"{budget:g} {BASES[network.get('base', 'layer')]}"
        words = [f"budget {share}" if budget <= 1 else f"{budget:g} parameters"]
    words += ["taught" if taught else "alone"]
    if run.get("substituted_decay", USUAL_DECAY) != USUAL_DECAY:
        words.append(f"{run['substituted_decay']} decay")
    return ", ".join(words)


def log_axis(axis: Axis, values: Iterable[float], most: int = 5) -> tuple[float, float]:
    """A logarithmic axis around some values, with ticks in k, M and G; gives its limits."""
    positive = [float(value) for value in values if np.isfinite(value) and value > 0]
    low, high = min(positive), max(positive)
    room = max((high / low) ** 0.08, 1.12)
    low, high = low / room, high * room
    if high / low < 2:
        low, high = low / 1.3, high * 1.3
    axis.axes.set(**{f"{axis.axis_name}scale": "log", f"{axis.axis_name}lim": (low, high)})  # type: ignore[attr-defined]
    axis.set_major_locator(FixedLocator(_ticks(low, high, most)))
    axis.set_minor_locator(NullLocator())
    shared.thousands(axis)
    return low, high


def _ticks(low: float, high: float, most: int) -> list[float]:
    found = round_values(low, high, most)
    if len(found) > 2:
        return found
    room = 0.11 * np.log(high / low)
    scale = 10.0 ** np.floor(np.log10(high))
    for step in (0.05, 0.1, 0.2, 0.5, 1.0):
        finer = [float(v) for v in scale * step * np.arange(1, 200) if low <= v <= high]
        wide = not len(finer) > 1 or np.diff(np.log(finer)).min() > room
        if len(finer) <= most and wide:
            return finer if len(finer) > len(found) else found
    return found


def spread(axis: Axis, values: Array, *more: float) -> Array:
    """A logarithmic axis around some values, moved so that their points lie beside one another.

    Args:
        axis: of a panel that is about `WIDE` points wide.
        values: all positive.
        more: other values that are to be on the axis.
    """
    low, high = log_axis(axis, [*values, *more])
    span = np.log(high / low)
    least = min(BESIDE / WIDE, 0.6 / len(values))
    moved: Array = low * np.exp(span * apart(np.log(values / low) / span, least))
    log_axis(axis, [*moved, *more])
    return moved


def apart(places: Array, least: float) -> Array:
    """The places moved as little as possible so that each two are `least` apart; order is kept."""
    order = np.argsort(places, kind="stable")
    steps = least * np.arange(len(places))
    blocks: list[list[float]] = []
    for value in places[order] - steps:
        blocks.append([float(value), 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            value, size = blocks.pop()
            blocks[-1] = [
                (blocks[-1][0] * blocks[-1][1] + value * size) / (blocks[-1][1] + size),
                blocks[-1][1] + size,
            ]
    level = np.repeat([value for value, _ in blocks], [int(size) for _, size in blocks])
    found = np.empty(len(places))
    found[order] = level + steps
    return found


def datasets(rows: pd.DataFrame, heights: float) -> tuple[list[str], str]:
    """The data sets whose parts fit below one another, and a note on the others."""
    every = datasets_of(rows)
    most = max(1, int((TALLEST - shared.FOOT) / heights))
    left = len(every) - most
    return every[:most], f"{left} more data set{'s' * (left > 1)} in the table" if left > 0 else ""


def lines_that_fit(rows: pd.DataFrame, above: float) -> tuple[pd.DataFrame, str]:
    """As many rows, one a line of names, as a page has room for, and a note on the others.

    Args:
        rows: of all data sets.
        above: inches that each data set takes besides its lines.
    """
    room = TALLEST - shared.FOOT - above * rows["dataset"].nunique()
    most = max(1, int(room / LINE))
    left = len(rows) - most
    words = f"{left} more line{'s' * (left > 1)} in the table" if left > 0 else ""
    return rows.head(most), words


def of_lost(rows: pd.DataFrame) -> str:
    """A note on runs that diverged and so have no final value."""
    lost = int(rows["diverged"].sum()) if len(rows) else 0
    return f"{lost} run{'s' * (lost > 1)} diverged and {'are' if lost > 1 else 'is'} left out" * (
        lost > 0
    )


def bottom_of(figure: Figure, what: tuple[str, str], counts: Iterable[float], *more: str) -> None:
    """As `drawing_parts.bottom`, for counts of something else than seeds: of one, of several."""
    shared.bottom(figure, counts, *more)
    for text in figure.texts:
        words = text.get_text().replace("seeds", what[1], 1).replace("seed", what[0], 1)
        text.set_text(words)


def bar(panel: Axes, x: float, y: float, away: tuple[float, float], which: str, **how: Any) -> None:
    """A point with a bar along `x` or `y`, from below to above the value; `nan` has no bar."""
    middle = x if which == "x" else y
    both = np.clip(np.nan_to_num([[middle - away[0]], [away[1] - middle]]), 0, None)
    panel.errorbar([x], [y], **{f"{which}err": both}, elinewidth=0.8, capsize=0, **how)


def finals(tables: Tables) -> pd.DataFrame:
    """The last `accuracy` of every run that finished, by `dataset`, `variant`, `seed` and `split`."""
    keys = ["dataset", "variant", "seed"]
    chosen = tables.main["metric"].isin(["history_loss", "history_accuracy"])
    found = tables.main[chosen & tables.main["images"].isin(["train", "test"])]
    found = found.sort_values("component", kind="stable")
    losses = found[found["metric"] == "history_loss"]
    wrong = losses.loc[~np.isfinite(losses["value"].astype(float)), keys]
    last = found[found["metric"] == "history_accuracy"]
    last = last.drop_duplicates([*keys, "images"], keep="last")
    whole = ~pd.MultiIndex.from_frame(last[keys]).isin(pd.MultiIndex.from_frame(wrong))
    last = last.loc[whole, [*keys, "images", "value"]].sort_values(keys, kind="stable")
    return last.set_axis([*keys, "split", "accuracy"], axis=1)


def lost(tables: Tables, ended: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Data set and variant → how many of its runs are not among those that finished."""
    history = tables.main[tables.main["metric"] == "history_accuracy"]
    cells = ["dataset", "variant"]
    begun = history.groupby(cells)["seed"].nunique()
    known = ended.groupby(cells)["seed"].nunique().to_dict()
    names = begun.index.to_frame().itertuples(index=False, name=None)
    return {
        (str(dataset), str(variant)): int(count) - known.get((dataset, variant), 0)
        for (dataset, variant), count in zip(names, begun, strict=True)
    }


def gaps(tables: Tables) -> pd.DataFrame:
    """Training minus test accuracy at the end with its 95 % t interval, of every variant.

    Columns: `dataset`, `variant`, `mean`, `low`, `high`, `n`, `diverged`.
    """
    ended = finals(tables)
    runs = ["dataset", "variant", "seed"]
    train, test = (
        ended[ended["split"] == split].set_index(runs)["accuracy"] for split in ("train", "test")
    )
    gap = (train - test).dropna().rename("gap").reset_index()
    values = gap.groupby(["dataset", "variant"])["gap"].agg(list).to_dict()
    found = []
    for cell, count in lost(tables, ended).items():
        its = mean_interval(values.get(cell, []))
        found.append((*cell, its.mean, its.low, its.high, its.n, count))
    names = ["dataset", "variant", "mean", "low", "high", "n", "diverged"]
    return pd.DataFrame(found, columns=names)

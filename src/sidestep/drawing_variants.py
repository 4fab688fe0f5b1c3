"""What the figures of named variants share: looks, keys, axes of seconds and of accuracy, sweeps.

A variant has one colour and marker in all figures of a study, by its place in the config: the
baseline is black, the others take seven colours in turn. Where there are more, each row of panels
draws seven of them and the baseline, so that no panel has two lines of one colour.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from sidestep import variants
from sidestep.config import Study
from sidestep.drawing import RANGE, datasets_of, empty, grid, line, over_seeds, title
from sidestep.style import BLACK, GREY, SMALL, TEXT, VALUES, VARIANT_COLOURS, VARIANT_MARKERS
from sidestep.tables import Tables

QUIET = "#555555"
DIVERGED = "†"
# Tallest figure that fits onto a page with its caption.
TALLEST = 8.6
# Accuracies that are written at an axis, as far as they are in its view.
_ACCURACIES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999)
_BETWEEN = (0.2, 0.4, 0.6, 0.7, 0.85, 0.92, 0.94, 0.96, 0.97, 0.985, 0.992, 0.994, 0.996, 0.997)
# Ratios of norms beyond which a figure does not follow: the input or the output has vanished.
RATIOS = (1e-3, 1e3)
_RATES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)


def with_looks(frame: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows of the study's main variants, with the variants' places among the colours (`look`)."""
    places, main = variants.looks(study), variants.main_variants(study)
    found = frame[frame["variant"].isin([*main, study.baseline])]
    return found.assign(look=found["variant"].map(places).astype(int))


def by_stage(tables: Tables, measures: Sequence[str]) -> pd.DataFrame:
    """Rows of single runs of the metrics `<measure>.<stage>`, with columns `measure` and `stage`.

    Stages are in the network's order and have their `place` in it.
    """
    frame = tables.main
    parts = frame["metric"].str.split(".", n=1, expand=True).reindex(columns=[0, 1])
    found = frame.assign(measure=parts[0], stage=parts[1])
    found = found[found["measure"].isin(measures) & found["seed"].ne("") & found["value"].notna()]
    order = {stage: place for place, stage in enumerate(variants.stages_of(tables.study))}
    places = found["stage"].map(order).fillna(len(order))
    return found.assign(place=places.astype(int)).sort_values("place", kind="stable")


def colour(look: int) -> str:
    """The colour of a variant by its place; the baseline's, 0, is black."""
    return VARIANT_COLOURS[(look - 1) % len(VARIANT_COLOURS)] if look else BLACK


def marker(look: int) -> str:
    """The marker of a variant by its place."""
    return VARIANT_MARKERS[(look - 1) % len(VARIANT_MARKERS)] if look else "o"


def groups(rows: pd.DataFrame, most: int) -> tuple[list[list[int]], int]:
    """The looks of each row of panels, the baseline in all of them, and how many did not fit.

    Args:
        rows: with a column `look`.
        most: rows of panels that there is room for.
    """
    looks = sorted(set(rows["look"]))
    base, others = [look for look in looks if not look], [look for look in looks if look]
    size = len(VARIANT_COLOURS)
    found = [base + others[start : start + size] for start in range(0, len(others), size)]
    left = sum(len(group) - len(base) for group in found[most:])
    return (found or [base])[:most], left


def each_variant(rows: pd.DataFrame, looks: Sequence[int]) -> Iterator[tuple[int, pd.DataFrame]]:
    """Each look with its rows, the baseline last: it is drawn on top."""
    for look in [*(look for look in looks if look), *(look for look in looks if not look)]:
        cell = rows[rows["look"] == look]
        if len(cell):
            yield look, cell


def variant_key(
    axes: Axes,
    rows: pd.DataFrame,
    looks: Sequence[int],
    more: Sequence[Line2D] = (),
    *,
    shapes: bool = True,
    inside: bool = False,
) -> None:
    """A legend of variants at the right of a row of panels, outside of the last one.

    Args:
        axes: the last panel.
        rows: with `variant` and `look`, and perhaps `diverged`.
        looks: which to name.
        more: further handles, below.
        shapes: whether variants have their own markers, or markers mean something else.
        inside: whether the panel is there for the legend alone.
    """
    names = dict(zip(rows["look"], rows["variant"], strict=True))
    wrong = set(rows.loc[rows["diverged"] > 0, "look"]) if "diverged" in rows else set()
    handles = [
        Line2D(
            [],
            [],
            color=colour(look),
            marker=marker(look) if shapes else "",
            linewidth=1.1 if shapes else 3.0,
            label=names[look] + (f" {DIVERGED}" if look in wrong else ""),
        )
        for look in looks
        if look in names
    ]
    legend = axes.legend(
        handles=[*handles, *more],
        loc="upper left",
        bbox_to_anchor=(0.0 if inside else 1.03, 1.04),
        borderaxespad=0.0,
        fontsize=SMALL,
    )
    legend.set_in_layout(not inside)


def foot(figure: Figure, counts: Iterable[float], *more: str) -> None:
    """Write below the figure of how many seeds it is, and what else has to be known, in short lines."""
    found = sorted({int(count) for count in counts})
    text = "n = 0 seeds"
    if found:
        low, high = found[0], found[-1]
        text = f"n = {low} to {high} seeds" if low < high else f"n = {high} seed{'s' * (high > 1)}"
    if not found or found[-1] < 2:
        # Without a second seed there is no band that could be explained.
        more = tuple(part for part in more if not part.startswith(("band", "bar")))
    text = "; ".join([text, *(part for part in more if part)])
    wide = int(figure.get_figwidth() * 19)
    figure.supxlabel(
        "\n".join(textwrap.wrap(text, wide)), x=0.995, ha="right", fontsize=SMALL, color=QUIET
    )


def not_drawn(rows: pd.DataFrame, drawn: Sequence[str], left: int = 0) -> str:
    """What a figure on the time axis leaves out: data sets without seconds, variants without room."""
    missing = [title(name) for name in datasets_of(rows) if name not in drawn]
    parts = [f"not timed: {', '.join(missing)}"] if missing else []
    return "; ".join(parts + ([too_many(left)] if left else []))


def too_many(left: int) -> str:
    """A note on the variants that found no room."""
    return f"{left} more variant{'s' * (left > 1)} in the table" if left else ""


def of_diverged(rows: pd.DataFrame) -> str:
    """The meaning of the dagger, if there is one."""
    return f"{DIVERGED} a seed diverged and ends there" if (rows["diverged"] > 0).any() else ""


def timed_datasets(rows: pd.DataFrame) -> list[str]:
    """The data sets with seconds; all of them if none was timed, when steps stand in for seconds."""
    timed = rows.loc[rows["seconds"].notna(), "dataset"]
    return [name for name in datasets_of(rows) if name in set(timed)] or datasets_of(rows)


class TimeAxis:
    """A logarithmic axis of seconds (or of steps, where nothing was timed) that begins with a 0.

    The network before its first step is a point of every curve, and a logarithm has no place for it:
    it lies at the left edge, behind a break of the axis.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        """Of all curves: `seconds` or, if there are none, `step`."""
        timed = rows["seconds"].notna().any()
        self.column = "seconds" if timed else "step"
        self.label = "seconds of training" if timed else "training steps (nothing was timed)"
        values = rows[self.column].astype(float)
        positive = values[values > 0]
        self.first = float(positive.min()) if len(positive) else 1.0
        self.last = float(positive.max()) if len(positive) else 1.0
        self.edge = self.first / max(1.6, (self.last / self.first) ** 0.09)

    def places(self, values: Any) -> Any:
        """Where values lie; 0, and what an interval has below it, is the edge."""
        return np.maximum(np.asarray(values, dtype=float), self.edge)

    def draw(self, axes: Axes, *, label: bool = True, beyond: float = 1.0) -> None:
        """Scale, limits, ticks and break of a panel's axis.

        Args:
            axes: the panel.
            label: whether to name the axis.
            beyond: factor by which the view is wider than the values at the right.
        """
        axes.set_xscale("log")
        low, high = self.edge * (self.edge / self.first) ** 0.25, self.last * 1.12 * beyond
        axes.set_xlim(low, high)
        shown = round_values(self.first * 0.9, self.last * 1.1, most=6)
        axes.xaxis.set_major_locator(FixedLocator([self.edge, *shown]))
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: "0" if value <= self.edge * 1.0001 else f"{value:g}")
        )
        decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        minor = [sub * decade for decade in decades for sub in range(2, 10)]
        axes.xaxis.set_minor_locator(
            FixedLocator([tick for tick in minor if self.first <= tick <= self.last])
        )
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        middle = (self.edge * self.first) ** 0.5
        axes.plot(
            [middle],
            [0],
            marker=[(-0.5, -1), (0.5, 1)],
            markersize=6,
            color=BLACK,
            markeredgewidth=0.6,
            linestyle="",
            clip_on=False,
            transform=axes.get_xaxis_transform(),
        )
        if label:
            axes.set_xlabel(self.label)


def errors(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of accuracies as errors, for an axis on which 99 and 99.9 % are as far apart as 90 and 99 %.

    No error at all lies where half of the smallest one would.
    """
    found = rows.assign(mean=1 - rows["mean"], low=1 - rows["high"], high=1 - rows["low"])
    positive = found.loc[found["mean"] > 0, "mean"]
    floor = float(positive.min()) / 2 if len(positive) else 1e-3
    return found.assign(**{name: found[name].clip(lower=floor) for name in ("mean", "low", "high")})


def accuracy_axis(axes: Axes, values: Iterable[float]) -> None:
    """A logarithmic axis of errors, written as accuracies in percent, better ones higher.

    Args:
        axes: the panel.
        values: the errors that are drawn, all above 0.
    """
    drawn = list(values)
    low, high = min(drawn) / 1.25, min(max(drawn) * 1.15, 1.15)
    axes.set_yscale("log")
    axes.set_ylim(high, low)
    shown = [each for each in _ACCURACIES if low <= 1 - each <= high]
    if len(shown) < 4:
        every = sorted((*_ACCURACIES, *_BETWEEN))
        shown = [each for each in every if low <= 1 - each <= high]
    if len(shown) < 2:
        shown = [1 - error for error in np.geomspace(high / 1.1, low * 1.1, 3)]
    axes.yaxis.set_major_locator(FixedLocator([1 - each for each in shown]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda error, _: f"{100 * (1 - error):.4g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def curve_rows(tables: Tables, quantity: str) -> pd.DataFrame:
    """The curves of the main variants: of the whole network on test images, and of own heads."""
    found = tables.analysis("timeline")
    found = with_looks(found[found["quantity"] == quantity], tables.study)
    whole = (found["split"] == "test") & (found["reads"] == variants.NETWORK)
    own = (found["split"] == "batch") & (found["reads"] == variants.OWN_HEAD)
    kept = ["dataset", "variant", "look", "reads", "step", "seconds", "phase", "phase_end"]
    return found.loc[whole | own, [*kept, "diverged", "mean", "low", "high", "n"]]


def against_time(rows: pd.DataFrame, label: str, *, accuracy: bool) -> Figure:
    """Curves over training time: a column a data set, a row for each seven variants.

    Args:
        rows: of `curve_rows`.
        label: of the ordinate.
        accuracy: whether the values are accuracies, drawn as errors.
    """
    datasets = timed_datasets(rows)
    shown = rows[rows["dataset"].isin(datasets)]
    shown = errors(shown) if accuracy else shown
    rows_of_panels, left = groups(shown, most=4)
    height = 3.1 if len(rows_of_panels) == 1 else TALLEST / max(len(rows_of_panels), 3.4)
    figure, axes = grid(
        len(rows_of_panels), len(datasets), width=TEXT, height=height, sharex=True, sharey=True
    )
    axis = TimeAxis(shown)
    for index, (looks, panels) in enumerate(zip(rows_of_panels, axes, strict=True)):
        for dataset, panel in zip(datasets, panels, strict=True):
            cell = shown[shown["dataset"] == dataset]
            for look, curves in each_variant(cell, looks):
                _curves(panel, curves, axis, look)
            axis.draw(panel, label=index == len(axes) - 1)
        panels[0].set_ylabel(label)
        its = shown[shown["look"].isin(looks)]
        variant_key(panels[-1], its, looks, _curve_key(its))
    if accuracy:
        accuracy_axis(axes[0, 0], [*shown["low"], *shown["high"]])
    else:
        axes[0, 0].set_yscale("log", nonpositive="mask")
        plain_ticks(axes[0, 0].yaxis)
    for panel, dataset in zip(axes[0], datasets, strict=True):
        panel.set_title(title(dataset))
    foot(figure, shown["n"], RANGE, not_drawn(rows, datasets, left), of_diverged(shown))
    return figure


def _curves(panel: Axes, rows: pd.DataFrame, axis: TimeAxis, look: int) -> None:
    """A variant's curve with its band and the ends of its phases, and its own heads, thin."""
    rows = rows.assign(x=axis.places(rows[axis.column])).sort_values("step", kind="stable")
    whole = rows[rows["reads"] == variants.NETWORK]
    over = {"linewidth": 1.4, "zorder": 3} if not look else {}
    line(panel, whole, x="x", color=colour(look), **over)
    ends = whole[whole["phase_end"] > 0]
    panel.plot(
        ends["x"], ends["mean"], color=colour(look), marker=marker(look), linestyle="", zorder=3.5
    )
    own = rows[rows["reads"] == variants.OWN_HEAD]
    for _, part in own.groupby("phase", sort=False):
        panel.plot(part["x"], part["mean"], color=colour(look), linewidth=0.6, linestyle="--")


def _curve_key(rows: pd.DataFrame) -> list[Line2D]:
    look: dict[str, Any] = {"color": QUIET}
    found = []
    if (rows["phase_end"] > 0).any():
        found.append(Line2D([], [], marker="o", linestyle="", label="marker: a phase ends", **look))
    if (rows["reads"] == variants.OWN_HEAD).any():
        words = "thin: own head of the\nblock in training"
        found.append(Line2D([], [], linewidth=0.6, linestyle="--", label=words, **look))
    return found


def round_values(low: float, high: float, most: int) -> list[float]:
    """At most so many round numbers between two positive ones, evenly spread in the logarithm."""
    exponents = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    found: list[float] = []
    for subs, every in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 4)):
        each = [float(sub * 10.0**exponent) for exponent in exponents[::every] for sub in subs]
        found = [value for value in each if low <= value <= high]
        if len(found) <= most:
            break
    return found


def plain_ticks(axis: Axis, most: int = 7) -> None:
    """Ticks of a logarithmic axis written out: 1, 2 and 5 where they are few, else powers of 10.

    Args:
        axis: an abscissa or ordinate whose limits are set.
        most: ticks that there is room for.
    """
    low, high = sorted(axis.get_view_interval())
    if not 1e-5 <= low < high <= 1e5:
        return
    axis.set_major_locator(FixedLocator(round_values(low, high, most)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(FuncFormatter(lambda *_: ""))


def blocks(rows: pd.DataFrame, height: float) -> tuple[list[tuple[str, list[int]]], str]:
    """Rows of panels for each data set and seven variants, as many as fit, and a note on the others.

    Args:
        rows: with `dataset` and `look`.
        height: of one, in inches.
    """
    parts, _ = groups(rows, most=len(rows))
    every = [(dataset, part) for dataset in datasets_of(rows) for part in parts]
    most = max(1, int((TALLEST - 0.4) / height))
    more = len(every) - most
    note = f"{more} more row{'s' * (more > 1)} of panels in the table" if more > 0 else ""
    return every[:most], note


def probe_rows(tables: Tables, probes: Sequence[str]) -> pd.DataFrame:
    """Mean and range over seeds of what probes read of each stage, at each step, of the main variants."""
    found = by_stage(tables, [f"probe_{probe}" for probe in probes])
    found = with_looks(found, tables.study).rename(columns={"component": "step"})
    found = found.assign(probe=found["measure"].str.removeprefix("probe_"))
    return over_seeds(found, ["dataset", "variant", "look", "probe", "stage", "place", "step"])


def draw_probes(
    rows: pd.DataFrame,
    panels: Mapping[str, Mapping[str, str]],
    *,
    logarithmic: str = "",
    at: float | None = None,
) -> Figure:
    """What probes read over training: a column a stage, rows for each data set and seven variants.

    Args:
        rows: of `probe_rows`, not empty.
        panels: label of the ordinate → probe → style of its line; a row of panels each.
        logarithmic: the label whose ordinate is; its view ends at `RATIOS`.
        at: where a dotted line marks a value.
    """
    stages = rows.drop_duplicates("place").sort_values("place")["stage"].tolist()
    height = 1.55 if len(panels) == 1 else 1.2
    parts, note = blocks(rows, height * len(panels))
    lines = len(parts) * len(panels)
    # The key has a column of its own: beside one low row it would push the rows apart.
    key = 0.45 + 0.068 * max(len(name) for name in rows["variant"])
    figure, axes = grid(
        lines,
        len(stages) + 1,
        width=TEXT,
        height=max(height, 1.9) if lines == 1 else height,
        width_ratios=[*[(TEXT - key) / len(stages)] * len(stages), key],
    )
    for panel in axes[:, -1]:
        panel.set_axis_off()
    for index, panel in enumerate(axes[:, :-1].flat):
        panel.sharex(axes[0, 0])
        panel.sharey(axes[index // len(stages), 0])
        panel.label_outer()
    several = rows["dataset"].nunique() > 1
    for index, (label, styles) in enumerate([*panels.items()] * len(parts)):
        dataset, looks = parts[index // len(panels)]
        cell = rows[(rows["dataset"] == dataset) & rows["look"].isin(looks)]
        for stage, panel in zip(stages, axes[index, :-1], strict=True):
            if label == logarithmic:
                panel.set_yscale("log", nonpositive="mask")
            if at is not None:
                panel.axhline(at, color=QUIET, linestyle=":", linewidth=0.8, zorder=0)
            its = cell[(cell["stage"] == stage) & cell["probe"].isin(styles)]
            for look, curves in each_variant(its, looks):
                for probe, curve in curves.groupby("probe", sort=False):
                    style: dict[str, Any] = {"linestyle": styles[str(probe)], "linewidth": 0.9}
                    line(panel, curve, x="step", color=colour(look), **style)
            if not index:
                panel.set_title(stage)
        if label == logarithmic:
            low, high = axes[index, 0].get_ylim()
            axes[index, 0].set_ylim(max(low, RATIOS[0]), min(high, RATIOS[1]))
            plain_ticks(axes[index, 0].yaxis, most=4)
        axes[index, 0].set_ylabel(label + (f"\n{title(dataset)}" if several else ""))
        if not index % len(panels):
            variant_key(axes[index, -1], cell, looks, shapes=False, inside=True)
    for panel in axes[-1, :-1]:
        panel.xaxis.set_major_locator(MaxNLocator(2, integer=True))
        panel.set_xlabel("training steps")
    foot(figure, rows["n"], RANGE, note)
    return figure


def sweep_rows(tables: Tables, setting: str) -> pd.DataFrame:
    """The sweeps over one setting, each with its reference's name (`of`) and place among colours."""
    found = tables.analysis("strategy_sweeps")
    found = found[found["setting"] == setting]
    references = found[found["reference"] > 0].drop_duplicates("sweep")
    of = dict(zip(references["sweep"], references["variant"], strict=True))
    kept = ["dataset", "sweep", "of", "look", "variant", "value", "number", "place", "reference"]
    kept += ["quantity", "mean", "low", "high", "n", "diverged", "separates"]
    found = found.assign(of=found["sweep"].map(of))
    found = found.assign(look=found["of"].map(variants.looks(tables.study)))
    return found[[*kept, "seconds_run", "baseline"]]


def draw_sweeps(rows: pd.DataFrame, label: str, *, numbers: bool = False) -> Figure:
    """Final loss, final accuracy and seconds of every member: a row of panels a data set.

    Args:
        rows: of `sweep_rows`.
        label: what the swept setting is.
        numbers: whether its values are shares, drawn as percent along the abscissa; else they are
            words, drawn from top to bottom.
    """
    if rows.empty or not rows["n"].any():
        return empty()
    datasets = datasets_of(rows)
    values = list(dict.fromkeys(rows["value"]))
    timed = datasets_of(rows[rows["seconds_run"].notna()])
    sweeps = list(dict.fromkeys(rows["sweep"]))
    tall = 1.6 if numbers else max(1.1, 0.6 + 0.17 * len(values) * max(1, 0.7 * len(sweeps)))
    # The key and the foot take half an inch of the whole figure.
    height = min(tall + 0.5 / len(datasets), TALLEST / len(datasets))
    figure, axes = grid(
        len(datasets), 2 + bool(timed), width=TEXT, height=height, sharey=not numbers, sharex="col"
    )
    for panels, dataset in zip(axes, datasets, strict=True):
        cell = rows[rows["dataset"] == dataset]
        for panel, quantity in zip(panels, _SWEPT, strict=False):
            if quantity == "seconds" and dataset not in timed:
                panel.set_axis_off()
                continue
            _sweep_panel(panel, cell, quantity, values, numbers=numbers)
            bottom = dataset == (timed if quantity == "seconds" else datasets)[-1]
            if numbers:
                panel.set_ylabel(_SWEPT[quantity])
            if bottom:
                panel.set_xlabel(label if numbers else _SWEPT[quantity])
                panel.tick_params(labelbottom=True)
        if not numbers:
            shown = [VALUES.get(value, value) for value in values]
            panels[0].set_yticks(range(len(values)), shown)
            panels[0].set_ylim(len(values) - 0.45, -0.55)
            panels[0].set_ylabel(label)
        panels[0].set_title(title(dataset))
    first = rows.drop_duplicates("sweep")
    handles = [
        Line2D([], [], color=colour(look), marker="o", linestyle="", label=f"with {name}")
        for look, name in zip(first["look"], first["of"], strict=True)
    ]
    handles.append(
        Line2D([], [], color=QUIET, marker="o", markerfacecolor="white", linestyle="",
               label="hollow: others are compared to it")
    )  # fmt: skip
    handles.append(Line2D([], [], color=BLACK, linestyle=":", label="the study's baseline"))
    figure.legend(handles=handles, loc="outside upper left", ncols=min(len(handles), 4))
    lost = int(rows["diverged"].max())
    note = f"up to {lost} seed{'s' * (lost > 1)} of a value diverged" if lost else ""
    foot(figure, rows["n"], "bar: 95 % t interval of the mean", note)
    return figure


_SWEPT = {
    "loss": "final test loss (nats)",
    "accuracy": "final test accuracy (%)",
    "seconds": "seconds of training",
}


def _sweep_panel(
    panel: Axes, rows: pd.DataFrame, quantity: str, values: list[str], *, numbers: bool
) -> None:
    seconds = quantity == "seconds"
    cell = rows[rows["quantity"] == ("loss" if seconds else quantity)]
    scale = 100 if quantity == "accuracy" else 1
    sweeps = list(dict.fromkeys(cell["sweep"]))
    for index, (_, sweep) in enumerate(cell.groupby("sweep", sort=False)):
        found = sweep[np.isfinite(sweep["seconds_run" if seconds else "mean"].astype(float))]
        x = 100 * found["number"].astype(float)
        if not numbers:
            x = found["value"].map(values.index) + 0.5 * ((index + 0.5) / len(sweeps) - 0.5)
        mean = scale * (found["seconds_run"] if seconds else found["mean"]).astype(float)
        shade = colour(int(sweep["look"].iloc[0]))
        bars = None
        if not seconds:
            bars = [mean - scale * found["low"], scale * found["high"] - mean]
            bars = [np.nan_to_num(np.asarray(part, dtype=float)) for part in bars]
        order: dict[str, Any] = {"yerr": bars} if numbers else {"xerr": bars}
        places = (x, mean) if numbers else (mean, x)
        panel.errorbar(
            *places, **order, color=shade, linestyle="-" if numbers else "", linewidth=0.8,
            elinewidth=1.1, marker="o",
        )  # fmt: skip
        hollow = found["reference"].to_numpy() > 0
        chosen = [np.asarray(place)[hollow] for place in places]
        panel.plot(
            *chosen, linestyle="", marker="o", color=shade, markerfacecolor="white", zorder=3
        )
    if not seconds and len(cell) and np.isfinite(cell["baseline"].iloc[0]):
        where = scale * float(cell["baseline"].iloc[0])
        draw = panel.axhline if numbers else panel.axvline
        draw(where, color=BLACK, linestyle=":", linewidth=0.9, zorder=0)
    if not numbers:
        panel.xaxis.set_major_locator(MaxNLocator(4))
    else:
        panel.yaxis.set_major_locator(MaxNLocator(4))
    if seconds and len(cell):
        most = float(cell["seconds_run"].max())
        limits = (0.0, 1.15 * most if np.isfinite(most) else 1.0)
        panel.set_ylim(*limits) if numbers else panel.set_xlim(*limits)


def rate_lines(panel: Axes) -> None:
    """Grey lines of constant nanoseconds per multiply-add, across a panel.

    Its axes are logarithmic: millions of multiply-adds and milliseconds.
    """
    (left, right), (bottom, top) = panel.get_xlim(), panel.get_ylim()
    for rate in _RATES:
        ends = np.array([left, right])
        heights = rate * ends
        if heights[1] < bottom or heights[0] > top:
            continue
        panel.plot(ends, heights, color=GREY, linewidth=0.5, linestyle=":", zorder=0)
        x = min(right, top / rate)
        if bottom * 1.5 < rate * x:
            panel.annotate(
                f"{rate:g} ns",
                (x, rate * x),
                xytext=(-2, -8),
                textcoords="offset points",
                ha="right",
                fontsize=SMALL,
                color=QUIET,
                zorder=0,
            )
    panel.set_xlim(left, right)
    panel.set_ylim(bottom, top)

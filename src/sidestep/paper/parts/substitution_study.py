"""The tables of the study of substitutes, as its section reads them."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sidestep import variants
from sidestep.paper.parts import formats as f
from sidestep.paper.parts.layerwise_study import LayerwiseStudy
from sidestep.paper.parts.study import each_row
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval

DENSE, NARROWER, SHALLOWER, BASELINE = "dense", "narrower", "shallower", "baseline"
SMALLER = (NARROWER, SHALLOWER)
# What a budget is a share of, at the end of a sentence.
BASES = {
    "layer": "the parameters of each convolution that is replaced",
    "separable": "the parameters of the depthwise separable convolution in its place",
    "network": "the parameters of the whole dense network",
}
SHORT_BASES = {
    "layer": "of a convolution",
    "separable": "of a separable convolution",
    "network": "of the network",
}


@dataclass(frozen=True)
class Cell:
    """Variants that may be compared: of one data set and budget, all with a teacher or all without.

    Attributes:
        place: the three in words.
        rows: those of the analysis `pareto`.
    """

    place: str
    rows: tuple[Any, ...]

    @property
    def substitutes(self) -> list[Any]:
        """Those with other layers in the places of convolutions."""
        return [row for row in self.rows if is_substitute(row)]


class SubstitutionStudy(LayerwiseStudy):
    """A study of networks with other layers in the places of convolutions."""

    def records(self, analysis: str, dataset: str = "") -> list[Any]:
        """Rows of an analysis, of one data set or all; none if it was not asked for."""
        found = self.analysis(analysis)
        if dataset and len(found):
            found = found[found["dataset"] == dataset]
        return list(each_row(found))

    def row(self, dataset: str, variant: str) -> Any:
        """A variant's row of `pareto`; None if it has none."""
        rows = self.records("pareto", dataset)
        return next((row for row in rows if row.variant == variant), None)

    def cells(self) -> Iterator[Cell]:
        """Every data set, budget and teacher or none that has variants with a budget, in the study's order."""
        for dataset in self.datasets:
            found: dict[tuple[str, bool], list[Any]] = {}
            for row in self.records("pareto", dataset):
                if budget_of(row):
                    found.setdefault((budget_of(row), bool(row.taught)), []).append(row)
            for (budget, taught), rows in found.items():
                yield Cell(self._place(dataset, budget, taught=taught), tuple(rows))

    def _place(self, dataset: str, budget: str, *, taught: bool) -> str:
        """`CIFAR-10`, with the budget and the teacher where there are others."""
        parts = [dataset_name(dataset)]
        if len(self.budgets()) > 1:
            parts.append(f"at {budget}")
        if self.has_taught():
            parts.append("with a teacher" if taught else "without a teacher")
        return " ".join(parts)

    def budgets(self) -> list[str]:
        """Every budget, in short words."""
        found = dict.fromkeys(budget_of(row) for row in self.records("pareto"))
        return [budget for budget in found if budget]

    def has_taught(self) -> bool:
        """Whether some variant has a teacher."""
        return any(variants.taught(run) for run in self.runs.values())

    def with_inference(self, dataset: str) -> bool:
        """Whether inference was timed on the data set."""
        return any(f.defined(row.seconds_forward) for row in self.records("pareto", dataset))


def is_substitute(row: Any) -> bool:
    """Whether a row is of a variant with other layers in the places of convolutions."""
    return row.layer not in (DENSE, *SMALLER)


def budget_of(row: Any) -> str:
    """A row's budget in short words, the base included; empty if it has none."""
    if not f.defined(row.budget) or row.budget == 1:
        return ""
    if row.budget > 1:
        return f"{f.count(row.budget)} parameters"
    base = str(row.base)
    return f"{_share(row.budget)} {SHORT_BASES.get(base, base)}"


def budget_words(budgets: Sequence[float], base: str) -> str:
    """Budgets of one base at length; the base is empty for numbers of parameters."""
    if not base:
        return (
            f"{f.listed([f.count(each) for each in budgets], 'or')} parameters of the whole network"
        )
    return f"{f.listed([_share(each) for each in budgets], 'or')} of {BASES.get(base, base)}"


def _share(budget: float) -> str:
    """A share as a person sets it, in percent."""
    return f.setting(round(100 * budget, 6)) + "\N{NO-BREAK SPACE}%"


def difference(row: Any, which: str) -> Interval:
    """A row's paired difference of accuracy to the baseline, the narrower or the shallower network."""
    pairs = getattr(row, f"{which}_pairs")
    return Interval(
        getattr(row, f"{which}_difference"),
        math.nan,
        int(pairs) if f.defined(pairs) else 0,
        getattr(row, f"{which}_low"),
        getattr(row, f"{which}_high"),
    )


def paired(row: Any) -> Interval:
    """A row's paired difference, of an analysis that has one."""
    pairs = int(row.pairs) if f.defined(row.pairs) else 0
    return Interval(row.difference, math.nan, pairs, row.low, row.high)


def told_by(rows: Sequence[Any], first: str, second: str) -> dict[str, Any]:
    """Rows of pairs by their first variant, or by their second one where the first has several."""
    often = Counter(str(getattr(row, first)) for row in rows)
    return {
        str(getattr(row, first if often[str(getattr(row, first))] == 1 else second)): row
        for row in rows
    }

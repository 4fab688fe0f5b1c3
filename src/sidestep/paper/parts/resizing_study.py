"""The tables of the study of layers that size themselves, as its section reads them."""

import math
from collections.abc import Sequence
from typing import Any

from sidestep import sizing
from sidestep.paper.parts import formats as f
from sidestep.paper.parts.layerwise_study import LayerwiseStudy, Seeds
from sidestep.paper.parts.layerwise_words import code
from sidestep.paper.parts.resizing_words import SEVERAL, amount
from sidestep.paper.parts.study import each_row
from sidestep.statistics.intervals import Interval
from sidestep.study import Study

STATIC, MATCHED, FLEXIBLE, WORTH = "static", "matched", "flexible", "by_worth"


class ResizingStudy(LayerwiseStudy):
    """A study of layers whose size moves while they learn, and of static ones beside them."""

    @property
    def study(self) -> Study:
        """The study, whose variants `sidestep.sizing` tells apart."""
        return self.tables.study

    def records(self, analysis: str, dataset: str = "") -> list[Any]:
        """Rows of an analysis, of one data set or all; none if it was not asked for."""
        found = self.analysis(analysis)
        if dataset and len(found):
            found = found[found["dataset"] == dataset]
        return list(each_row(found))

    def method(self, variant: str) -> str:
        """How a variant comes to its size, one of `sizing.METHODS`."""
        return sizing.method(self.study.variant(variant).run)

    def by_method(self) -> dict[str, list[str]]:
        """Method → its variants, in the order of `sizing.METHODS`, then of the study."""
        found: dict[str, list[str]] = {}
        for variant in self.study.variants:
            found.setdefault(sizing.method(variant.run), []).append(variant.name)
        return {method: found[method] for method in sizing.METHODS if method in found}

    def moving(self) -> list[str]:
        """Variants whose size moves."""
        return [v.name for v in self.study.variants if sizing.method(v.run) not in sizing.STILL]

    def objective(self, dataset: str, variant: str, price: float) -> Seeds:
        """Seed → test loss plus a price for every neuron used, in nats, at the last evaluation.

        Args:
            dataset: a data set.
            variant: one with gates or a known width; without either nothing is known.
            price: in nats a neuron, also for variants that pay nothing themselves.
        """
        run = self.study.variant(variant).run
        losses = self.finals(dataset, variant, "loss")
        built, stages = sizing.neurons(run), list(sizing.gates(run))
        if not stages:
            return {seed: loss + price * built for seed, loss in losses.items() if built}
        used = [self.last_by_seed("probe_size", dataset, variant, stage) for stage in stages]
        return {
            seed: loss + price * math.fsum(sizes[seed] for sizes in used)
            for seed, loss in losses.items()
            if all(seed in sizes for sizes in used)
        }


def interval(row: Any, name: str) -> Interval:
    """A row's mean `name` with its bounds `name_low` and `name_high`, over its `n` seeds."""
    return Interval(
        getattr(row, name),
        math.nan,
        int(row.n) if f.defined(row.n) else 0,
        getattr(row, f"{name}_low"),
        getattr(row, f"{name}_high"),
    )


def accuracy_apart(row: Any) -> Interval:
    """The paired difference of accuracy of a row of `start_dependence`."""
    return Interval(
        row.accuracy_difference, math.nan, int(row.pairs), row.accuracy_low, row.accuracy_high
    )


def dependence(row: Any) -> Interval:
    """The share of the distance between the starts that is left at the end."""
    return Interval(
        row.dependence, math.nan, int(row.pairs), row.dependence_low, row.dependence_high
    )


def group_names(rows: Sequence[Any]) -> list[str]:
    """Names of groups of starts, as short as they can be without two of them having one name.

    Args:
        rows: of `start_dependence`, of one data set.
    """
    found = []
    for row in rows:
        peers = [other for other in rows if other.method == row.method]
        words = [SEVERAL.get(str(row.method), code(str(row.method)))]
        for key, text in (("price", price_words), ("decay", decay_words)):
            if len({getattr(other, key) for other in peers}) > 1:
                words.append(text(getattr(row, key)))
        alike = [o for o in peers if (o.price, o.decay) == (row.price, row.decay)]
        if len(alike) > 1:
            words.append(f"from {code(str(row.low_variant))} to {code(str(row.high_variant))}")
        found.append(words[0] + (f" ({', '.join(words[1:])})" if words[1:] else ""))
    return found


def price_words(price: float) -> str:
    """`0.001 nats`, or that nothing is paid."""
    return f"{amount(price)}\N{NO-BREAK SPACE}nats" if price else "no price"


def decay_words(decay: float) -> str:
    """`L2 of 0.001`, or that there is none."""
    return f"$L_2$ of {amount(decay)}" if decay else "no $L_2$"

"""What several evolutions of the same rule are worth: the best by the validation part, and all of them together."""

import itertools
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import softmax

from sidestep.analyses.shared.evolution import Scores, average, minus
from sidestep.evolution import ACCURACY, populations
from sidestep.tables import Tables

Array = npt.NDArray[Any]
READS = ("table", "runs", "data")
QUANTITIES = ("single", "chosen", "ensemble", "gain_chosen", "gain_ensemble")
COLUMNS = [
    *("study", "dataset", "variant", "members", "measure", "n"),
    *(f"{name}{end}" for name in QUANTITIES for end in ("", "_low", "_high")),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, population and number of its members; none for variants of one member.

    Columns: `study`, `dataset`; `variant`, the first of the runs that differ in their `member` alone; `members`, how
    many of them are taken; `measure`, `accuracy` or `r2`. Means over the `n` seeds whose members all finished, of each
    seed's mean over all sets of so many members: test score of a `single` one; of the `chosen` one, that of the least
    validation loss (empty without a validation part); of the `ensemble`, whose probabilities of the classes, or
    numbers, are the members' means (empty if the runs keep no outputs). `gain_chosen` and `gain_ensemble` are those
    minus `single`, paired by seed. Each has bounds (`single_low`, `single_high`, `chosen_low`, `chosen_high`,
    `ensemble_low`, `ensemble_high`, `gain_chosen_low`, `gain_chosen_high`, `gain_ensemble_low`, `gain_ensemble_high`)
    of a 95 % t interval, corrected for the overlap of splits where runs draw their own.
    """
    study, scores = tables.study, Scores.of(tables)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        measure = scores.measures[dataset]
        for group in populations(study):
            if len(group) < 2:
                continue
            names = [variant.name for variant in group]
            tests = [scores.score(dataset, name) for name in names]
            losses = [scores.loss(dataset, name, "validation") for name in names]
            seeds = sorted(set.intersection(*(set(its) for its in tests)))
            said = {seed: _outputs(tables, dataset, names, seed) for seed in seeds}
            for count in range(1, len(names) + 1):
                sets = list(itertools.combinations(range(len(names)), count))
                single = average({seed: its[seed] for seed in seeds} for its in tests)
                chosen = {
                    seed: fmean(tests[best(taken, losses, seed)][seed] for taken in sets)
                    for seed in seeds
                    if all(seed in its for its in losses)
                }
                together = {
                    seed: fmean(ensemble(parts, taken, measure) for taken in sets)
                    for seed, parts in said.items()
                    if parts
                }
                if count == 1 and together:
                    # The same to the last digit, though not by the same arithmetic.
                    together = {seed: single[seed] for seed in together}
                found = {
                    "single": single,
                    "chosen": chosen,
                    "ensemble": together,
                    "gain_chosen": minus(chosen, single),
                    "gain_ensemble": minus(together, single),
                }
                row: dict[str, Any] = {
                    "study": study.name,
                    "dataset": dataset,
                    "variant": names[0],
                    "members": count,
                    "measure": measure,
                    "n": len(seeds),
                }
                for name, values in found.items():
                    row |= scores.spread(dataset, values, name)
                rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def best(taken: Sequence[int], losses: Sequence[Mapping[int, float]], seed: int) -> int:
    """The member of the least validation loss, the first of equals."""
    return min(taken, key=lambda member: losses[member][seed])


def ensemble(parts: Sequence[tuple[Array, Array]], taken: Sequence[int], measure: str) -> float:
    """Accuracy of averaged probabilities, the first class of equals, or R² of averaged predictions.

    Args:
        parts: of each member, outputs N×outputs and labels, N or N×outputs.
        taken: indices of the members.
        measure: `accuracy` or `r2`.
    """
    labels = parts[taken[0]][1]
    each = [parts[member][0].astype(np.float64) for member in taken]
    if measure == ACCURACY:
        shares = np.mean([softmax(outputs, axis=1) for outputs in each], axis=0)
        return float((shares.argmax(axis=1) == labels).mean())
    numbers = labels.astype(np.float64).reshape(len(labels), -1)
    squares = np.square(np.mean(each, axis=0) - numbers).sum(axis=0)
    return float((1 - squares / np.square(numbers - numbers.mean(axis=0)).sum(axis=0)).mean())


def _outputs(
    tables: Tables, dataset: str, names: Sequence[str], seed: int
) -> list[tuple[Array, Array]]:
    """Of each member what its network says of the test part, with the labels; empty if one is unknown."""
    found = []
    for name in names:
        kept = tables.outputs(dataset, name, seed)
        if "test_outputs" not in kept:
            return []
        found.append((kept["test_outputs"], kept["test_labels"]))
    return found

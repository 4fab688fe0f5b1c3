"""What each way to have fewer parameters reaches and what it costs, with the fronts of accuracy against cost."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sidestep import things, variants
from sidestep.analyses.shared import timeline
from sidestep.analyses.shared.finals import Finals, apart, finals, mean, spread
from sidestep.files import canonical_json
from sidestep.study import Study, Variant
from sidestep.tables import Tables

# Columns of costs that are means over seeds → metrics of the study's table.
OF_RUN = {
    "parameters": "parameters",
    "mult_adds": "mult_adds_closed",
    "mult_adds_computed": "mult_adds_forward_per_image",
    "stored_bytes": "stored_bytes",
    "peak_memory_bytes": "peak_memory_bytes",
}
# Front → the cost that it is of.
FRONTS = {
    "front_parameters": "parameters",
    "front_mult_adds": "mult_adds",
    "front_seconds": "seconds_forward",
    "front_bytes": "stored_bytes",
}
MATCHED = ("narrower", "shallower")
REFERENCES = ("baseline", *MATCHED)
COLUMNS = [
    *("study", "dataset", "variant", "layer", "budget", "base", "reached", "taught", "decay"),
    *("n", "diverged", "accuracy", "accuracy_low", "accuracy_high", "loss"),
    *("parameters", "mult_adds", "mult_adds_computed", "stored_bytes"),
    *("seconds_forward", "seconds_per_step", "peak_memory_bytes", *FRONTS),
    *(
        f"{reference}{column}"
        for reference in REFERENCES
        for column in ("", "_difference", "_low", "_high", "_pairs", "_separates", "_seconds")
    ),
]
Costs = dict[str, float]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set and variant.

    Columns: `study`, `dataset`, `variant`; `layer` in the place of convolutions, `narrower`, `shallower` or `dense`
    (`sidestep.variants.layer`); `budget` as configured and `base`, of what it is a share (both empty for a dense
    network of full size, and where the size of layers is set instead); `reached`, parameters over those of the study's
    baseline; `taught`, 1 if it had a teacher; `decay` of the layers' weights, `full` or `scaled`. At the last
    evaluation, over the `n` seeds that finished (`diverged`, those that did not): test `accuracy` with its 95 % t
    interval (`accuracy_low`, `accuracy_high`) and the mean test `loss` (nats).

    Costs, empty where unknown: `parameters`; `mult_adds` of one image by closed forms, and `mult_adds_computed` as the
    network computes them, with the assembly of matrices; `stored_bytes`; `seconds_forward` of one image, the timing
    job's median batch over its size; `seconds_per_step` of training; `peak_memory_bytes` of training. Fronts:
    `front_parameters`, `front_mult_adds`, `front_seconds` (of inference) and `front_bytes` (stored) are 1 where no
    other variant of the data set with equal `taught` is as accurate on average at less cost, or more accurate at
    the same cost; else 0, and empty where accuracy or cost is unknown.

    Three references: `baseline`, the study's; `narrower` and `shallower`, the dense network that meets the same
    budget so, of the same network, `base` and `taught` (of several the one with the fewest other differences; all
    empty if there is none, and for a variant itself). To each, with its name before the word: `_difference` of test
    accuracy, paired by the `_pairs` of seeds that finished in both, with its 95 % t interval (`_low`, `_high`);
    `_separates`, 1 where that excludes 0; `_seconds`, the reference's `seconds_forward` over this one's, above 1 where
    this one is faster.
    """
    study, ends, known = tables.study, finals(tables), costs(tables)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        whole = known[dataset, study.baseline]
        its = []
        for variant in study.variants:
            cost = known[dataset, variant.name]
            row = _reached(ends, study, dataset, variant)
            row |= {key: value for key, value in cost.items() if key in COLUMNS}
            row["reached"] = ratio(cost["parameters"], whole["parameters"])
            for word, name in references(study, variant).items():
                row |= _beside(ends, known, dataset, variant.name, word, name)
            its.append(row)
        for front, cost_name in FRONTS.items():
            for row, value in zip(its, on_front(its, cost_name), strict=True):
                row[front] = value
        rows += its
    return pd.DataFrame(rows, columns=COLUMNS)


def costs(tables: Tables) -> dict[tuple[str, str], Costs]:
    """Data set and variant → what it costs, by the columns' names, `nan` where unknown.

    Besides the columns, `seconds_forward_low` and `seconds_forward_high`: the quartiles.
    """
    frame, phases = tables.main, timeline.phases(tables)
    of_seeds = ~frame["seed"].isin(["", "pooled"]) & frame["metric"].isin(OF_RUN.values())
    keys = ["dataset", "variant", "metric"]
    means = frame[of_seeds].groupby(keys, sort=False)["value"].mean().to_dict()
    timed = frame[frame["seed"].eq("") & frame["metric"].str.startswith("seconds_forward_")]
    seconds = timed.groupby(keys, sort=False)["value"].first().to_dict()
    found: dict[tuple[str, str], Costs] = {}
    for dataset in tables.study.datasets:
        for variant in tables.study.variants:
            place = dataset, variant.name
            batches = {
                word: float(seconds.get((*place, f"seconds_forward_{word}"), math.nan))
                for word in ("median", "q1", "q3")
            }
            images, its = variant.run["batch_size"], phases[place]
            found[place] = {
                **{key: float(means.get((*place, of), math.nan)) for key, of in OF_RUN.items()},
                "seconds_forward": batches["median"] / images,
                "seconds_forward_low": batches["q1"] / images,
                "seconds_forward_high": batches["q3"] / images,
                "seconds_per_step": timeline.boundaries(its)[-1] / its[-1].end if its else math.nan,
            }
    return found


def ratio(mine: float, theirs: float) -> float:
    """`nan` where either is unknown or the second is 0."""
    return mine / theirs if theirs else math.nan


def on_front(rows: Sequence[Mapping[str, Any]], cost: str) -> list[float]:
    """1 for each row that no other of equal `taught` beats in `accuracy` and a cost, else 0; `nan` if unknown."""
    unknown = [math.isnan(row["accuracy"] + row[cost]) for row in rows]
    known = [row for row, missing in zip(rows, unknown, strict=True) if not missing]
    return [
        math.nan if missing else float(not _beaten(row, known, cost))
        for row, missing in zip(rows, unknown, strict=True)
    ]


def _beaten(row: Mapping[str, Any], others: Sequence[Mapping[str, Any]], cost: str) -> bool:
    """Whether another is no worse in both, and better in one."""
    mine = row["accuracy"], -row[cost]
    return any(
        (other["accuracy"], -other[cost]) != mine
        and other["accuracy"] >= mine[0]
        and -other[cost] >= mine[1]
        for other in others
        if other["taught"] == row["taught"]
    )


def references(study: Study, variant: Variant) -> dict[str, str]:
    """Each of `REFERENCES` → the variant to which one is compared; empty if there is none, or it is itself."""
    found = {"baseline": study.baseline}
    budget = _budget(variant.run)
    for word in MATCHED:
        place = _place(variant.run)
        candidates = [
            (_distance(variant.run, other.run), index, other.name)
            for index, other in enumerate(study.variants)
            if budget[1]
            and variants.layer(other.run) == word
            and _budget(other.run) == budget
            and _place(other.run) == place
        ]
        found[word] = min(candidates, default=(0, 0, ""))[2]
    return {word: "" if name == variant.name else name for word, name in found.items()}


def _budget(run: variants.Run) -> tuple[float, str]:
    """The budget and its base; `nan` and empty without one."""
    network = things.complete("networks", run["network"])
    sized = "size" in network.get("layer", {})
    if sized or "budget" not in network or variants.layer(run) == variants.DENSE:
        return math.nan, ""
    return float(network["budget"]), str(network["base"])


def _place(run: variants.Run) -> str:
    """What a dense network has in common with those that are compared to it: all but what makes it smaller."""
    network = things.complete("networks", run["network"])
    kept = {key: value for key, value in network.items() if key not in ("layer", "match")}
    return canonical_json([kept, variants.taught(run)])


def _distance(mine: variants.Run, theirs: variants.Run) -> int:
    """How many settings of a run besides the network's differ."""
    mine, theirs = variants.USUAL | mine, variants.USUAL | theirs
    return sum(
        canonical_json(mine.get(key)) != canonical_json(theirs.get(key))
        for key in mine.keys() | theirs.keys()
        if key != "network"
    )


def _reached(ends: Finals, study: Study, dataset: str, variant: Variant) -> dict[str, Any]:
    """What a variant is and what it reaches."""
    accuracy = ends.of(dataset, variant.name, "test", "accuracy")
    budget, base = _budget(variant.run)
    return {
        "study": study.name,
        "dataset": dataset,
        "variant": variant.name,
        "layer": variants.layer(variant.run),
        "budget": budget,
        "base": base,
        "taught": int(variants.taught(variant.run)),
        "decay": (variants.USUAL | variant.run)["substituted_decay"],
        "n": len(accuracy),
        "diverged": ends.diverged(dataset, variant.name),
        **spread(accuracy, "accuracy"),
        "loss": mean(ends.of(dataset, variant.name, "test", "loss"))["mean"],
    }


def _beside(
    ends: Finals,
    known: Mapping[tuple[str, str], Costs],
    dataset: str,
    mine: str,
    word: str,
    theirs: str,
) -> dict[str, Any]:
    """A variant beside one of its references."""
    found = apart(
        ends.of(dataset, mine, "test", "accuracy"), ends.of(dataset, theirs, "test", "accuracy")
    )
    seconds = known[dataset, theirs]["seconds_forward"] if theirs else math.nan
    return {
        word: theirs,
        f"{word}_difference": found["difference"],
        f"{word}_low": found["difference_low"],
        f"{word}_high": found["difference_high"],
        f"{word}_pairs": found["pairs"],
        f"{word}_separates": found["separates"],
        f"{word}_seconds": ratio(seconds, known[dataset, mine]["seconds_forward"]),
    }

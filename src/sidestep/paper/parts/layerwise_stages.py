"""What each stage holds, whether it collapses, and where its gradient points."""

import math
from collections.abc import Iterator, Mapping, Sequence

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.layerwise_study import LayerwiseStudy
from sidestep.paper.parts.layerwise_words import (
    ABOVE,
    ALONE,
    BELOW,
    OPEN,
    code,
    compared,
    named,
    plain,
    sorted_out,
)
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval, mean_interval, paired_difference

# From which mean cosine between images of different labels on outputs count as pointing one way, and
# below which share of its first reading the smallest ratio of norms counts as gone.
ONE_WAY, GONE = 0.99, 0.01
RIGHT_ANGLE = 90.0
PROBE, ANGLE = "linear_probe", "probe_gradient_angle"
DIFFERENT, SAME, SMALLEST = (
    f"probe_{name}" for name in ("cosine_different", "cosine_same", "norm_ratio_min")
)


def held(study: LayerwiseStudy) -> Iterator[str]:
    """Linear probes: each stage against the baseline's, by paired intervals."""
    found = False
    for dataset in study.datasets:
        for stage in study.stages():
            values = {name: study.last_by_seed(PROBE, dataset, name, stage) for name in study.runs}
            baseline = values[study.baseline]
            differences = {
                name: paired_difference(each, baseline)
                for name, each in values.items()
                if name != study.baseline and each
            }
            if not baseline or not differences:
                continue
            found = True
            mean = mean_interval(list(baseline.values()))
            where = (dataset_name(dataset), code(stage), code(study.baseline))
            yield held_sentence(*where, mean, sorted_out(differences))
    if not found:
        yield say.absent("what a linear classifier reads off the stages")


def held_sentence(
    where: str, stage: str, baseline: str, mean: Interval, groups: Mapping[str, Sequence[str]]
) -> str:
    """How much a linear classifier reads off a stage, against the baseline's."""
    words = {
        ABOVE: "more",
        BELOW: "less",
        OPEN: "not separated",
        ALONE: "without interval",
    }
    size = f.estimate(mean.mean, mean.low, mean.high, f.percent)
    text = f"On {where}, {size} can be read off stage {stage} of {baseline}"
    against = compared(groups, words)
    return f"{text}; against that, it is {against}." if against else f"{text}."


def probe_tables(study: LayerwiseStudy) -> list[f.Table]:
    """One table a data set: the linear probe's accuracy, a column a stage."""
    tables = []
    stages, seeds = study.stages(), len(study.tables.study.seeds)
    for dataset in study.datasets:
        rows = []
        for name in study.runs:
            values = [
                list(study.last_by_seed(PROBE, dataset, name, stage).values()) for stage in stages
            ]
            if any(values):
                cells = [f.cell(mean_interval(each), f.bare_percent, seeds) for each in values]
                rows.append([plain(name), *cells])
        head = ["Variant", *(plain(stage) for stage in stages)]
        tables.append(
            {"dataset": dataset, "name": dataset_name(dataset), "head": head, "rows": rows}
        )
    return tables


def geometry(study: LayerwiseStudy) -> Iterator[str]:
    """Does anything collapse, into one direction or into nothing?"""
    if study.staged(DIFFERENT).empty and study.staged(SMALLEST).empty:
        yield say.absent("norms and cosines of the stages' outputs")
        return
    for dataset in study.datasets:
        directions: dict[str, list[str]] = {}
        norms: dict[str, list[str]] = {}
        seen = 0
        for name in study.runs:
            for stage in study.stages()[:-1]:
                cosines = study.last_by_seed(DIFFERENT, dataset, name, stage)
                shrunk = _shrunk(study, dataset, name, stage)
                seen += bool(cosines or shrunk)
                if cosines and mean_interval(list(cosines.values())).mean > ONE_WAY:
                    directions.setdefault(name, []).append(stage)
                if shrunk and mean_interval(list(shrunk.values())).mean < GONE:
                    norms.setdefault(name, []).append(stage)
        yield collapse(dataset_name(dataset), directions, norms, seen)
        yield from _apart(study, dataset)


def _shrunk(study: LayerwiseStudy, dataset: str, name: str, stage: str) -> dict[int, float]:
    """By seed, the smallest ratio of norms at the end over that at the first reading."""
    ends = study.last_by_seed(SMALLEST, dataset, name, stage)
    starts = study.last_by_seed(SMALLEST, dataset, name, stage, first=True)
    return {seed: ends[seed] / starts[seed] for seed in ends if starts.get(seed, 0.0) > 0}


def collapse(
    where: str,
    directions: Mapping[str, Sequence[str]],
    norms: Mapping[str, Sequence[str]],
    seen: int,
) -> str:
    """Which stages end with all outputs in one direction, or with an output that is nearly zero."""
    if not seen:
        return say.absent(f"a run on {where} that ended with its stages looked at")
    parts = []
    if directions:
        parts.append(f"outputs point one way at the end in {_stages(directions)}")
    if norms:
        parts.append(f"the smallest output is nearly gone at the end in {_stages(norms)}")
    if not parts:
        return f"On {where}, no stage of any variant collapses, by either measure."
    return f"On {where}, {'; '.join(parts)}."


def _stages(found: Mapping[str, Sequence[str]]) -> str:
    if len(found) > 6:
        return f"some stage of {named(found)}"
    return f.listed([f"{code(name)} ({named(stages)})" for name, stages in found.items()])


def _apart(study: LayerwiseStudy, dataset: str) -> Iterator[str]:
    """The cosines of the last hidden stage: same labels minus different ones."""
    stages = study.stages()
    if len(stages) < 2:
        return
    gaps: dict[str, Interval] = {}
    for name in study.runs:
        same = study.last_by_seed(SAME, dataset, name, stages[-2])
        different = study.last_by_seed(DIFFERENT, dataset, name, stages[-2])
        gaps[name] = paired_difference(same, different)
    known = {name: gap for name, gap in gaps.items() if f.defined(gap.mean)}
    if known:
        yield apart(dataset_name(dataset), code(stages[-2]), known)


def apart(where: str, stage: str, gaps: Mapping[str, Interval]) -> str:
    """Where classes end furthest apart and nearest."""
    most = max(gaps, key=lambda name: gaps[name].mean)
    least = min(gaps, key=lambda name: gaps[name].mean)

    def size(name: str) -> str:
        gap = gaps[name]
        return f"{code(name)}, {f.estimate(gap.mean, gap.low, gap.high)}"

    text = (
        f"On {where}, the mean cosine of pairs with the same label exceeds that of other pairs at the "
        f"output of {stage} by most in {size(most)}"
    )
    return f"{text}, and by least in {size(least)}." if most != least else f"{text}."


def angles(study: LayerwiseStudy) -> Iterator[str]:
    """The angle to the true gradient, of each stage but the last, averaged over a run."""
    every = study.staged(ANGLE)
    if every.empty:
        yield say.absent("the angle between the gradients")
        return
    for dataset in study.datasets:
        for stage in study.stages()[:-1]:
            found: dict[str, Interval] = {}
            for name in study.local:
                # A stage that is tuned with the whole network has the true gradient by then.
                if study.runs[name]["strategy"].get("fine_tune"):
                    continue
                chosen = (every["dataset"] == dataset) & (every["variant"] == name)
                rows = every[chosen & (every["stage"] == stage)]
                if len(rows):
                    means = rows.groupby("seed")["value"].mean()
                    found[name] = mean_interval([float(value) for value in means])
            if found:
                yield angle_sentence(dataset_name(dataset), code(stage), found)


def angle_sentence(where: str, stage: str, found: Mapping[str, Interval]) -> str:
    """Whether the signal's step would lower the network's loss, on average over the run."""
    groups = sorted_out(
        {
            name: Interval(
                each.mean - RIGHT_ANGLE,
                each.sd,
                each.n,
                each.low - RIGHT_ANGLE,
                each.high - RIGHT_ANGLE,
            )
            for name, each in found.items()
        }
    )
    words = {
        BELOW: "below a right angle",
        ABOVE: "above a right angle",
        OPEN: "not separated from a right angle",
        ALONE: "without interval",
    }
    known = {name: each.mean for name, each in found.items() if not math.isnan(each.mean)}
    text = f"At {stage} on {where} the mean angle is {compared(groups, words)}"
    if known:
        nearest = min(known, key=lambda name: known[name])
        text += f"; smallest in {code(nearest)}, {f.decimal(known[nearest], 0)} degrees"
    return text + "."

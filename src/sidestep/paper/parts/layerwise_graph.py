"""What the graph of loss against seconds shows: who is below the baseline, and when the top learns."""

import math
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.layerwise_scores import lowest
from sidestep.paper.parts.layerwise_study import LOSS, LayerwiseStudy
from sidestep.paper.parts.layerwise_words import code, named, verb
from sidestep.paper.parts.study import each_row
from sidestep.paper.parts.words import dataset_name


def graph(study: LayerwiseStudy) -> Iterator[str]:
    """A few sentences on each data set."""
    if study.analysis("timeline").empty:
        yield say.absent("loss against time")
        return
    for dataset in study.datasets:
        where = dataset_name(dataset)
        if not study.timed(dataset):
            yield untimed(where)
            continue
        yield lasting(where, {name: study.seconds(dataset, name) for name in study.runs})
        yield ending(where, *lowest(study, dataset, LOSS))
        below, without = _below(study, dataset)
        yield bands(where, code(study.baseline), below, without, study.local)
        yield top_learns(where, _last_phase(study, dataset))


def untimed(where: str) -> str:
    """A data set that no timing job ran on."""
    return f"On {where} no step was timed, so that its curves have no place on an axis of seconds."


def lasting(where: str, seconds: Mapping[str, float]) -> str:
    """From the shortest run to the longest."""
    known = {name: value for name, value in seconds.items() if f.defined(value)}
    short, long = min(known, key=lambda name: known[name]), max(known, key=lambda name: known[name])
    if short == long:
        return f"On {where}, the run of {code(short)} lasts {f.duration(known[short])}."
    return (
        f"On {where}, the shortest run is that of {code(short)} ({f.duration(known[short])}) and the "
        f"longest that of {code(long)} ({f.duration(known[long])}), for the same number of steps."
    )


def ending(where: str, name: str, equals: Sequence[str]) -> str:
    """Whose curve ends lowest."""
    if not name:
        return f"No curve of {where} comes to its end."
    text = f"The curve that ends lowest on average is that of {code(name)}"
    if equals:
        return f"{text}, not separated by its intervals from {named(equals)}."
    return f"{text}."


def bands(
    where: str,
    baseline: str,
    below: Sequence[str],
    without: Sequence[str],
    local: Sequence[str],
) -> str:
    """Which variants with local signals are at some moment below the baseline with all of their seeds."""
    tried = [name for name in local if name not in without]
    if not tried:
        return say.absent(f"a band of a variant with local signals on {where}")
    if below:
        rest = [name for name in tried if name not in below]
        text = (
            f"At some moment, every seed of {named(below, 'or')} has a lower loss than every seed of "
            f"{baseline} has at its next evaluation"
        )
        return f"{text}; that is never so of {named(rest, 'or')}." if rest else f"{text}."
    return (
        f"At no moment does every seed of a variant with local signals have a lower loss than every seed "
        f"of {baseline} has at its next evaluation."
    )


def _below(study: LayerwiseStudy, dataset: str) -> tuple[list[str], list[str]]:
    """Variants whose band is below the baseline's at some evaluation, and variants without a band.

    The baseline's evaluation at that moment or the next one after it is what counts, and its last one
    when it has ended: so what it may have gained between two evaluations is in its favour.
    """
    rows = study.rows("timeline", dataset=dataset, split="test", quantity=LOSS)
    rows = rows[(rows["seconds"] > 0) & (rows["n"] + rows["diverged"] > 0)]
    baseline = rows[rows["variant"] == study.baseline].sort_values("seconds")
    below, without = [], []
    for name in study.local:
        mine = rows[(rows["variant"] == name) & (rows["diverged"] == 0)]
        if mine.empty or baseline.empty or (baseline["diverged"] > 0).any():
            without.append(name)
        elif any(row.high < _at(baseline, row.seconds) for row in each_row(mine)):
            below.append(name)
    return below, without


def _at(baseline: pd.DataFrame, seconds: float) -> float:
    later = baseline[baseline["seconds"] >= seconds]
    row = later.iloc[0] if len(later) else baseline.iloc[-1]
    return float(row["low"])


def _last_phase(study: LayerwiseStudy, dataset: str) -> dict[str, float]:
    """Variant trained in turn → the share of its seconds before its last stage first learns."""
    found = {}
    for name in study.in_turn:
        rows = study.rows("phase_cost", dataset=dataset, variant=name)
        share = 0.0
        last = study.stages()[-1]
        for row in each_row(rows):
            if row.phase == last or row.phase not in study.stages():
                break
            share += row.share_of_seconds
        if len(rows) and not math.isnan(share):
            found[name] = share
    return found


def top_learns(where: str, shares: Mapping[str, float]) -> str:
    """How long the whole network's loss says nothing, because its last stage is as it was drawn."""
    if not shares:
        return say.absent(f"when the last stage begins to learn on {where}")
    low, high = min(shares.values()), max(shares.values())
    some = f.percent(low, 0)
    span = some if some == f.percent(high, 0) else f"{some} to {f.percent(high, 0)}"
    return (
        f"Where blocks are trained in turn ({named(shares)}), the last stage begins to learn after {span} of "
        f"the {verb(list(shares), 'run', 'runs')}; until then the whole network's loss is that of an "
        "untrained top, and says nothing about the blocks below."
    )

"""What each phase costs: operations that were counted, beside time that was measured alone."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.layerwise_study import LayerwiseStudy
from sidestep.paper.parts.layerwise_words import code, plain
from sidestep.paper.parts.study import each_row
from sidestep.paper.parts.words import dataset_name
from sidestep.sweeps import main_variants

# Rows that a table can have on one page.
MOST_ROWS = 50


def cost(study: LayerwiseStudy) -> dict[str, Any]:
    """The table of phases on the first data set that was timed, and what it shows on each."""
    found = study.analysis("phase_cost")
    timed = [d for d in study.datasets if study.timed(d)]
    head = ["Variant", "Phase", "Steps", "Operations", "Before", "ms per step", "ns each"]
    head += ["s", "% of s", "Relative"]
    table: dict[str, Any] = {"head": head, "rows": [], "timed_on": "none", "left_out": ""}
    if found.empty:
        return {**table, "sentences": [say.absent("what a step of each phase costs")]}
    where = timed[0] if timed else study.datasets[0]
    rows = found[found["dataset"] == where]
    main = main_variants(study.tables.study)
    shown = rows[rows["variant"].isin(main)]
    kept = _whole_variants(shown)
    table["rows"] = [_row(row) for row in each_row(kept)]
    table["timed_on"] = dataset_name(where)
    left = len(set(rows["variant"])) - len(set(kept["variant"]))
    table["left_out"] = f.plural(left, "more variant") if left else ""
    return {**table, "sentences": list(_sentences(study, found, timed))}


def _whole_variants(rows: pd.DataFrame) -> pd.DataFrame:
    """As many variants as a page has room for, each with all of its phases."""
    kept, total = [], 0
    for name, cell in rows.groupby("variant", sort=False):
        total += len(cell)
        if total > MOST_ROWS:
            break
        kept.append(name)
    return rows[rows["variant"].isin(kept)]


def _row(row: Any) -> list[str]:
    return [
        plain(row.variant),
        plain(row.phase),
        f.count(row.steps) if f.defined(row.steps) else "–",
        f.scaled(row.mult_adds),
        f.scaled(row.mult_adds_entry) if row.cached else "–",
        f"{f.milliseconds(row.seconds)} [{f.milliseconds(row.q1)}, {f.milliseconds(row.q3)}]"
        if f.defined(row.seconds)
        else "–",
        f.significant(row.nanoseconds, 2) if f.defined(row.nanoseconds) else "–",
        f.significant(row.seconds_phase) if f.defined(row.seconds_phase) else "–",
        f.bare_percent(row.share_of_seconds, 0) if f.defined(row.share_of_seconds) else "–",
        f.significant(row.relative_speed, 2) if f.defined(row.relative_speed) else "–",
    ]


def _sentences(study: LayerwiseStudy, found: pd.DataFrame, timed: list[str]) -> Iterator[str]:
    if not timed:
        yield say.absent("the time of a step, for no step was timed")
        return
    for dataset in timed:
        rows = found[(found["dataset"] == dataset) & found["nanoseconds"].notna()]
        where = dataset_name(dataset)
        each = {(str(r.variant), str(r.phase)): float(r.nanoseconds) for r in each_row(rows)}
        yield spread(where, each)
        yield from last_block(study, dataset)


def spread(where: str, nanoseconds: Mapping[tuple[str, str], float]) -> str:
    """How far the time of one operation differs between phases."""
    if len(nanoseconds) < 2:
        return say.absent(f"two phases on {where} whose time per operation could be compared")
    cheap = min(nanoseconds, key=lambda key: nanoseconds[key])
    dear = max(nanoseconds, key=lambda key: nanoseconds[key])
    low, high = nanoseconds[cheap], nanoseconds[dear]

    def phase(key: tuple[str, str]) -> str:
        return f"phase {code(key[1])} of {code(key[0])}"

    return (
        f"If the count of operations told the time, each would take the same time. On {where} one takes from "
        f"{f.significant(low, 2)} nanoseconds in {phase(cheap)} to {f.significant(high, 2)} in "
        f"{phase(dear)}, {f.significant(high / low, 2)} times as long."
    )


def last_block(study: LayerwiseStudy, dataset: str) -> Iterator[str]:
    """The speed of the last block's training from outputs that are kept, on one data set."""
    rows = study.rows("phase_cost", dataset=dataset, phase=study.stages()[-1], cached=1)
    if len(rows):
        alone = [name for name in study.in_turn if _alone(study, name)]
        rows = rows[rows["relative_speed"].notna() & rows["variant"].isin(alone)]
    if rows.empty:
        yield say.absent(
            f"a last block on {dataset_name(dataset)} that is trained from kept outputs"
        )
        return
    slow = min(each_row(rows), key=lambda row: float(row.relative_speed))
    work = float(slow.relative_mult_adds)
    yield speed(
        dataset_name(dataset),
        code(study.baseline),
        code(slow.variant),
        len(rows),
        float(slow.relative_speed),
        float(slow.relative_speed_with_entry),
        1 / work if work > 0 else math.nan,
    )


def _alone(study: LayerwiseStudy, variant: str) -> bool:
    """Whether a variant's last block is the last stage and no other."""
    stages = study.stages()
    return stages[-2] in (study.runs[variant]["strategy"].get("ends") or stages)


def speed(
    where: str,
    baseline: str,
    variant: str,
    number: int,
    alone: float,
    entered: float,
    operations: float,
) -> str:
    """Steps per second of the last block against training end to end."""
    which = f"the slowest of {f.count(number)}, in {variant}," if number > 1 else f"in {variant}"
    text = (
        f"On {where}, the last block, trained from kept outputs, {which} makes "
        f"{f.significant(alone)} times the steps per second of {baseline}"
    )
    if f.defined(entered):
        text += f", {f.significant(entered)} times with the time to compute those outputs spread over its steps"
    if f.defined(operations):
        text += (
            f"; by operations alone a step is smaller by a factor of {f.significant(operations)}"
        )
    return text + "."

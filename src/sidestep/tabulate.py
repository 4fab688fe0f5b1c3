"""One tidy table a study: every metric of every run, what the runs cost, and how they learned.

Rows are streamed, so that a study of 20,000 runs needs no more memory than one of ten.
"""

import csv
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from sidestep import entries, fingerprint, layout, runs, seals
from sidestep.errors import UserError
from sidestep.files import replacing, sha256
from sidestep.provenance import Provenance
from sidestep.study import Study, Variant

INDEX = ("seed", "epoch", "images", "metric", "component", "value")
SCORES = ("loss", "accuracy", "r2")
HISTORY = ("epoch", "split", "step", *SCORES)
PROBES = ("probe", "stage", "epoch", "images", "step", "value")
COST = (
    "parameters",
    "parameters_of_signals",
    "mult_adds_forward_per_image",
    "mult_adds_closed",
    "stored_bytes",
    "peak_memory_bytes",
    "seconds_train",
    "steps",
)


def tabulate(study: Study, output: Path, root: Path = layout.RESULTS) -> None:
    """Check every run and measure of a study and write `study,dataset,variant,…,metric,value`.

    With what the runs were made is written beside the table (`<table>.provenance.json`).

    Raises:
        UserError: a result is missing, damaged, of another config or of other code.
    """
    made_with = Provenance()
    with replacing(output) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("study", "dataset", "variant", *study.columns, *INDEX))
        for dataset in study.datasets:
            for variant in study.variants:
                place = [study.name, dataset, variant.name]
                place += [variant.columns.get(column, "") for column in study.columns]
                cell = _cell(study, dataset, variant, root, made_with)
                writer.writerows([*place, *row] for row in cell)
    made_with.write(study.name, output.with_suffix(".provenance.json"))
    seals.write_beside(output)


def _cell(
    study: Study, dataset: str, variant: Variant, root: Path, made_with: Provenance
) -> Iterator[list[Any]]:
    """Rows of one data set and variant, without the columns that say so; notes with what the runs were made."""
    cell = (study.name, dataset, variant.name)
    for seed in study.seeds:
        run = study.run(*cell[1:], seed)
        folder = layout.run(*cell, seed, root)
        summary = runs.check(folder, run, fingerprint.of(entries.train(run)))
        made_with.add(run, folder, summary)
        yield from _summary_rows(seed, run["epochs"], summary)
        for epoch, split, step, *scores in _lines(folder / "history.csv", HISTORY):
            for name, score in zip(SCORES, scores, strict=True):
                # A run has an accuracy or an R².
                if score or name != "r2":
                    yield [seed, epoch, split, f"history_{name}", step, score]
        for probe, stage, epoch, *rest in _lines(folder / "probes.csv", PROBES):
            images, step, value = rest
            yield [seed, epoch, images, f"probe_{probe}.{stage}", step, value]
    if study.measured:
        task = study.measure_task(dataset, variant.name)
        folder = layout.measures(*cell, root)
        measured = runs.check(folder, task, fingerprint.of(entries.measure(task)))
        digests = {
            str(seed): sha256(layout.run(*cell, seed, root) / "summary.json")
            for seed in study.seeds
        }
        if measured.get("runs") != digests:
            raise UserError(
                f"{folder} was measured on other runs than there are today: delete "
                f"{folder / 'summary.json'} and run again"
            )
        yield from map(list, _lines(folder / "metrics.csv", INDEX))
    if dataset in study.timing_datasets:
        timing = runs.timing(study, dataset, root)["variants"][variant.name]
        for name, phase in timing["phases"].items():
            yield ["", "", "", f"phase_steps.{name}", "", phase["steps"]]
            yield ["", "", "", f"seconds_entry.{name}", "", phase["seconds_entry"]]
            for quantity in ("q1", "median", "q3"):
                yield ["", "", "", f"seconds_per_step_{quantity}.{name}", "", phase[quantity]]
        for quantity, value in timing["forward"].items():
            yield ["", "", "", f"seconds_forward_{quantity}", "", value]
        yield ["", "", "", "seconds_run", "", timing["seconds_run"]]


def _lines(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Columns of a CSV file, row by row: most of the time of a table goes into this."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        head = next(rows)
        yield from map(itemgetter(*map(head.index, columns)), rows)


def _summary_rows(seed: int, epochs: int, summary: dict[str, Any]) -> Iterator[list[Any]]:
    yield [seed, epochs, "", "diverged", "", int(summary["status"] == "diverged")]
    for name in COST:
        yield [seed, epochs, "", name, "", summary[name]]
    for phase, count in summary["mult_adds_per_training_step"].items():
        yield [seed, epochs, "", f"mult_adds_per_step.{phase}", "", count]
    for phase, count in summary["mult_adds_per_entry"].items():
        yield [seed, epochs, "", f"mult_adds_per_entry.{phase}", "", count]

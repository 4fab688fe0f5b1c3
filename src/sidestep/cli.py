"""The command line: one command a step of the pipeline, and the same ones that Snakemake runs.

A job's modules are imported inside its command, so that each process loads only what it uses.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sidestep import layout, planned
from sidestep.errors import UserError
from sidestep.files import short_digest
from sidestep.registry import names


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; bad input is one sentence on standard error and exit code 2."""
    options = _parser().parse_args(arguments)
    # One thread a job in NumPy too: its library would start one per core, and its sums would depend
    # on how many there are. Torch's threads follow the config.
    for library in ("OPENBLAS", "MKL", "OMP"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    # Snakemake stops a job with SIGTERM: as an exception, it lets half-made files be removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        options.fingerprint = _planned_fingerprint(options)
        options.command(options)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except BrokenPipeError:
        # Whoever read what we say has stopped, as `head` does: nothing more is said, at our end neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
    except OSError as error:
        # A full disk, a folder that may not be written: the machine's fault, told without a traceback.
        where = f" ({error.filename})" if error.filename else ""
        print(f"error: {error.strerror or error}{where}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        raise SystemExit(130) from None


def _planned_fingerprint(options: argparse.Namespace) -> str:
    """Of the code that the job was planned with; empty if nobody says."""
    code = getattr(options, "code", None)
    if code is None:
        return ""
    from sidestep import fingerprint

    fingerprint.REMEMBERED.load(layout.sources(options.root))
    return short_digest(planned.read(code))


def _fetch(options: argparse.Namespace) -> None:
    from sidestep.data.fetch import fetch

    output = options.output or layout.data(options.dataset)
    fetch(options.dataset, output, options.folder, _say)


def _train(options: argparse.Namespace) -> None:
    from sidestep.study import runs_of
    from sidestep.training.batch import run_batch

    run = _json(options.run)
    seeds = options.seeds or [run["seed"]]
    datasets = options.datasets or [run["dataset"]]
    for option, given in (("--seeds", seeds), ("--datasets", datasets)):
        twice = [one for index, one in enumerate(given) if one in given[:index]]
        if twice:
            raise UserError(f"{option} lists {twice[0]} twice")
    if options.output and len(seeds) * len(datasets) > 1:
        raise UserError(
            "--output is the folder of one run: give one data set and one seed, or --root"
        )
    if options.data and len(datasets) > 1:
        raise UserError("--data is the file of one data set: give one, or --root")
    run_batch(
        list(runs_of(run, datasets, seeds)),
        options.fingerprint,
        options.root,
        data=options.data,
        output=options.output,
        say=_say,
        checkpoint_seconds=options.checkpoint_seconds,
    )


def _time(options: argparse.Namespace) -> None:
    from sidestep import entries
    from sidestep.training.timing import time_job

    study = _study(options.study)
    runs = study.timed_runs(options.dataset)
    time_job(
        runs,
        options.fingerprint,
        entries.timing(runs.values()),
        options.data or layout.data(options.dataset, options.root),
        options.output or layout.timing(study.name, options.dataset, options.root),
        steps=study.timing_steps,
        threads=options.threads,
        say=_say,
    )


def _measure(options: argparse.Namespace) -> None:
    from sidestep.measuring.job import measure_job

    task = _json(options.task)
    run = task["run"]
    cell = (run["study"], run["dataset"], run["variant"])
    folders = {seed: layout.run(*cell, seed, options.root) for seed in task["seeds"]}
    measure_job(
        task,
        options.fingerprint,
        options.data or layout.data(run["dataset"], options.root),
        folders,
        options.output or layout.measures(*cell, options.root),
        _say,
    )


def _tabulate(options: argparse.Namespace) -> None:
    from sidestep import entries
    from sidestep.tabulate import tabulate

    study = _study(options.study)
    with _Checked(options.fingerprint, entries.tabulate()):
        tabulate(study, options.output or layout.table(study.name, "", options.root), options.root)


def _analyse(options: argparse.Namespace) -> None:
    from sidestep import entries
    from sidestep.analyse import analyse_job

    study = _study(options.study)
    output = options.output or layout.table(study.name, options.name, options.root)
    with _Checked(options.fingerprint, entries.analyse(study, options.name)):
        analyse_job(study, options.name, output, options.root)


def _plot(options: argparse.Namespace) -> None:
    from sidestep import entries
    from sidestep.plot import plot_job

    study = _study(options.study)
    outputs = {
        suffix: layout.figure(study.name, options.name, suffix, options.root)
        for suffix in ("svg", "png", "csv")
    }
    with _Checked(options.fingerprint, entries.plot(options.name)):
        plot_job(study, options.name, outputs, options.root)


def _numbers(options: argparse.Namespace) -> None:
    from sidestep import entries
    from sidestep.numbers import numbers_job

    studies = [_study(path) for path in options.study]
    figures = [thing["name"] for study in studies for thing in study.figures]
    code = entries.numbers([study.name for study in studies], figures)
    with _Checked(options.fingerprint, code):
        output = options.output or options.root / "numbers.json"
        numbers_job(options.size, studies, output, options.root)


def _typeset(options: argparse.Namespace) -> None:
    from sidestep.typeset import typeset_job

    typeset_job(options.source, options.root, options.output or options.root / "paper.pdf")


def _verify(options: argparse.Namespace) -> None:
    from sidestep import seals

    for path in options.files:
        seals.check_beside(path)


def _check(options: argparse.Namespace) -> None:
    from sidestep.config import load

    config = load(*options.config)
    for study in config.every_study.values():
        runs = len(study.datasets) * len(study.variants) * len(study.seeds)
        _say(f"{study.name}: {runs} runs of {len(study.variants)} variants")


def _status(options: argparse.Namespace) -> None:
    from sidestep.config import load
    from sidestep.watch import watch

    watch(load(*options.config), options.root, repeat=options.watch)


class _Checked:
    """Check the code's fingerprint before and after a job."""

    def __init__(self, given: str, entries: frozenset[str]) -> None:
        self.given, self.entries = given, entries
        self.before: frozenset[str] = frozenset()

    def __enter__(self) -> None:
        from sidestep import fingerprint

        self.before = fingerprint.check_at_start(self.given, self.entries)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        from sidestep import fingerprint

        if kind is None:
            fingerprint.check_at_end(self.entries, self.before)


def _study(path: Path) -> Any:
    from sidestep.study import Study

    text = planned.read(path)
    try:
        return Study.from_json(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} does not hold a resolved study ({error})") from None


def _json(text: str) -> dict[str, Any]:
    """A JSON mapping given as text, or as `@file`."""
    if text.startswith("@"):
        text = planned.read(Path(text[1:]))
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UserError(f"the config given is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise UserError("the config given must be a JSON mapping")
    return value


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sidestep", description="The steps of the pipeline, each a command."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, command: Any, text: str, *, code: bool = False, output: bool = False
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command)
        sub.add_argument("--root", type=Path, default=layout.RESULTS, help="the results folder")
        if code:
            sub.add_argument("--code", type=Path, help="what planning wrote of the job's code")
        if output:
            sub.add_argument("--output", type=Path, help="file or folder to write")
        return sub

    sub = add("fetch", _fetch, "Fetch a data set and check its digest.", output=True)
    sub.add_argument("dataset", help=f"one of: {', '.join(names('datasets'))}")
    folder = os.environ.get("SIDESTEP_DATA")
    sub.add_argument(
        "--folder",
        type=Path,
        default=Path(folder) if folder else None,
        help="a folder with the data set's files (default: $SIDESTEP_DATA)",
    )

    sub = add(
        "train",
        _train,
        "Train one run, or the same on several data sets, with several seeds.",
        code=True,
        output=True,
    )
    sub.add_argument("--run", required=True, help="the run's config, as JSON or @file")
    sub.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        help="to train, one after the other, instead of the run's own",
    )
    sub.add_argument("--datasets", nargs="+", help="to train on, instead of the run's own")
    sub.add_argument("--data", type=Path, help="the data set's file")
    sub.add_argument("--checkpoint-seconds", type=float, default=20.0, help="between checkpoints")

    sub = add(
        "time",
        _time,
        "Time the training steps of a study, alone on the machine.",
        code=True,
        output=True,
    )
    sub.add_argument("dataset", help="to time on")
    sub.add_argument("--study", type=Path, required=True, help="the resolved study's JSON file")
    sub.add_argument("--data", type=Path, help="the data set's file")
    sub.add_argument("--threads", type=int, default=1, help="torch threads")

    sub = add(
        "measure", _measure, "Measure the finished runs of a variant.", code=True, output=True
    )
    sub.add_argument("--task", required=True, help="runs and metrics, as JSON or @file")
    sub.add_argument("--data", type=Path, help="the data set's file")

    for name, command, text in (
        ("tabulate", _tabulate, "Gather a study's results in one table."),
        ("analyse", _analyse, "Make one analysis of a study."),
        ("plot", _plot, "Draw one figure of a study."),
    ):
        # A figure is several files, whose places follow from its name.
        sub = add(name, command, text, code=True, output=name != "plot")
        if name != "tabulate":
            sub.add_argument("name", help="of the analysis or figure")
        sub.add_argument("--study", type=Path, required=True, help="the resolved study's JSON file")

    sub = add(
        "numbers", _numbers, "Gather the numbers that the paper quotes.", code=True, output=True
    )
    sub.add_argument("--study", type=Path, nargs="+", required=True, help="resolved studies")
    sub.add_argument("--size", required=True, help="what the config calls its size")

    sub = add("typeset", _typeset, "Typeset the paper.", output=True)
    sub.add_argument("--source", type=Path, default=Path("paper/paper.typ"), help="Typst file")

    sub = add("verify", _verify, "Compare tables and figures with their digests.")
    sub.add_argument("files", type=Path, nargs="*", help="tables (.csv) or pictures (.svg, .png)")

    for name, command, text in (
        ("check", _check, "Check config files whole."),
        ("status", _status, "Show what is done, running and failed."),
    ):
        sub = add(name, command, text)
        sub.add_argument(
            "--config", type=Path, nargs="+", default=[Path("config.yaml")], help="config files"
        )
        if name == "status":
            sub.add_argument("--watch", action="store_true", help="repeat until all is done")
    return parser

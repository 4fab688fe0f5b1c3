"""From which modules each job's code is reached: what its fingerprint covers.

A job that is added to the pipeline adds its function here; the workflow and the command line both
take a job's entries from here, so that what is planned is what is checked.
"""

from collections.abc import Iterable
from typing import Any

from sidestep import settings
from sidestep.registry import names
from sidestep.study import Study

_PARTS = {
    "strategy": "strategies",
    "optimiser": "optimisers",
    "schedule": "schedules",
}


def _of_run(run: dict[str, Any]) -> set[str]:
    parts = {f"sidestep.datasets.{run['dataset']}"}
    for key, kind in _PARTS.items():
        for inner, thing in ((kind, run[key]), *settings.nested(kind, run[key])):
            parts.add(f"sidestep.{inner}.{thing['name']}")
    parts |= _of_network(run)
    if run["teacher"]:
        parts |= _of_network(run["teacher"])
    for kind in ("augmentations", "probes"):
        parts |= {f"sidestep.{kind}.{thing['name']}" for thing in run[kind]}
    return parts


def _of_network(run: dict[str, Any]) -> set[str]:
    """A run's network with the layers and gates that it names."""
    things = [("networks", run["network"]), *settings.nested("networks", run["network"])]
    things += [("gates", gate) for gate in run["gates"].values()]
    return {f"sidestep.{kind}.{thing['name']}" for kind, thing in things}


def train(*runs: dict[str, Any]) -> frozenset[str]:
    """Of a training job of these runs."""
    return frozenset({"sidestep.training.job", *(part for run in runs for part in _of_run(run))})


def timing(runs: Iterable[dict[str, Any]]) -> frozenset[str]:
    """Of a timing job."""
    parts = {part for run in runs for part in _of_run(run)}
    return frozenset({"sidestep.training.timing", *parts})


def measure(task: dict[str, Any]) -> frozenset[str]:
    """Of a measuring job, whose config is `Study.measure_task`."""
    named = {f"sidestep.metrics.{thing['name']}" for thing in task["metrics"]}
    named |= {f"sidestep.group_metrics.{thing['name']}" for thing in task["group_metrics"]}
    run = task["run"]
    place = {f"sidestep.datasets.{run['dataset']}", *_of_network(run)}
    return frozenset({"sidestep.measuring.job", *named, *place})


def tabulate() -> frozenset[str]:
    """Of a tabulating job."""
    return frozenset({"sidestep.tabulate"})


def analyse(study: Study, name: str) -> frozenset[str]:
    """Of an analysis, which may look at its study's data and networks too."""
    parts = {f"sidestep.datasets.{dataset}" for dataset in study.datasets}
    for variant in study.variants:
        parts |= _of_network(variant.run)
    return frozenset({"sidestep.analyse", f"sidestep.analyses.{name}", *parts})


def plot(name: str) -> frozenset[str]:
    """Of a figure."""
    return frozenset({"sidestep.plot", f"sidestep.figures.{name}"})


def numbers(studies: Iterable[str], figures: Iterable[str]) -> frozenset[str]:
    """Of the job that gathers the numbers of those studies that have a section in the paper.

    It reads the figures' captions, though it imports no figure.
    """
    sections = {f"sidestep.paper.{name}" for name in studies if name in names("paper")}
    drawn = {f"sidestep.figures.{name}" for name in figures}
    return frozenset({"sidestep.numbers", *sections, *drawn})

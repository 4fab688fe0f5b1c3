"""Losses that are no number or explode, in every strategy: `diverged` is a result, and others work on it."""

import itertools
import math
import warnings

import pytest
import torch

from faults import FULL, held, read_rows, sample, strictly
from made_things import UNGATED, thing
from sidestep import entries, fingerprint, layout, registry, runs
from sidestep.building import build_network
from sidestep.data.load import load, split
from sidestep.measuring.group import Group
from sidestep.measuring.job import measure, measure_job
from sidestep.measuring.snapshot import Library, Snapshot
from sidestep.settings import stages_of
from sidestep.study import Study, Variant
from sidestep.tabulate import tabulate
from sidestep.training import job, loop
from sidestep.training.optimiser import Focus
from sidestep.training.setup import signals_of

STEPS = 8  # two epochs of four
PROBES = [{"name": name} for name in registry.names("probes")]
NETWORKS = ("mlp", "mnist_cnn", "evolving")
# The latter of a first stage that is a linear layer.
METRICS = ({"name": "scores"},)
OF_NEURONS = ({"name": "dead_neurons"}, {"name": "spread"})


def strategies():
    """Every strategy on every kind of network that it can train, and `rounds` with every edit."""
    for name, network in itertools.product(registry.names("strategies"), NETWORKS):
        if network in UNGATED and name in ("size_later", "two_phase"):
            continue
        if name == "rounds":
            graph = network == "evolving"
            for edit in registry.names("edits"):
                if graph == (edit == "evolve"):
                    made = {**thing("strategies", name), "edit": thing("edits", edit)}
                    yield f"{name} {edit}", network, made
        else:
            yield name, network, thing("strategies", name)


class Fault:
    """What is done to a training job; `None` for nothing."""

    def __init__(self, monkeypatch, kind, step):
        self.kind, self.step, self.count = kind, step, 0
        self.task = None
        make, update, batch = job.make_task, Focus.update, loop.Task.batch

        def made(*words):
            self.task = make(*words)
            if kind == "signal":
                for signal in signals_of(self.task.phases):
                    self._infinite(signal)
            return self.task

        def updated(focus, factor):
            update(focus, factor)
            self.count += 1
            if kind in ("nan", "inf", "huge") and self.count == step:
                value = {"nan": math.nan, "inf": math.inf, "huge": 3e38}[kind]
                with torch.no_grad():
                    for parameter in self.task.network.parameters():
                        parameter.fill_(value)

        def gathered(task, chosen):
            found = batch(task, chosen)
            if kind == "inputs" and self.count + 1 >= step:
                found.images[0, 0, 0, 0] = math.nan
            return found

        monkeypatch.setattr(job, "make_task", made)
        monkeypatch.setattr(Focus, "update", updated)
        monkeypatch.setattr(loop.Task, "batch", gathered)

    def _infinite(self, signal):
        forward = signal.forward

        def infinite(*words):
            loss = forward(*words)
            # The plan's first count of operations is one call; each step has one more.
            return loss * math.inf if self.count + 1 >= self.step else loss

        signal.forward = infinite


def _turned(cases, by):
    by %= len(cases)
    return cases[by:] + cases[:by]


FAULTS = (
    ("rate", 0),
    *(("signal", step) for step in (1, 4, 5)),
    # Later than in the first phase, what frozen stages said of the inputs may be kept.
    *(("inputs", step) for step in (1, 4)),
    *itertools.product(("nan", "inf"), range(1, STEPS + 1)),
    ("huge", 3),
    ("huge", STEPS),
)
CASES = [
    (*strategy, *fault, probes)
    for strategy in strategies()
    for fault in FAULTS
    for probes in (False, True)
]
# All strategies among the few, and other cases of each.
NAMES = list(dict.fromkeys((name, network) for name, network, *_ in CASES))
CHOSEN = [
    case
    for index, pair in enumerate(NAMES)
    for case in sample(_turned([c for c in CASES if (c[0], c[1]) == pair], 7 * index), 2)
]


def study_of(run, teacher):
    """A study of two seeds of which the run is one."""
    place = ("study", "dataset", "variant", "seed")
    rest = {key: value for key, value in run.items() if key not in place}
    variants = [Variant(run["variant"], {}, rest)]
    if teacher:
        variants[0].run["teacher"] = "teacher"
        theirs = {key: value for key, value in teacher.items() if key not in place}
        variants.append(Variant("teacher", {}, theirs))
    return Study(
        name=run["study"],
        title="T",
        datasets=(run["dataset"],),
        seeds=(3, 4),
        variants=tuple(variants),
        baseline=run["variant"],
        timing_datasets=(),
        timing_steps=3,
        metrics=METRICS + (OF_NEURONS if run["network"]["name"] == "mlp" else ()),
        group_metrics=(),
        analyses=(),
        figures=(),
    )


def train_one(run, digits, root):
    teacher = run["teacher"]
    place = ("study", "dataset", "variant", "seed")
    job.run_job(
        run,
        "",
        entries.train(run),
        digits,
        layout.run(*(run[key] for key in place), root),
        teacher=layout.run(*(teacher[key] for key in place), root) if teacher else None,
        status=layout.status(*(run[key] for key in place), root),
        say=lambda _: None,
    )


def measured(study, variant, digits, root):
    """Rows of measures of both seeds."""
    task = study.measure_task("digits", variant)
    folders = {seed: layout.run(study.name, "digits", variant, seed, root) for seed in study.seeds}
    folder = layout.measures(study.name, "digits", variant, root)
    measure_job(task, "", digits, folders, folder, lambda _: None)
    return read_rows(folder / "metrics.csv")


@pytest.mark.parametrize(("name", "network", "strategy", "kind", "step", "probes"), CHOSEN)
def test_a_run_that_explodes_has_diverged(
    name, network, strategy, kind, step, probes, run, digits, tmp_path, monkeypatch
):
    described = {
        **run,
        "network": thing("networks", network),
        "strategy": strategy,
        "train_images": 256,
        "validation": 100,
        "evaluation_images": 60,
        "epochs": STEPS // 4,
        "records": [1, 2],
        "outputs": ["test"],
    }
    if network not in UNGATED:
        described["gates"] = {stages_of(network)[-2]: {"name": "flexible", "start": 2.0}}
    teacher = None
    if name == "distilled":
        teacher = {**described, "variant": "teacher", "strategy": {"name": "end_to_end"}}
    described["probes"] = PROBES if probes else []
    if kind == "rate":
        described["optimiser"] = {"name": "sgd", "lr": 1e30}
    study = study_of(described, teacher)
    variant = described["variant"]
    if teacher:
        for seed in study.seeds:
            train_one(study.run("digits", "teacher", seed), digits, tmp_path)
    # The other seed is spared, unless its settings are the fault.
    train_one(study.run("digits", variant, 4), digits, tmp_path)
    with monkeypatch.context() as patch, warnings.catch_warnings():
        # An overflow is what is meant to happen.
        warnings.simplefilter("ignore", RuntimeWarning)
        Fault(patch, kind, step)
        train_one(study.run("digits", variant, 3), digits, tmp_path)

    place = (study.name, "digits", variant, 3)
    folder = layout.run(*place, tmp_path)
    exploded = study.run("digits", variant, 3)
    summary = runs.check(folder, exploded, fingerprint.of(entries.train(exploded)))
    if kind == "huge":
        # It may recover, or have a loss that is a number; what is wrong is said all the same.
        lost = None in (scores["loss"] for scores in summary["final"].values())
        assert summary["status"] == "diverged" or not lost
    else:
        assert summary["status"] == "diverged"
        assert summary["diverged_at_step"] >= max(step, 1)
    for path in (*folder.glob("*.json"), layout.status(*place, tmp_path)):
        strictly(path)
    assert strictly(layout.status(*place, tmp_path))["state"] == summary["status"]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        rows = measured(study, variant, digits, tmp_path)
        if teacher:
            measured(study, "teacher", digits, tmp_path)
    for row in rows:
        assert row["value"] == "" or math.isfinite(float(row["value"]))
    if summary["status"] == "diverged":
        assert not [row for row in rows if row["seed"] == "3"]
    if kind != "rate":
        assert len([row for row in rows if row["seed"] == "4"]) > 1
    tabulate(study, tmp_path / "table.csv", tmp_path)
    told = {
        row["seed"]: row["value"]
        for row in read_rows(tmp_path / "table.csv")
        if (row["metric"], row["variant"]) == ("diverged", variant)
    }
    assert told["3"] == ("1" if summary["status"] == "diverged" else "0")
    held(f"loss: {KINDS[kind]}")


KINDS = {
    "rate": "enormous learning rate",
    "signal": "a signal that is infinite",
    "inputs": "NaN in the inputs",
    "nan": "weights become NaN at step k",
    "inf": "weights become infinite at step k",
    "huge": "weights become huge at step k",
}


@pytest.fixture(scope="module")
def library(digits):
    dataset = registry.load("datasets", "digits").DATASET
    parts = split(load(digits), 300)
    return Library(dataset, dict(parts)), tuple(parts)


SCALES = (0.0, 1e-30, 1e5, 1e10, 1e15, 1e20, 1e30, 3e38)
SCALED = list(itertools.product(SCALES, ("", "hidden", "output")))


@pytest.mark.parametrize(("scale", "stage"), sample(SCALED, 6))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_metric_measures_a_network_of_any_size(scale, stage, library):
    """Large weights need not be an infinite loss: such a run has finished."""
    library, parts = library
    kept = {}
    for seed in (0, 1):
        described = {"network": {"name": "mlp", "width": 24}, "gates": {"hidden": {"name": "open"}}}
        network = build_network({**described, "member": 0, "seed": seed}, library.dataset).eval()
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                if name.startswith(stage):
                    parameter.mul_(scale)
        snapshot = Snapshot(network, 1, True, seed, library, parts)
        things = [{"name": name} for name in registry.names("metrics")]
        rows, kept[seed] = measure(snapshot, things)
        assert len(rows) > 100
    for name in registry.names("group_metrics"):
        assert list(registry.load("group_metrics", name).measure(Group(1, kept)))
    held("loss: metrics of a network that exploded")


@pytest.mark.parametrize("scale", [1e20, 3e38])
def test_an_edit_does_not_stop_at_a_network_that_exploded(
    scale, run, digits, tmp_path, monkeypatch
):
    """Neurons whose spread is infinite, while the loss of the steps so far was finite."""
    run = {
        **run,
        "train_images": 256,
        "epochs": 2,
        "records": [2],
        "gates": {"hidden": {"name": "open"}},
        "strategy": {"name": "rounds", "rounds": 2, "edit": {"name": "by_mixture"}},
    }
    update, count = Focus.update, []

    def updated(focus, factor):
        update(focus, factor)
        count.append(1)
        if len(count) == 4:
            with torch.no_grad():
                focus.groups[0].parameters[0].fill_(scale)

    monkeypatch.setattr(Focus, "update", updated)
    train_one(run, digits, tmp_path)
    summary = layout.run("width", "digits", "width-8", 3, tmp_path) / "summary.json"
    assert strictly(summary)["status"] in ("finished", "diverged")
    held("loss: edit of a network that exploded")


def test_every_registered_strategy_and_edit_is_tried():
    assert {name.split()[0] for name, *_ in CHOSEN} == set(registry.names("strategies"))
    edits = {name.split()[1] for name, *_ in CHOSEN if " " in name}
    assert edits == set(registry.names("edits"))
    assert not FULL or len(CHOSEN) == len(CASES)

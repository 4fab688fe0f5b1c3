"""From a run's config to a `Task`: data on the device, network, phases, optimiser, schedule, probes.

What only the data or the built network can tell to be wrong (a signal that needs more images of a
class than a batch has, a stage that the teacher lacks) is told here, before the first step.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from sidestep import surgery
from sidestep.building import (
    build_network,
    dataset_of,
    draw,
    shapes_of,
    sized_alike,
)
from sidestep.contract import Batch, Model, Signal
from sidestep.data.dataset import Dataset
from sidestep.data.load import Images, load, normalise, split
from sidestep.data.prepare import prepare
from sidestep.errors import UserError
from sidestep.registry import arguments, unknown
from sidestep.registry import load as load_thing
from sidestep.seeds import derive, of_run
from sidestep.study import split_settings
from sidestep.training.loop import Augmentation, Task, class_counts
from sidestep.training.optimiser import Optimiser, decay_scales, named_parameters, own_settings
from sidestep.training.step import plan
from sidestep.training.view import Probe


def splits_of(
    run: dict[str, Any], dataset: Dataset, data: Path, device: torch.device, wanted: set[str]
) -> dict[str, Batch]:
    """The wanted splits, `train` among them, as networks see them, on the device.

    Of the test images those that are scored: nothing else is done with them.
    """
    parts = split(load(data), **split_settings(run))
    test, shown = parts["test"], run["evaluation_images"]
    parts["test"] = Images(test.images[:shown], test.labels[:shown])
    chosen = {name: part for name, part in parts.items() if name in wanted}
    return {
        name: Batch(inputs.to(device), labels.to(device))
        for name, (inputs, labels) in prepare(chosen, dataset).items()
    }


def make_task(
    run: dict[str, Any], data: Path, device: torch.device, teacher: Path | None = None
) -> Task:
    """Everything that the loop needs for one run, with its initial weights.

    Args:
        run: the resolved config.
        data: the data set's file.
        device: where to train.
        teacher: the file of the teacher's weights; without it a teacher has its initial ones, which
            is enough to time it.

    Raises:
        UserError: the strategy does not fit the network, or a signal not the data or the teacher.
    """
    dataset = dataset_of(run)
    network = build_network(run, dataset)
    taught_by = _teacher(run, dataset, device, teacher)
    if taught_by is not None and sized_alike(network, taught_by):
        draw(network, of_run(run))
    shapes = shapes_of(network, dataset.input_shape)
    model = Model(network, shapes, dataset.outputs, dataset.target, bool(run["validation"]))
    torch.manual_seed(derive(of_run(run), "strategy"))
    strategy = load_thing("strategies", run["strategy"]["name"])
    phases = strategy.phases(model, **arguments(run["strategy"]))
    network.to(device)
    signals = signals_of(phases)
    for signal in signals:
        signal.to(device)
    factor = load_thing("schedules", run["schedule"]["name"]).factor
    settings = arguments(run["schedule"])
    schedule: Callable[[float], float] = lambda progress: factor(progress, **settings)  # noqa: E731
    torch.manual_seed(derive(of_run(run), "training"))
    wanted = {"train", *run["evaluate"], *run["outputs"]}
    if any(phase.edit for phase in phases):
        wanted.add("validation")
    splits = splits_of(run, dataset, data, device, wanted)
    shown = run["evaluation_images"]
    task = Task(
        model=model,
        phases=phases,
        optimiser=Optimiser(
            run["optimiser"],
            named_parameters(network, signals),
            decay_scales(network) if run["substituted_decay"] == "scaled" else {},
            own_settings(network),
        ),
        schedule=schedule,
        splits=splits,
        evaluated={
            name: Batch(splits[name].images[:shown], splits[name].labels[:shown])
            for name in run["evaluate"]
        },
        evaluations=run["evaluations"],
        batch_size=run["batch_size"],
        epochs=run["epochs"],
        records=run["records"],
        augmentations=tuple(
            _augmentation(thing, dataset, device) for thing in run["augmentations"]
        ),
        teacher=taught_by,
        precision=run["precision"],
        probes={thing["name"]: _probe(thing) for thing in run["probes"]},
        seed=of_run(run),
    )
    _check_labels(task, dataset)
    _check_last_batch(task)
    _check_teacher(task)
    for phase, _, _ in task.spans:
        # Told now, not when the phase's turn comes.
        plan(list(network), phase)
    return task


def _probe(thing: dict[str, Any]) -> Probe:
    look, settings = load_thing("probes", thing["name"]).probe, arguments(thing)
    probe: Probe = lambda view: look(view, **settings)  # noqa: E731
    return probe


def _teacher(
    run: dict[str, Any], dataset: Dataset, device: torch.device, weights: Path | None
) -> nn.Sequential | None:
    if not run["teacher"]:
        return None
    network = build_network(run["teacher"], dataset)
    if weights is not None:
        kept = {k: v for k, v in load_file(weights).items() if not k.startswith("signals.")}
        surgery.restore(network, kept)
    return network.to(device).eval().requires_grad_(False)


def _check_teacher(task: Task) -> None:
    """Refuse signals that ask for a teacher where there is none, or that compare different shapes."""
    asked = {name for signal in signals_of(task.phases) if (name := signal.needs_teacher)}
    if not asked:
        return
    if task.teacher is None:
        raise UserError("the strategy learns from a teacher but the run has none: name a 'teacher'")
    known = [name for name, _ in task.teacher.named_children()]
    missing = sorted(asked - set(known))
    if missing:
        raise UserError(
            f"the strategy asks for the teacher's stage {unknown(missing[0], known)}, which it lacks"
        )
    shape = task.model.shapes[0]
    theirs = dict(zip(known, shapes_of(task.teacher.cpu(), shape)[1:], strict=True))
    task.teacher.to(task.splits["train"].labels.device)
    for name in sorted(asked):
        mine = task.model.shapes[task.model.stages.index(name) + 1]
        if mine[1:] != theirs[name][1:]:
            raise UserError(
                f"stage '{name}' gives {mine} but the teacher's gives {theirs[name]}: all but the "
                "channels must be the same"
            )


def _augmentation(thing: dict[str, Any], dataset: Dataset, device: torch.device) -> Augmentation:
    augment, settings = load_thing("augmentations", thing["name"]).augment, arguments(thing)
    if not dataset.pixels:
        raise UserError(
            f"augmentation '{thing['name']}' needs images, which dataset '{dataset.name}' has not"
        )
    pixel = torch.zeros(1, len(dataset.mean), 1, 1, dtype=torch.uint8)
    black = normalise(pixel, dataset).flatten().to(device)
    augmentation: Augmentation = lambda images, generator: augment(  # noqa: E731
        images, generator, black, **settings
    )
    return augmentation


def _check_labels(task: Task, dataset: Dataset) -> None:
    """Refuse signals that need labels where there are none, or more of a class than a batch has."""
    needed: dict[str, tuple[int, str]] = {}
    for phase, _, _ in task.spans:
        for signal in (objective.signal for objective in phase.objectives):
            name = type(signal).__name__
            if signal.needs_labels and not dataset.labelled:
                raise UserError(f"{name} needs labels, which dataset '{dataset.name}' lacks")
            if signal.needs_labels and dataset.target not in signal.takes:
                raise UserError(
                    f"{name} learns from classes, but dataset '{dataset.name}' has a number to predict"
                )
            needed[phase.name] = max(
                needed.get(phase.name, (0, "")), (signal.least_per_class, name)
            )
    if not any(least for least, _ in needed.values()):
        return
    for phase, step, counts in class_counts(task):
        least, name = needed[phase.name]
        if int(counts.min()) < least:
            raise UserError(
                f"{name} needs at least {least} images of each class in every batch, but the batch "
                f"of step {step + 1} has {int(counts.min())} of class {int(counts.argmin())}: ask "
                f"for fewer neighbours or raise batch_size from {task.batch_size}"
            )


def _check_last_batch(task: Task) -> None:
    """Refuse a batch of one image, which has no variance for batch normalisation to divide by."""
    images = len(task.splits["train"].labels)
    if (images % task.batch_size or task.batch_size) != 1:
        return
    modules = (task.network, *signals_of(task.phases))
    parts = [part for module in modules for part in module.modules()]
    # A module may say itself that it normalises by the batch.
    if any(isinstance(part, _BatchNorm) or getattr(part, "by_batch", False) for part in parts):
        raise UserError(
            f"batch normalisation needs at least two images in every batch, but {images} training "
            f"images in batches of {task.batch_size} leave one alone: change batch_size or train_images"
        )


def signals_of(phases: tuple[Any, ...]) -> list[Signal]:
    """The signals of all phases, each once, in order."""
    return list(dict.fromkeys(o.signal for phase in phases for o in phase.objectives))

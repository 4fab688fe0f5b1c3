"""What the study of sizes computes: the loss without each neuron, and training after neurons have gone."""

from collections.abc import Callable, Iterator

import torch
from common import Result, medians
from torch import Tensor
from torch.nn import functional

from sidestep import cost, surgery
from sidestep.building import shapes_of
from sidestep.contract import Batch, Model
from sidestep.edits import remove_dead
from sidestep.importance import zeroing_increase
from sidestep.networks import mlp
from sidestep.strategies import end_to_end
from sidestep.training.editing import Surgery
from sidestep.training.optimiser import Optimiser, named_parameters
from sidestep.training.step import learn, plan

WIDTH = 2048
IMAGES = 60_000
CLASSES = 10
SECONDS = 5.0
# Neurons that the loops are timed on; the rest is extrapolated.
NEURONS = 4
SHAPE = (1, 28, 28)
BATCH = 128
# An epoch of the removal benchmark.
TRAINED = 12_800
DEAD = 0.9


def run() -> Iterator[Result]:
    """Each part of the study that has a bound of its own."""
    yield from _zeroing()
    yield from _removal()


def _zeroing() -> Iterator[Result]:
    """Seconds of the exact increases of all neurons, and loops over neurons against them.

    Two threads. Outputs are drawn as those of a trained layer are, a fifth of them active, and dense.
    The one loop runs the output layer again without the neuron; the other, which knows the logits,
    takes the neuron's part off them.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.manual_seed(0)
    weight, bias = 0.05 * torch.randn(CLASSES, WIDTH), torch.zeros(CLASSES)
    dense = torch.randn(IMAGES, WIDTH)
    sparse = (dense - 0.84).relu_()
    logits = sparse @ weight.T + bias
    labels = logits.argmax(1)
    labels[::50] = torch.randint(0, CLASSES, (len(labels[::50]),))

    def again() -> None:
        for neuron in range(NEURONS):
            kept = sparse[:, neuron].clone()
            sparse[:, neuron] = 0.0
            functional.cross_entropy(sparse @ weight.T + bias, labels)
            sparse[:, neuron] = kept

    def taken_off() -> None:
        for neuron in range(NEURONS):
            part: Tensor = sparse[:, neuron, None] * weight[:, neuron]
            functional.cross_entropy(logits - part, labels)

    taken = medians(
        {
            "sparse": lambda: zeroing_increase(sparse, weight, bias, labels),
            "dense": lambda: zeroing_increase(dense, weight, bias, labels),
            "again": again,
            "taken off": taken_off,
        },
        repeats=3,
    )
    torch.set_num_threads(threads)
    active = float((sparse[:1000] > 0).float().mean())
    what = f"{WIDTH:,} neurons, {IMAGES:,} images, 2 threads"
    for name, share in (("sparse", active), ("dense", 1.0)):
        detail = f"{what}, {share:.0%} of outputs active"
        yield Result(
            f"losses without each neuron, {name}: seconds", taken[name], None, SECONDS, detail
        )
    for name, how in (("again", "output layer again"), ("taken off", "logits less its part")):
        extrapolated = taken[name] / NEURONS * WIDTH
        detail = f"{extrapolated:.0f} s extrapolated from {NEURONS} neurons"
        ratio = extrapolated / taken["sparse"]
        yield Result(f"loop over neurons, {how} / one pass", ratio, None, None, detail)


def _removal() -> Iterator[Result]:
    """An epoch of a sparsified layer at its start, and of the same after nine tenths of it have died.

    One thread. The third has as many dead neurons, but they are still there.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    data = Batch(torch.randn(TRAINED, *SHAPE), torch.randint(0, CLASSES, (TRAINED,)))
    networks = {name: _sparsified() for name in ("start", "dead", "removed")}
    for name in ("dead", "removed"):
        gate = surgery.gates_of(networks[name].network)["hidden"]
        with torch.no_grad():
            gate.get_parameter("liveness")[: round(DEAD * WIDTH)] = -0.1
    model = networks["removed"]
    remove_dead.edit(Surgery(model.network, data, None, 0, 1, False, _adam(model)))
    taken = medians({name: _epoch(model, data) for name, model in networks.items()}, repeats=5)
    stored = {name: cost.stored_bytes(model.network) / 1e6 for name, model in networks.items()}
    yield Result(
        f"epoch of a sparsified layer of {WIDTH:,} / with {DEAD:.0%} of it removed",
        taken["start"] / taken["removed"],
        3.0,
        None,
        f"{TRAINED:,} images: {taken['start']:.2f} s, dead but there {taken['dead']:.2f} s, "
        f"removed {taken['removed']:.2f} s; stored {stored['start']:.2f} and "
        f"{stored['removed']:.2f} MB",
    )


def _sparsified() -> Model:
    network = mlp.build(SHAPE, CLASSES, width=WIDTH)
    surgery.attach(network, {"hidden": {"name": "sparsified", "price": 1e-3}})
    return Model(network, shapes_of(network, SHAPE), CLASSES)


def _adam(model: Model) -> Optimiser:
    return Optimiser({"name": "adam"}, named_parameters(model.network, []))


def _epoch(model: Model, data: Batch) -> Callable[[], None]:
    """An epoch through the step and the optimiser that every run uses."""
    planned = plan(list(model.network), end_to_end.phases(model)[0])
    leaves = [leaf for some in planned.lessons for lesson in some for leaf in lesson.leaves]
    focus = _adam(model).focus(leaves)
    planned.set_modes()
    batches = [
        Batch(images, labels)
        for images, labels in zip(data.images.split(BATCH), data.labels.split(BATCH), strict=True)
    ]

    def work() -> None:
        for batch in batches:
            learn(planned, batch)
            focus.update(1.0)

    return work

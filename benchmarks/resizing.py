"""What the study of sizes computes: the loss without each neuron of a hidden layer."""

from collections.abc import Iterator

import torch
from common import Result, medians
from torch import Tensor
from torch.nn import functional

from sidestep.importance import zeroing_increase

WIDTH = 2048
IMAGES = 60_000
CLASSES = 10
SECONDS = 5.0
# Neurons that the loops are timed on; the rest is extrapolated.
NEURONS = 4


def run() -> Iterator[Result]:
    """Each part of the study that has a bound of its own."""
    yield from _zeroing()


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

"""How well each layer can be any matrix: random ones, fitted by gradient descent.

As the older work asked of its transforms. A layer is taken as a 1×1 convolution, so that it has no part
that does not mix channels, and is read off as the matrix by which it maps the channels of an image that has
one channel lit in each place.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.func import functional_call, vmap

from sidestep.convolution import Convolution
from sidestep.layers import (
    acdc,
    cp,
    dense,
    hashed,
    low_rank,
    monarch,
    shuffle,
    tensor_train,
    tied_low_rank,
    tucker,
)
from sidestep.optimisers import adam
from sidestep.schedules import cosine
from sidestep.seeds import derive
from sidestep.settings import Count
from sidestep.statistics.intervals import mean_interval
from sidestep.tables import Tables

# Without a kernel `separable` is `dense`, and `separable_hashed` is `hashed`.
LAYERS: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        *(dense, low_rank, tied_low_rank, hashed, shuffle, monarch, tensor_train, tucker, cp),
        acdc,
    )
}
# Relative to weights with which a matrix keeps the size of what it maps. Where many factors are multiplied
# the best rate falls with their number: several are tried, and each fit takes the one that ends best.
RATES: dict[str, tuple[float, ...]] = {"acdc": (0.1, 0.03, 0.01, 0.003)}
RATE = 0.1
# The best that a matrix of low rank can do, from the singular values.
SVD = "low_rank_svd"
COLUMNS = ["study", "layer", "size", "parameters", "error", "low", "high", "matrices"]


def analyse(
    tables: Tables,
    *,
    sizes_per_layer: Count = 4,
    matrices: Count = 3,
    steps: Count = 300,
    side: Count = 32,
) -> pd.DataFrame:
    """One row per layer and size; the study's runs are not read.

    Columns: `study`; `layer`, by name (`separable` is here `dense`, and `separable_hashed` is `hashed`, so they
    have no rows), or `low_rank_svd` for the least error that a matrix of that rank has, by the singular
    values; `size` of the layer; `parameters`; `error`, the mean over the `matrices` of ‖W − M‖² / ‖M‖² when the
    fit of W to M ends (of `acdc` the best of four fits, with other learning rates), with `low` and `high`
    (95 % t interval). The matrices have independent normal entries and are the same for all layers; the error has no
    unit, so their scale is no matter (it is near that of the layers' initial weights). A fit that ended too
    early, or badly, makes the error too large and never too small.

    Args:
        tables: of the study, of which the name is read.
        sizes_per_layer: sizes of each layer, evenly spread in the logarithm of its parameters from those of a
            matrix of rank 1, or the least, to its most; fewer where it has not so many.
        matrices: number of matrices.
        steps: of Adam for each fit, with a learning rate that falls along half a cosine.
        side: of the matrices.
    """
    targets = [_target(side, index) for index in range(matrices)]
    convolution = Convolution(side, side, 1)
    rows: list[dict[str, Any]] = []
    for layer, size in _sizes(convolution, sizes_per_layer):
        errors = {layer: fits(layer, size, targets, steps)}
        if layer == "low_rank":
            errors[SVD] = [least(size, target) for target in targets]
        for name, values in errors.items():
            found = mean_interval(values)
            rows.append(
                {
                    "study": tables.study.name,
                    "layer": name,
                    "size": size,
                    "parameters": LAYERS[layer].parameters(convolution, size),
                    "error": found.mean,
                    "low": found.low,
                    "high": found.high,
                    "matrices": matrices,
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def fits(layer: str, size: int, targets: list[Tensor], steps: int) -> list[float]:
    """The relative squared error with which a layer ends as each of some matrices, side × side.

    All fits, of each matrix with each rate, are one batch of modules.
    """
    tried = RATES.get(layer, (RATE,))
    wanted = torch.stack(targets)
    count, side = wanted.shape[:2]
    convolution = Convolution(side, side, 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(0, "matrix_fit", layer, size))
        modules = [LAYERS[layer].build(convolution, size=size) for _ in targets]
    shape = modules[0]
    # What is drawn once, such as the indices of hashed weights, is the same for all matrices.
    buffers = dict(shape.named_buffers())
    names = [name for name, _ in shape.named_parameters()]
    starts = [torch.stack([module.get_parameter(name) for module in modules]) for name in names]
    # A parameter in units of its rate is one that a rate of 1 moves: Adam's steps have no other unit.
    rates = torch.tensor(tried).repeat_interleave(count)
    units = [rates.view(-1, *[1] * (start.ndim - 1)) for start in starts]
    parameters = [
        (start.repeat(len(tried), *[1] * (start.ndim - 1)) / unit).detach().requires_grad_()
        for start, unit in zip(starts, units, strict=True)
    ]
    lit = torch.eye(side)[None, :, None]

    def matrix(values: dict[str, Tensor]) -> Tensor:
        image: Tensor = functional_call(shape, (values, buffers), (lit,))
        return image[0, :, 0]

    def distances() -> Tensor:
        """Squared, of each fit's matrix from its target; rate × matrix."""
        values = [value * unit for value, unit in zip(parameters, units, strict=True)]
        found = vmap(matrix)(dict(zip(names, values, strict=True)))
        apart: Tensor = found.unflatten(0, (len(tried), count)) - wanted
        return apart.square().sum((2, 3))

    slots = [[torch.zeros_like(value) for value in parameters] for _ in adam.SLOTS]
    done = [torch.zeros(()) for _ in parameters]
    for step in range(steps):
        gradients = torch.autograd.grad(distances().sum(), parameters)
        torch._foreach_add_(done, 1)
        with torch.no_grad():
            moves = [gradient.contiguous() for gradient in gradients]
            adam.update(parameters, moves, slots, done, cosine.factor(step / steps), lr=1.0)
    with torch.no_grad():
        ends = distances() / wanted.square().sum((1, 2))
    # A rate with which a fit overflows is not its best.
    best = ends.nan_to_num(nan=math.inf).amin(0)
    return [float(value) for value in best]


def least(rank: int, target: Tensor) -> float:
    """The least relative squared error of a matrix of some rank (Eckart & Young 1936)."""
    squares = torch.linalg.svdvals(target.double()).square()
    return float(squares[rank:].sum() / squares.sum())


def _target(side: int, index: int) -> Tensor:
    """A matrix of independent normal entries that keeps the size of what it maps, on average."""
    generator = torch.Generator().manual_seed(derive(index, "matrix_fit", side))
    return torch.randn(side, side, generator=generator) / math.sqrt(side)


def _sizes(convolution: Convolution, wanted: int) -> Iterator[tuple[str, int]]:
    """The layers, and of each the sizes to be fitted, rising."""
    least_parameters = convolution.inputs + convolution.outputs
    for name, module in LAYERS.items():
        sizes = module.sizes(convolution)

        def count(size: int, module: ModuleType = module) -> int:
            parameters: int = module.parameters(convolution, size)
            return parameters

        most = count(sizes[-1])
        first = min(max(least_parameters, count(sizes[0])), most)
        chosen = []
        for index in range(wanted):
            share = index / (wanted - 1) if wanted > 1 else 1.0
            budget = round(first * (most / first) ** share)
            chosen.append(sizes[bisect_right(sizes, budget, key=count) - 1])
        yield from ((name, size) for size in dict.fromkeys(chosen))

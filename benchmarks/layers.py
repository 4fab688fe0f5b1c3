"""Layers in the place of a convolution against it: forward and backward passes, and what is inside.

At 160 channels, as in the first group of WRN-28-10, with a tenth of the parameters or as few as a layer can
have. A layer that has fewer multiply-adds than the dense convolution but is slower is named.
"""

import functools
from collections.abc import Callable, Iterator

import torch
from common import Result, medians
from torch import Tensor, nn

from sidestep import registry
from sidestep.budgets import size_for
from sidestep.convolution import Convolution
from sidestep.errors import UserError
from sidestep.layers import acdc, hashed

BATCH, SIDE = 8, 16
PLACE = Convolution(160, 160, 3, 1, 1)


def run() -> Iterator[Result]:
    """Seconds of each layer over those of the dense convolution; hashing's share; ACDC's transforms."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    images = torch.randn(BATCH, PLACE.inputs, SIDE, SIDE, device=device)
    images = images.to(memory_format=torch.channels_last)
    works, fewer = {}, {}
    for name in registry.names("layers"):
        module = registry.load("layers", name)
        if name == "dense":
            size = 1
        else:
            try:
                size = size_for(module, PLACE, PLACE.parameters // 10).size
            except UserError:
                size = module.sizes(PLACE)[0]
        layer = module.build(PLACE, size=size).to(device).to(memory_format=torch.channels_last)
        works[name] = functools.partial(_pass, layer, images)
        count = module.mult_adds(PLACE, size, SIDE, SIDE)
        fewer[name] = PLACE.mult_adds(SIDE, SIDE) / count
    taken = medians(works, repeats=9)
    for name, seconds in taken.items():
        if name == "dense":
            continue
        ratio = seconds / taken["dense"]
        slower = "; slower with fewer mult-adds" if ratio > 1 and fewer[name] > 1 else ""
        detail = f"{1000 * seconds:.2f} ms; {fewer[name]:.1f} times fewer mult-adds{slower}"
        yield Result(f"{name} / dense, forward and backward", ratio, None, None, detail)
    yield from _hashing(images)
    yield from _transforms(device)


def _pass(layer: nn.Module, images: Tensor) -> None:
    images = images.detach().requires_grad_()
    layer(images).sum().backward()
    for parameter in layer.parameters():
        parameter.grad = None
    if images.is_cuda:
        torch.cuda.synchronize()


def _hashing(images: Tensor) -> Iterator[Result]:
    """The assembly of hashed weights, forward and backward, over the whole layer's time."""
    layer = hashed.build(PLACE, size=PLACE.parameters // 10).to(images.device)
    assert isinstance(layer, hashed.Hashed)
    values = layer.weight
    gradient = torch.randn(layer.shape, device=images.device)

    def assembly() -> None:
        layer.dense_weight().backward(gradient)
        values.grad = None

    taken = medians(
        {"layer": functools.partial(_pass, layer, images), "assembly": assembly}, repeats=9
    )
    share = taken["assembly"] / taken["layer"]
    detail = f"batch of {BATCH}, {SIDE} × {SIDE}: {1000 * taken['assembly']:.2f} ms"
    yield Result("hashed: assembly of weights / layer", share, None, 0.15, detail)


def _transforms(device: torch.device) -> Iterator[Result]:
    """ACDC as `auto` chooses over the faster transform, with channels on both sides of its change.

    With 2,048 places, a batch of 32 at the 8 × 8 of a wide residual network's last group. More places
    favour the matrix, which is assembled once for all; far fewer favour the fast transforms.
    """
    for channels in (160, 640, 2048):
        place = Convolution(channels, channels, 1)
        places = torch.randn(32, channels, 8, 8, device=device)
        works: dict[str, Callable[[], object]] = {}
        outputs = {}
        for transform in ("matrix", "fast", "auto"):
            torch.manual_seed(1)
            layer = acdc.build(place, size=4, transform=transform).to(device)
            works[transform] = functools.partial(_pass, layer, places)
            outputs[transform] = layer(places).detach()
        apart = float((outputs["matrix"] - outputs["fast"]).abs().max())
        taken = medians(works, repeats=3)
        best = min(taken["matrix"], taken["fast"])
        detail = (
            f"matrix {1000 * taken['matrix']:.1f} ms, fast {1000 * taken['fast']:.1f} ms; "
            f"they differ by {apart:.0e}"
        )
        name = f"ACDC of {channels} channels: auto / the faster transform"
        yield Result(name, taken["auto"] / best, None, 1.25, detail)

"""Metrics of one network of width 2,048 against its forward pass plus one covariance."""

from collections.abc import Iterator

import torch
from common import Result, medians
from torch import nn

from sidestep.building import build_network
from sidestep.data.load import Images
from sidestep.datasets.mnist import DATASET
from sidestep.measuring.job import measure
from sidestep.measuring.snapshot import Library, Snapshot

WIDTH = 2048
IMAGES = 60_000
# Those that look at the network on the images it was trained on; accuracy by components is apart.
METRICS = (
    "spread",
    "dead_neurons",
    "normality",
    "mixtures",
    "principal_components",
    "weight_spectrum",
)


def run() -> Iterator[Result]:
    """The ratio of seconds, one core."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (IMAGES, *DATASET.shape), dtype=torch.uint8)
    train = Images(pixels, torch.randint(0, 10, (IMAGES,)))
    network_thing = {"name": "mlp", "width": WIDTH}
    config = {"network": network_thing, "gates": {}, "seed": 0, "member": 0}
    network = build_network(config, DATASET).eval()
    library = Library(DATASET, {"train": train, "test": train})
    flat = library.normalised("train").flatten(1)

    def ours() -> None:
        fresh = Library(DATASET, dict(library.splits), dict(library._normalised))
        measure(Snapshot(network, 1, True, 0, fresh, ("train",)), [{"name": n} for n in METRICS])

    def reference() -> None:
        hidden = network[0]
        assert isinstance(hidden, nn.Sequential)
        total = torch.zeros(WIDTH, WIDTH)
        with torch.no_grad():
            for part in flat.split(1000):
                inner = hidden[:2](part)
                network[1](torch.relu(inner))
                total.addmm_(inner.T, inner)

    taken = medians({"ours": ours, "reference": reference}, repeats=3)
    yield Result(
        "metrics at width 2,048 / forward pass and one covariance",
        taken["ours"] / taken["reference"],
        None,
        1.5,
        f"{taken['ours']:.1f} s against {taken['reference']:.1f} s",
    )

"""Seconds that the network takes to say something of one image, and of many at once."""

import time
from collections.abc import Iterator

import torch

from sidestep.device import synchronise
from sidestep.settings import Count, Counts
from sidestep.training.view import Reading, View

WARM_UP = 1


def probe(view: View, *, images: Counts = (1, 256), repeats: Count = 3) -> Iterator[Reading]:
    """`seconds_<n>`: the median of a forward pass of n images in evaluation mode, told of the last stage.

    Jobs beside this one slow it down as they slow training down. Where there are fewer training images,
    they are repeated.

    Args:
        view: the network.
        images: of one pass.
        repeats: passes of which the median is taken.
    """
    network = view.model.network.eval()
    whole = view.train.images
    for count in images:
        batch = whole[torch.arange(count, device=whole.device) % len(whole)]
        taken = []
        for _ in range(WARM_UP + repeats):
            synchronise(whole.device)
            start = time.perf_counter()
            with torch.no_grad():
                network(batch)
            synchronise(whole.device)
            taken.append(time.perf_counter() - start)
        median = float(torch.tensor(taken[WARM_UP:], dtype=torch.float64).median())
        yield Reading(view.model.stages[-1], median, f"seconds_{count}", "")

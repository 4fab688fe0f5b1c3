"""The angle between the gradient by which a stage is taught and the true one, of the network's loss.

Both are taken at the same weights on the same images. An angle below 90° is a step that lowers the
network's loss, to first order; end-to-end back-propagation has 0°.
"""

import math
from collections.abc import Iterator

import torch

from sidestep.settings import Count
from sidestep.training.view import Reading, View


def probe(view: View, *, images: Count = 200) -> Iterator[Reading]:
    """Degrees for each stage that the phase teaches; a stage with a gradient of zero gives none.

    Args:
        view: what to look at.
        images: training images to take the gradients on.
    """
    batch = view.batch(images)
    true = view.true(batch)
    for stage, taught in view.taught(batch).items():
        # In float64, where the arc cosine near 1 would otherwise lose half of its digits.
        a, b = taught.double().cpu(), true[stage].double().cpu()
        if float(a.norm()) > 0 and float(b.norm()) > 0:
            # 2·atan2 of the unit vectors' difference and sum is exact at 0° and 180°.
            a, b = a / a.norm(), b / b.norm()
            angle = 2 * torch.atan2((a - b).norm(), (a + b).norm())
            yield Reading(stage, math.degrees(float(angle)))

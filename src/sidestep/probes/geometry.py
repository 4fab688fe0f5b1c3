"""How far apart a stage puts the classes, and whether it collapses: norms and cosines of its outputs.

The ratio of norms is the older work's own detector of collapse (its monitor `norm_ratio`); the mean
cosines of pairs of images with the same and with different labels are what its losses move.
"""

from collections.abc import Iterator

import torch
from torch.nn import functional

from sidestep.settings import Count
from sidestep.training.view import Reading, View


def probe(view: View, *, images: Count = 200) -> Iterator[Reading]:
    """`norm_ratio_min`, `_median`, `_max` (‖output‖/‖input‖ over images), `cosine_same`, `cosine_different`.

    The cosines are means over all pairs of different images; a kind without a pair gives no reading.

    Args:
        view: what to look at.
        images: training images to look with.
    """
    batch = view.batch(images)
    same = batch.labels[:, None] == batch.labels[None, :]
    others = ~torch.eye(len(same), dtype=torch.bool, device=same.device)
    for stage, before, after in view.passing(batch.images):
        ratio = after.flatten(1).norm(dim=1) / before.flatten(1).norm(dim=1).clamp_min(1e-12)
        yield Reading(stage, float(ratio.min()), "norm_ratio_min")
        yield Reading(stage, float(ratio.median()), "norm_ratio_median")
        yield Reading(stage, float(ratio.max()), "norm_ratio_max")
        unit = functional.normalize(after.flatten(1), dim=1)
        cosine = unit @ unit.T
        for name, pairs in (("cosine_same", same & others), ("cosine_different", ~same)):
            if pairs.any():
                yield Reading(stage, float(cosine[pairs].mean()), name)

"""Loss and accuracy of a network on a whole split, each image counted once."""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from sidestep.contract import Batch


class Score(NamedTuple):
    """Mean cross-entropy in nats and share of images classified right."""

    loss: float
    accuracy: float


def evaluate(network: nn.Module, split: Batch, batch_size: int = 1000) -> Score:
    """Score the network in evaluation mode; sums are over images, so a short last batch counts as such.

    Args:
        network: gives logits N×classes; left in evaluation mode.
        split: normalised images and labels.
        batch_size: images per forward pass; a memory bound, without effect on the score's meaning.
    """
    network.eval()
    loss = torch.zeros((), dtype=torch.float64, device=_float64_device(split))
    right = torch.zeros((), dtype=torch.int64, device=split.labels.device)
    with torch.no_grad():
        for images, labels in zip(
            split.images.split(batch_size), split.labels.split(batch_size), strict=True
        ):
            logits = network(images)
            summed = functional.cross_entropy(logits, labels, reduction="sum")
            loss += summed.to(loss.device)
            right += (logits.argmax(1) == labels).sum()
    count = len(split.labels)
    return Score(float(loss) / count, int(right) / count)


def _float64_device(split: Batch) -> torch.device:
    # Apple's GPUs have no float64.
    device = split.images.device
    return torch.device("cpu") if device.type == "mps" else device

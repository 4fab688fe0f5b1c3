"""Loss, and accuracy or R², of a network on a whole split, each image counted once."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from sidestep import targets
from sidestep.contract import Batch


class Score(NamedTuple):
    """Mean loss, and for classes the share of images classified right, for numbers the share explained.

    Attributes:
        loss: of `sidestep.targets.loss`.
        accuracy: None for numbers.
        r2: R²; None for classes.
    """

    loss: float
    accuracy: float | None = None
    r2: float | None = None


def outputs_of(network: nn.Module, split: Batch, batch_size: int = 1000) -> Tensor:
    """What the network says of a whole split in evaluation mode, N×outputs; arguments as of `evaluate`."""
    network.eval()
    with torch.no_grad():
        return torch.cat([network(images) for images in split.images.split(batch_size)])


def evaluate(network: nn.Module, split: Batch, batch_size: int = 1000) -> Score:
    """Score the network in evaluation mode; sums are over images, so a short last batch counts as such.

    Args:
        network: gives outputs N×outputs; left in evaluation mode.
        split: normalised images and labels.
        batch_size: images per forward pass; a memory bound, without effect on the score's meaning.
    """
    network.eval()
    loss = torch.zeros((), dtype=torch.float64, device=_float64_device(split))
    right = torch.zeros((), dtype=torch.int64, device=split.labels.device)
    numbers = targets.of_numbers(split.labels)
    said: list[Tensor] = []
    with torch.no_grad():
        for images, labels in zip(
            split.images.split(batch_size), split.labels.split(batch_size), strict=True
        ):
            outputs = network(images)
            loss += targets.loss(outputs, labels, "sum").to(loss.device)
            if numbers:
                said.append(outputs.cpu())
            else:
                right += (outputs.argmax(1) == labels).sum()
    count = len(split.labels)
    if numbers:
        explained = targets.explained(torch.cat(said), split.labels.cpu())
        return Score(float(loss) / count, r2=explained)
    return Score(float(loss) / count, int(right) / count)


def _float64_device(split: Batch) -> torch.device:
    # Apple's GPUs have no float64.
    device = split.images.device
    return torch.device("cpu") if device.type == "mps" else device

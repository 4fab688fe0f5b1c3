"""Attention transfer: where a stage's maps are strong should be where the teacher's are.

The attention map of an output is the mean of its squares over channels, flattened and brought to unit
length, so that neither its scale nor the number of channels matters (Zagoruyko & Komodakis 2017,
section 3.1). The loss is the mean square over images and positions of student's minus teacher's map,
times a weight. (The older work multiplies by three over the number of positions besides.)
"""

from torch import Tensor
from torch.nn import functional

from sidestep.contract import Batch, Signal, Site
from sidestep.errors import UserError
from sidestep.settings import Positive


class AttentionTransfer(Signal):
    """The weighted mean squared difference of attention maps."""

    needs_labels = False

    def __init__(self, stage: str, weight: float) -> None:
        """`stage` is the teacher's stage that is looked at."""
        super().__init__()
        self.needs_teacher, self.weight = stage, weight

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar loss of outputs N×C×H×W."""
        mine = attention(output)
        theirs = attention(batch.taught[self.needs_teacher])
        return self.weight * functional.mse_loss(mine, theirs)


def attention(maps: Tensor) -> Tensor:
    """The attention map of each image, N×HW, of unit length.

    Args:
        maps: N×C×H×W.
    """
    return functional.normalize(maps.square().mean(1).flatten(1), dim=1)


def build(site: Site, *, weight: Positive = 1000.0) -> Signal:
    """The signal for a stage, which the teacher has too.

    Args:
        site: of the stage, with outputs (C, H, W).
        weight: of the loss; the paper's and the older work's β.

    Raises:
        UserError: the stage's output is no map.
    """
    if len(site.output_shape) != 3:
        raise UserError(
            f"attention transfer needs maps but stage '{site.stage}' gives a vector of "
            f"{site.output_shape[0]}: leave it out of the strategy's stages"
        )
    return AttentionTransfer(site.stage, weight)

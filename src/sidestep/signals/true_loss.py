"""The true loss: cross-entropy of the output, taken as logits, or the squared error of predicted numbers."""

from torch import Tensor

from sidestep import targets
from sidestep.contract import Batch, Signal, Site
from sidestep.errors import UserError

IN_NATS = True


class TrueLoss(Signal):
    """Mean loss over the batch: nats for classes, variances of the target for numbers."""

    takes = ("class", "number")

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar loss of outputs N×outputs."""
        return targets.loss(output, batch.labels)

    def logits(self, output: Tensor) -> Tensor:
        """The output itself."""
        return output


def build(site: Site) -> Signal:
    """The signal for a stage whose output is already what the network says.

    Args:
        site: of the stage, whose output must be (classes,).

    Raises:
        UserError: the stage's output is no vector of that length.
    """
    if site.output_shape != (site.classes,):
        raise UserError(
            f"the true loss needs {site.classes} outputs but stage '{site.stage}' gives "
            f"{site.output_shape}"
        )
    return TrueLoss()

"""The true loss: cross-entropy between the output, taken as logits, and the labels."""

from torch import Tensor
from torch.nn import functional

from sidestep.contract import Batch, Signal, Site
from sidestep.errors import UserError

IN_NATS = True


class CrossEntropy(Signal):
    """Mean cross-entropy over the batch, in nats."""

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar loss of logits N×classes."""
        return functional.cross_entropy(output, batch.labels)

    def logits(self, output: Tensor) -> Tensor:
        """The output itself."""
        return output


def build(site: Site) -> Signal:
    """The signal for a stage whose output is already the logits.

    Args:
        site: of the stage, whose output must be (classes,).

    Raises:
        UserError: the stage's output is no vector of logits.
    """
    if site.output_shape != (site.classes,):
        raise UserError(
            f"cross-entropy needs {site.classes} logits but stage '{site.stage}' gives "
            f"{site.output_shape}"
        )
    return CrossEntropy()

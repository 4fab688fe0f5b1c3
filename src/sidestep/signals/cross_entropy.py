"""The true loss: cross-entropy between the output, taken as logits, and the labels."""

from torch import Tensor
from torch.nn import functional

from sidestep.contract import Batch, Signal, Site

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
        ValueError: the stage's output is no vector of logits.
    """
    if site.output_shape != (site.classes,):
        raise ValueError(
            f"cross-entropy needs {site.classes} logits but the stage gives {site.output_shape}"
        )
    return CrossEntropy()

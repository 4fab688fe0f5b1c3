"""The true loss: cross-entropy between the output, taken as logits, and the labels."""

from torch import Tensor
from torch.nn import functional

from sidestep.contract import Batch, Signal


class CrossEntropy(Signal):
    """Mean cross-entropy over the batch, in nats."""

    in_nats = True

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar loss of logits N×classes."""
        return functional.cross_entropy(output, batch.labels)


def build(output_shape: tuple[int, ...], classes: int) -> Signal:
    """The signal for a stage whose output is already the logits.

    Args:
        output_shape: shape of the stage's output without the batch, which must be (classes,).
        classes: number of classes.

    Raises:
        ValueError: the stage's output is no vector of logits.
    """
    if output_shape != (classes,):
        raise ValueError(f"cross-entropy needs {classes} logits but the stage gives {output_shape}")
    return CrossEntropy()

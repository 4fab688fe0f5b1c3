"""An auxiliary classifier on the stage's output, trained with it by cross-entropy.

With every block's own at the same time this is decoupled greedy learning, with one block after the
other sequential greedy learning (Belilovsky et al. 2019, 2020). The head is thrown away afterwards.
"""

from torch import Tensor, nn
from torch.nn import functional

from sidestep.contract import Batch, Signal, Site
from sidestep.registry import arguments, load
from sidestep.settings import HeadThing

# Its loss can be held against the network's own.
IN_NATS = True


class AuxiliaryClassifier(Signal):
    """Mean cross-entropy in nats of a head of its own."""

    def __init__(self, head: nn.Module) -> None:
        """`head` gives logits N×classes of the stage's outputs."""
        super().__init__()
        self.head = head

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar loss of outputs N×…"""
        return functional.cross_entropy(self.head(output), batch.labels)

    def logits(self, output: Tensor) -> Tensor:
        """Those of the head."""
        logits: Tensor = self.head(output)
        return logits


def build(site: Site, *, head: HeadThing) -> Signal:
    """The signal for a stage.

    Args:
        site: of the stage.
        head: what classifies its output.
    """
    return AuxiliaryClassifier(load("heads", head["name"]).build(site, **arguments(head)))

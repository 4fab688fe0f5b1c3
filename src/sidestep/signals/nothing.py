"""Nothing: the stage is not taught, so that the stages above learn from random features.

The control of every local signal (AlonNT's “lastBlock”): what one loses or gains by teaching the stages
below the last. Gradients are zero, so weights stay as they were drawn, unless the optimiser's weight
decay shrinks them; the running statistics of batch norm follow the data as in training.
"""

from torch import Tensor

from sidestep.contract import Batch, Signal, Site


class Nothing(Signal):
    """A loss of zero, whatever the output."""

    needs_labels = False

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """Zero, with a gradient of zero; no number if the output has one that is none."""
        del batch
        return output.sum() * 0.0


def build(site: Site) -> Signal:
    """The signal for a stage with outputs of any shape."""
    del site
    return Nothing()

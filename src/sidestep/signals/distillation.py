"""Distillation: the logits should say what the teacher's say, softened, and what the labels say.

The loss is (1 − α) cross-entropy with the labels + α T² Kullback–Leibler divergence from the teacher's
softmax at temperature T to the student's (Hinton et al. 2015, section 2).
"""

from torch import Tensor
from torch.nn import functional

from sidestep.contract import Batch, Signal, Site
from sidestep.errors import UserError
from sidestep.settings import Fraction, Positive


class Distillation(Signal):
    """The mixture of both losses, in nats."""

    def __init__(self, stage: str, share: float, temperature: float) -> None:
        """`stage` is the teacher's stage that gives its logits; `share` is α."""
        super().__init__()
        self.needs_teacher, self.share, self.temperature = stage, share, temperature

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar loss of logits N×classes."""
        true = functional.cross_entropy(output, batch.labels)
        theirs = functional.log_softmax(batch.taught[self.needs_teacher] / self.temperature, dim=1)
        mine = functional.log_softmax(output / self.temperature, dim=1)
        apart = functional.kl_div(mine, theirs, reduction="batchmean", log_target=True)
        return (1 - self.share) * true + self.share * self.temperature**2 * apart

    def logits(self, output: Tensor) -> Tensor:
        """The output itself."""
        return output


def build(site: Site, *, share: Fraction = 0.9, temperature: Positive = 4.0) -> Signal:
    """The signal for a stage whose output is already the logits, and which the teacher has too.

    Args:
        site: of the stage.
        share: of the teacher in the loss; the labels have the rest.
        temperature: by which both sides' logits are divided before they are compared.

    Raises:
        UserError: the stage's output is no vector of logits.
    """
    if site.output_shape != (site.classes,):
        raise UserError(
            f"distillation needs {site.classes} logits but stage '{site.stage}' gives "
            f"{site.output_shape}"
        )
    return Distillation(site.stage, share, temperature)

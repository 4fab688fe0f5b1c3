"""Synthetic gradients: a stage learns from a prediction of the gradient that it would have to wait for.

Decoupled neural interfaces (Jaderberg et al. 2017; Czarnecki et al. 2017). A synthesizer sees the
stage's output (in cDNI its labels too) and predicts the gradient of the loss with respect to it; the
gradient that the block above sends back, itself from a synthesizer unless it is the last block, is what
the prediction is taught by. All blocks have to be trained together. The synthesizer runs once a step; the
published code runs it twice, which moves its batch statistics twice.
"""

import math
from typing import Literal

from torch import Tensor
from torch.nn import functional

from sidestep.contract import Batch, Signal, Site
from sidestep.errors import UserError
from sidestep.heads.shared.synthesizers import Synthesizer
from sidestep.settings import Natural, Positive


class SyntheticGradient(Signal):
    """The output times the predicted gradient, plus the error of the prediction.

    The former's gradient is the prediction and teaches the block alone; the latter teaches the
    synthesizer alone.

    Attributes:
        synthesizer: predicts the gradient times `factor`, N×…, of the output and labels.
    """

    needs_feedback = True

    def __init__(
        self, synthesizer: Synthesizer, *, needs_labels: bool, regression: float, unit: bool
    ) -> None:
        """`regression` is the error's weight; `unit` whether gradients are scaled to unit order."""
        super().__init__()
        self.synthesizer, self.needs_labels = synthesizer, needs_labels
        self.regression, self.unit = regression, unit

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar loss of outputs N×…

        Raises:
            ValueError: the batch has no feedback.
        """
        if batch.feedback is None:
            raise ValueError("a synthetic gradient has no feedback to learn from")
        labels = batch.labels if self.needs_labels else None
        predicted = self.synthesizer(output.detach(), labels)
        factor = self.factor(output)
        gradient = predicted.detach() / factor
        if self.unit:
            error = functional.mse_loss(predicted, batch.feedback * factor)
        else:
            error = functional.mse_loss(predicted, batch.feedback, reduction="sum") / len(output)
        loss: Tensor = (output * gradient).sum() + self.regression * error
        return loss

    def factor(self, output: Tensor) -> float:
        """What the synthesizer predicts over what the block learns from: N √D, or 1."""
        return len(output) * math.sqrt(output[0].numel()) if self.unit else 1.0


def build(
    site: Site,
    *,
    synthesizer: Literal["fitting", "convolutional", "dense"] = "fitting",
    context: Literal["none", "labels"] = "none",
    hidden: Natural = 0,
    depth: Natural = 2,
    regression: Positive = 1.0,
    scale: Literal["unit", "raw"] = "unit",
) -> Signal:
    """The signal for a stage.

    The gradient of a batch's mean loss falls as 1/N with its N images and as 1/√D with the D elements
    of an output, down to 10⁻⁵ and less, and errors of such targets with it (trap T1-2). Adam moves each
    weight by about its learning rate however small the error is, which overshoots such targets;
    `unit` brings them to the order of 1.

    Args:
        site: of the stage, with outputs (C, H, W) or (D,).
        synthesizer: `fitting`: convolutional for maps, dense for vectors.
        context: `labels`: the synthesizer sees the labels too (cDNI).
        hidden: channels or neurons of its hidden layers; 0 for as many as the output has.
        depth: number of its hidden layers.
        regression: weight of the prediction's error.
        scale: `unit`: the synthesizer predicts N √D times the gradient, and its error is the mean
            square over images and elements. `raw`, as published: it predicts the gradient, and its
            error is the sum of squares over elements, as a mean over images.

    Raises:
        UserError: a convolutional synthesizer is asked for where outputs are vectors.
    """
    shape = site.output_shape
    maps = len(shape) == 3
    if synthesizer == "convolutional" and not maps:
        raise UserError(
            f"the convolutional synthesizer needs maps but the stage gives a vector of {shape[0]}: "
            f"ask for synthesizer: fitting or dense"
        )
    network = Synthesizer(
        shape,
        convolutional=maps and synthesizer != "dense",
        hidden=hidden,
        depth=depth,
        classes=site.classes if context == "labels" else 0,
    )
    return SyntheticGradient(
        network, needs_labels=context == "labels", regression=regression, unit=scale == "unit"
    )

"""Reconstruction: the input image should be found in the stage's output, by a decoder of the signal's own.

AlonNT's third iteration: local learning that needs no labels. The decoder is [transposed conv 2×2 of
stride 2 to half the channels – BN – ReLU] until its maps are as large as the image, then a conv 1×1 to
the image's channels; the loss is the mean absolute difference. Departures: the original read a block's
maps before its pool and its classifier after it, here both read the stage's output, so that there is one
doubling more; a vector of D, which it had none of, is decoded as D maps of 1 × 1; and maps that do not
double to the image's size are interpolated to it bilinearly at the end.
"""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from sidestep.contract import Batch, Signal, Site
from sidestep.heads import mlp
from sidestep.heads.shared.pooling import as_maps
from sidestep.settings import Fraction, Natural


class Reconstruction(Signal):
    """Mean absolute difference to the images, mixed with a cross-entropy if there is a classifier.

    Attributes:
        decoder: outputs N×… → images N×C×H×W.
        classifier: outputs → logits N×classes, or None.
    """

    def __init__(
        self,
        decoder: nn.Module,
        classifier: nn.Module | None,
        *,
        shift: tuple[int, int],
        prediction: float,
    ) -> None:
        """`shift` is in pixels down and to the right; `prediction` is the classifier's weight."""
        super().__init__()
        self.decoder, self.classifier = decoder, classifier
        self.shift, self.prediction = shift, prediction
        self.needs_labels = classifier is not None

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar loss of outputs N×…"""
        target = batch.images
        if any(self.shift):
            target = target.roll(self.shift, dims=(2, 3))
        decoded = self.decoder(output)
        if decoded.shape != target.shape:
            decoded = functional.interpolate(decoded, target.shape[2:], mode="bilinear")
        apart = functional.l1_loss(decoded, target)
        if self.classifier is None:
            return apart
        said = functional.cross_entropy(self.classifier(output), batch.labels)
        return (1 - self.prediction) * apart + self.prediction * said

    def logits(self, output: Tensor) -> Tensor | None:
        """Those of the classifier, if there is one."""
        return None if self.classifier is None else self.classifier(output)


def build(
    site: Site,
    *,
    shift: Literal["none", "rising"] = "none",
    prediction: Fraction = 0.0,
    width: Natural = 256,
) -> Signal:
    """The signal for a stage.

    Args:
        site: of the stage, with outputs (C, H, W) or (D,).
        shift: `rising`: the image to be found is rolled circularly along both axes, by 5/32 of its
            side at the first stage, rising linearly with depth to 16/32 at the last one. The original's
            convolutions were circular then; those of this decoder reach over no edge.
        prediction: weight of the cross-entropy of a classifier; reconstruction has the rest.
        width: of the classifier's one hidden layer; 0 for as many neurons as it has inputs.
    """
    sides = site.image_shape[1:]
    part = (5 + 11 * site.depth) / 32 if shift == "rising" else 0.0
    classifier = mlp.build(site, depth=1, width=width) if prediction > 0 else None
    return Reconstruction(
        _decoder(site),
        classifier,
        shift=(round(sides[0] * part), round(sides[1] * part)),
        prediction=prediction,
    )


def _decoder(site: Site) -> nn.Sequential:
    """Outputs N×… → N × the image's channels × at least its height × at least its width."""
    colours, *sides = site.image_shape
    channels, height, width = as_maps(site.output_shape)
    parts: list[nn.Module] = []
    if len(site.output_shape) == 1:
        parts.append(nn.Unflatten(1, (channels, 1, 1)))
    while height < sides[0] or width < sides[1]:
        fewer = max(channels // 2, colours)
        parts += [
            nn.ConvTranspose2d(channels, fewer, 2, stride=2),
            nn.BatchNorm2d(fewer),
            nn.ReLU(),
        ]
        channels, height, width = fewer, 2 * height, 2 * width
    return nn.Sequential(*parts, nn.Conv2d(channels, colours, 1))

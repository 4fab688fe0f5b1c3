"""Similarity matching (Nøkland & Eidnes 2019): outputs should be as alike as their labels are.

The squared difference between two matrices of cosine similarities over the images of a batch: that
of the stage's output, seen through a small linear layer of the signal's own, and that of the labels
as one-hot vectors. A convolution's output passes a 3 × 3 convolution without bias, of which the
standard deviation of each map is kept; a vector passes a linear layer without bias. Vectors are
centred over their own features, as in the published code. `prediction` mixes in the loss of a linear
classifier, as in the authors' “predsim” (there 0.01).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sidestep.contract import Batch, Signal, Site
from sidestep.settings import Fraction

# The classifier of “predsim” sees a convolution's output pooled to at most so many values.
PREDICTED_FROM = 2048


class SimilarityMatching(Signal):
    """Mean squared difference of similarities, mixed with a cross-entropy if asked for."""

    def __init__(self, output_shape: tuple[int, ...], classes: int, prediction: float) -> None:
        """The head, and the classifier if `prediction` is not zero."""
        super().__init__()
        self.classes, self.prediction = classes, prediction
        channels = output_shape[0]
        self.maps = len(output_shape) == 3
        self.head: nn.Module = (
            nn.Conv2d(channels, channels, 3, padding=1, bias=False)
            if self.maps
            else nn.Linear(channels, channels, bias=False)
        )
        self.side = 1
        if prediction:
            if self.maps:
                self.side = max(1, min(output_shape[1], math.isqrt(PREDICTED_FROM // channels)))
            self.classifier = nn.Linear(channels * self.side**2, classes)

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar loss of outputs N×C×H×W or N×D."""
        seen = self.head(output)
        if self.maps:
            seen = _deviation(seen)
        wanted = functional.one_hot(batch.labels, self.classes).to(seen.dtype)
        alike = functional.mse_loss(_similarities(seen), _similarities(wanted))
        if not self.prediction:
            return alike
        pooled = functional.adaptive_avg_pool2d(output, self.side) if self.maps else output
        said = functional.cross_entropy(self.classifier(pooled.flatten(1)), batch.labels)
        return (1 - self.prediction) * alike + self.prediction * said


def _deviation(maps: Tensor) -> Tensor:
    """Standard deviation of each map, N×C, with a finite gradient for a constant map."""
    flat = maps.flatten(2)
    variance = flat.var(dim=2) if flat.shape[2] > 1 else flat.square().squeeze(2)
    return (variance + 1e-12).sqrt()


def _similarities(values: Tensor) -> Tensor:
    """Cosine of each pair of rows (N×D), each centred over its own features: N×N, from −1 to 1."""
    centred = values - values.mean(dim=1, keepdim=True)
    unit = centred / (1e-8 + torch.linalg.vector_norm(centred, dim=1, keepdim=True))
    similarities: Tensor = unit @ unit.T
    return similarities


def build(site: Site, *, prediction: Fraction = 0.0) -> Signal:
    """The signal for a stage.

    Args:
        site: of the stage, with outputs (C, H, W) or (D,).
        prediction: weight of the classifier's loss; the similarity loss has the rest.
    """
    return SimilarityMatching(site.output_shape, site.classes, prediction)

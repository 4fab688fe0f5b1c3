"""A network as it was at one recorded epoch, with the data: all that a metric may see."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sidestep import targets
from sidestep.contract import Batch
from sidestep.data.dataset import Dataset
from sidestep.data.load import Images
from sidestep.data.prepare import Preparation, preparation
from sidestep.errors import UserError
from sidestep.measuring.activations import Activations, stream
from sidestep.measuring.principal import (
    InputMoments,
    Principal,
    input_moments,
    moments_of,
    principal,
)
from sidestep.seeds import derive
from sidestep.training.evaluation import Score, evaluate

NOISE_IMAGES = 10_000
_NEEDS = "this metric needs a network whose first stage is a linear layer, such as 'mlp'"


@dataclass
class Library:
    """Images by split, prepared once for all networks of a job; `noise` is made on demand."""

    dataset: Dataset
    splits: dict[str, Images]
    _normalised: dict[str, Tensor] = field(default_factory=dict)
    _moments: dict[str, InputMoments] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the run's own splits."""
        return tuple(name for name in self.splits if name != "noise")

    def images(self, name: str) -> Images:
        """The images of a split.

        Raises:
            UserError: the run has no such split.
        """
        if name == "noise" and name not in self.splits:
            if not self.dataset.pixels:
                raise UserError(f"dataset '{self.dataset.name}' has no pixels to make noise of")
            self.splits["noise"] = noise(self.dataset)
        if name not in self.splits:
            raise UserError(f"there are no '{name}' images; known: {', '.join(self.splits)}, noise")
        return self.splits[name]

    def normalised(self, name: str) -> Tensor:
        """The images of a split as networks see them, float32 N×C×H×W."""
        if name not in self._normalised:
            self._normalised[name] = self.preparation.inputs(self.images(name).images)
        return self._normalised[name]

    @cached_property
    def preparation(self) -> Preparation:
        """What was learned from the training images."""
        return preparation(self.splits["train"], self.dataset)

    def labels(self, name: str) -> Tensor:
        """The labels of a split as losses take them."""
        return self.preparation.labels(self.images(name).labels)

    def moments(self, name: str) -> InputMoments:
        """Mean and covariance of the normalised images of a split."""
        if name not in self._moments:
            self._moments[name] = (
                input_moments(self.images(name).images, self.dataset)
                if self.dataset.pixels
                else moments_of(self.normalised(name))
            )
        return self._moments[name]


def noise(dataset: Dataset) -> Images:
    """Images whose pixels are independent and uniform over all bytes; labels are to be given."""
    generator = torch.Generator().manual_seed(derive(0, "noise images"))
    shape = (NOISE_IMAGES, *dataset.shape)
    pixels = torch.randint(0, dataset.scale + 1, shape, dtype=torch.uint8, generator=generator)
    return Images(pixels, torch.zeros(NOISE_IMAGES, dtype=torch.int64))


@dataclass
class Snapshot:
    """One network at one epoch; what several metrics need is computed once.

    Attributes:
        network: in evaluation mode, on the CPU.
        epoch: recorded epoch.
        last: whether it is the run's last one.
        seed: of the run.
        library: the images.
        splits: names of the run's own splits, `train` first.
    """

    network: nn.Sequential
    epoch: int
    last: bool
    seed: int
    library: Library
    splits: tuple[str, ...]
    _scores: dict[str, Score] = field(default_factory=dict)
    _activations: dict[str, Activations] = field(default_factory=dict)
    _principal: dict[str, Principal] = field(default_factory=dict)
    _factors: tuple[Tensor, Tensor, Tensor] | None = None

    @property
    def hidden(self) -> nn.Linear:
        """The linear layer of the first stage, whose size is in question.

        Raises:
            UserError: the network's first stage is not a linear layer with a nonlinearity.
        """
        linear = getattr(self._first_stage, "linear", None)
        if not isinstance(linear, nn.Linear):
            raise UserError(_NEEDS)
        return linear

    @property
    def _first_stage(self) -> nn.Sequential:
        first = self.network[0]
        if not isinstance(first, nn.Sequential):
            raise UserError(_NEEDS)
        return first

    def split_hidden(self) -> tuple[nn.Module, nn.Module, nn.Module]:
        """The first stage up to its linear layer, what follows that in it, and the stages after it.

        What follows is the nonlinearity, and a gate if the stage has one.
        """
        first = self._first_stage
        before = [name for name, _ in first.named_children()].index("linear") + 1
        return first[:before], first[before:], self.network[1:]

    def labels(self, images: str) -> Tensor:
        """Labels of a split; those of the noise are what the network itself says of it."""
        if images != "noise":
            return self.library.labels(images)
        with torch.no_grad():
            parts = self.library.normalised(images).split(1000)
            return torch.cat([self.network(part).argmax(1) for part in parts])

    def batch(self, images: str) -> Batch:
        """A split as one batch."""
        return Batch(self.library.normalised(images), self.labels(images))

    def score(self, images: str) -> Score:
        """Loss, and accuracy or R², over a split; a pass that other metrics need as well is not made twice."""
        if images not in self._scores:
            first = getattr(self.network[0], "linear", None)
            classes = not targets.of_numbers(self.labels(images))
            if isinstance(first, nn.Linear) and len(self.network) > 1 and classes:
                seen = self.activations(images)
                self._scores[images] = Score(seen.loss, seen.accuracy)
            else:
                self._scores[images] = evaluate(self.network, self.batch(images))
        return self._scores[images]

    def stage_outputs(self, images: str, count: int) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Each stage's name, its outputs for the first images of a split, and their labels."""
        hidden = self.library.normalised(images)[:count]
        labels = self.labels(images)[:count]
        for name, stage in self.network.named_children():
            with torch.no_grad():
                hidden = torch.cat([stage(part) for part in hidden.split(500)])
            yield name, hidden, labels

    def activations(self, images: str) -> Activations:
        """Moments of the hidden activations over a split."""
        if images not in self._activations:
            width, data = self.hidden.out_features, self.batch(images)
            parts = self.split_hidden()
            self._activations[images] = stream(parts, width, data.images, data.labels)
        return self._activations[images]

    def variance_before(self, images: str) -> NDArray[np.float64]:
        """Variance of each hidden pre-activation over a split, divisor n: wᵀ Σ w, exact."""
        weight = self.hidden.weight.detach().double().cpu().numpy()
        covariance = self.library.moments(images).covariance
        variance: NDArray[np.float64] = np.einsum("ij,ij->i", weight @ covariance, weight)
        return np.clip(variance, 0.0, None)

    def principal(self, images: str) -> Principal:
        """Principal components of the hidden pre-activations over a split."""
        if images not in self._principal:
            linear = self.hidden
            moments = self.library.moments(images)
            self._principal[images] = principal(linear.weight, linear.bias, moments)
        return self._principal[images]

    def weight_factors(self) -> tuple[Tensor, Tensor, Tensor]:
        """The hidden weights' singular value decomposition: (width, r), (r,), (r, inputs); r whole."""
        if self._factors is None:
            left, values, right = torch.linalg.svd(self.hidden.weight.detach(), full_matrices=False)
            self._factors = (left, values, right)
        return self._factors

    def squared_singular_values(self) -> NDArray[np.float64]:
        """Squared singular values of the hidden weights, descending."""
        values: NDArray[np.float64] = self.weight_factors()[1].double().numpy() ** 2
        return values


def geometric_grid(last: int, ratio: float = 1.12) -> Iterator[int]:
    """Whole numbers from 0 to `last`, ever sparser: neighbours differ by 1 or by the ratio."""
    value = 0
    while value < last:
        yield value
        value = max(value + 1, round(value * ratio))
    yield last

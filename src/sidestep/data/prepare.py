"""From a dataset's stored arrays to what networks see: normalised, standardised or projected.

Whatever is estimated (means and deviations of a table's columns and of its target, principal
components) is estimated on a run's training part alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from sidestep.data.dataset import Dataset
from sidestep.data.load import Images, normalise
from sidestep.errors import UserError


@dataclass(frozen=True)
class Preparation:
    """What was learned from the training part, to be done to every part.

    Attributes:
        dataset: whose images or rows.
        mean: (D,), subtracted from flattened inputs; None to leave pixels as they are normalised.
        basis: (D, K), by which centred inputs are multiplied then: a principal component scaled to unit
            variance a column, or None to divide by `deviation`.
        deviation: (D,), of the inputs; 1 for a column that does not vary.
        target_mean: of the target; 0 for classes.
        target_deviation: of the target; 1 for classes.
    """

    dataset: Dataset
    mean: Tensor | None = None
    basis: Tensor | None = None
    deviation: Tensor | None = None
    target_mean: float = 0.0
    target_deviation: float = 1.0

    def inputs(self, images: Tensor) -> Tensor:
        """What a network is given, float32, N×C×H×W.

        Args:
            images: stored images or rows, N×C×H×W.
        """
        inputs = images if self.dataset.features else normalise(images, self.dataset)
        if self.mean is None:
            return inputs
        centred = inputs.flatten(1).double() - self.mean
        if self.basis is not None:
            centred = centred @ self.basis
        elif self.deviation is not None:
            centred = centred / self.deviation
        return centred.float().reshape(-1, *self.dataset.input_shape)

    def labels(self, labels: Tensor) -> Tensor:
        """Classes as they are, N, int64; numbers in deviations from their mean, N×1, float32.

        Args:
            labels: stored, N.
        """
        if self.dataset.target == "class":
            return labels
        scaled = (labels.double() - self.target_mean) / self.target_deviation
        return scaled.float().unsqueeze(1)


def preparation(train: Images, dataset: Dataset) -> Preparation:
    """Learn from a training part.

    Raises:
        UserError: a table's values or numbers are not finite, the target is the same in every image
            or row, or there are fewer of them than components.
    """
    labels = train.labels.double()
    if (dataset.features and not train.images.isfinite().all()) or not labels.isfinite().all():
        raise UserError(
            f"dataset '{dataset.name}' has training values that are missing or infinite"
        )
    if dataset.labelled and len(labels) and bool((labels == labels[0]).all()):
        what = "class" if dataset.target == "class" else "value of the target"
        raise UserError(
            f"the {len(labels)} training images of dataset '{dataset.name}' have one {what} only, "
            f"{float(labels[0]):g}: there is nothing to learn"
        )
    target = (0.0, 1.0)
    if dataset.target == "number":
        target = (float(labels.mean()), float(labels.std(correction=0)))
    if dataset.pixels:
        return Preparation(dataset)
    plain = Preparation(dataset).inputs(train.images).flatten(1).double()
    mean = plain.mean(0)
    if dataset.components:
        basis = _components(plain - mean, dataset)
        return Preparation(dataset, mean, basis, None, *target)
    deviation = plain.std(0, correction=0)
    varying = deviation > torch.finfo(torch.float32).eps * mean.abs()
    deviation = torch.where(varying, deviation, 1.0)
    return Preparation(dataset, mean, None, deviation, *target)


def prepare(parts: Mapping[str, Images], dataset: Dataset) -> dict[str, tuple[Tensor, Tensor]]:
    """Inputs and labels of every part, as `Preparation` describes them, learned from `train`."""
    learned = preparation(parts["train"], dataset)
    return {
        name: (learned.inputs(part.images), learned.labels(part.labels))
        for name, part in parts.items()
    }


def _components(centred: Tensor, dataset: Dataset) -> Tensor:
    """The first principal components as columns, each over its standard deviation, D×K.

    The sign of a component is no property of the data: its largest entry is made positive.
    """
    count = dataset.components
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
    values, vectors = values.flip(0)[:count], vectors.flip(1)[:, :count]
    if len(values) < count or values[-1] <= torch.finfo(torch.float32).eps * values[0]:
        raise UserError(
            f"the {len(centred)} training images of dataset '{dataset.name}' do not vary in {count} "
            f"directions: raise train_images"
        )
    largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
    components: Tensor = vectors * largest.sign() / values.sqrt()
    return components

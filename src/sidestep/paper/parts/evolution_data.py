"""The data sets of the study of graphs that evolve, as their own files describe them.

They are imported by name, so that the fingerprint of the paper's numbers covers them.
"""

import math

from sidestep.data.dataset import Dataset
from sidestep.datasets import breast_cancer, diabetes, digits, mnist, mnist_components, wine
from sidestep.paper.parts.words import dataset_name

DATASETS: dict[str, Dataset] = {
    module.DATASET.name: module.DATASET
    for module in (breast_cancer, diabetes, digits, mnist, mnist_components, wine)
}


def title(dataset: str) -> str:
    """A data set's name in text, whether or not figures have one."""
    known = dataset_name(dataset)
    return DATASETS[dataset].title if known == dataset and dataset in DATASETS else known


def inputs_of(dataset: str) -> int | None:
    """How many inputs a network of a data set has; None for one that is not among the study's."""
    return math.prod(DATASETS[dataset].input_shape) if dataset in DATASETS else None

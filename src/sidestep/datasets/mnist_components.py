"""MNIST seen through the first 20 principal components of its training images (LeCun et al., 1998).

The files are MNIST's; the components are computed from the training images of each run.
"""

from dataclasses import replace

from sidestep.datasets import mnist

DATASET = replace(
    mnist.DATASET,
    name="mnist_components",
    title="MNIST, 20 components",
    components=20,
    same_as="mnist",
)

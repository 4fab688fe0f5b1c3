"""Principal components of a first layer's pre-activations, from the covariance of its inputs.

A first layer's pre-activations z = W x + b are affine in the input, so their whole covariance is
W Σ Wᵀ with Σ the inputs' covariance: one pass over the images serves networks of any width, and no
matrix larger than the input's dimension is ever decomposed.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sidestep.data.dataset import Dataset

Matrix = NDArray[np.float64]
# 255² × 256 < 2²⁴: a float32 product of this many rows of bytes is exact.
EXACT_ROWS = 256
# Singular values below this share of the largest are rounding, not variance.
RANK_TOLERANCE = 1e-7


@dataclass(frozen=True)
class InputMoments:
    """Mean (d,) and covariance (d, d; divisor n) of normalised inputs, flattened, over n images."""

    mean: Matrix
    covariance: Matrix
    n: int

    @cached_property
    def root(self) -> Matrix:
        """A square root R of the covariance, R Rᵀ = Σ: eigenvectors times root eigenvalues."""
        values, vectors = np.linalg.eigh(self.covariance)
        scaled: Matrix = vectors * np.sqrt(np.clip(values, 0.0, None))
        return scaled


def moments_of(inputs: Tensor) -> InputMoments:
    """Moments of inputs that are no bytes, N×…, in float64."""
    flat = inputs.flatten(1).double()
    mean = flat.mean(0)
    centred = flat - mean
    return InputMoments(mean.numpy(), (centred.T @ centred / len(flat)).numpy(), len(flat))


def input_moments(images: Tensor, dataset: Dataset) -> InputMoments:
    """Exact moments of bytes, carried over to normalised values.

    Sums of products of bytes are whole numbers; each block's are exact in float32 and their total
    is exact in float64.

    Args:
        images: uint8, N×C×H×W.
        dataset: its normalisation, (x / scale − mean) / deviation per channel.
    """
    flat = images.flatten(1)
    d = flat.shape[1]
    sums = torch.zeros(d, dtype=torch.float64)
    products = torch.zeros(d, d, dtype=torch.float64)
    for block in flat.split(EXACT_ROWS):
        values = block.float()
        sums += values.sum(0)
        products += values.T @ values
    n = len(flat)
    mean = sums / n
    covariance = products / n - torch.outer(mean, mean)
    pixels = d // len(dataset.mean)
    shift = torch.tensor(dataset.mean, dtype=torch.float64).repeat_interleave(pixels)
    deviation = torch.tensor(dataset.deviation, dtype=torch.float64).repeat_interleave(pixels)
    factor = 1 / (dataset.scale * deviation)
    return InputMoments(
        mean=((mean / dataset.scale - shift) / deviation).numpy(),
        covariance=(covariance * torch.outer(factor, factor)).numpy(),
        n=n,
    )


@dataclass(frozen=True)
class Principal:
    """Principal components of pre-activations over n images.

    Attributes:
        eigenvalues: of the covariance with divisor n − 1, descending, `min(width, d)` of them.
        components: one a column, (width, rank), of the eigenvalues that are not rounding; each has
            its largest entry positive, as scikit-learn's have.
        mean: of the pre-activations, (width,).
        n: number of images.
    """

    eigenvalues: Matrix
    components: Matrix
    mean: Matrix
    n: int


def principal(weight: Tensor, bias: Tensor, moments: InputMoments) -> Principal:
    """Decompose the covariance W Σ Wᵀ through whichever of its two Gram matrices is smaller.

    Args:
        weight: (width, d).
        bias: (width,).
        moments: of the inputs that the layer sees.
    """
    w = weight.detach().double().cpu().numpy()
    half = w @ moments.root
    if w.shape[0] <= w.shape[1]:
        squares, left = np.linalg.eigh(half @ half.T)
        squares, left = squares[::-1], left[:, ::-1]
        rank = _rank(squares)
        components = left[:, :rank]
    else:
        squares, right = np.linalg.eigh(half.T @ half)
        squares, right = squares[::-1], right[:, ::-1]
        rank = _rank(squares)
        components = half @ right[:, :rank] / np.sqrt(squares[:rank])
    largest = np.abs(components).argmax(axis=0)
    components = components * np.sign(components[largest, np.arange(rank)])
    n = moments.n
    return Principal(
        eigenvalues=np.clip(squares, 0.0, None) * n / max(n - 1, 1),
        components=np.ascontiguousarray(components),
        mean=w @ moments.mean + bias.detach().double().cpu().numpy(),
        n=n,
    )


def _rank(squares: Matrix) -> int:
    """Number of squared singular values above rounding; at least one."""
    return max(1, int((squares > squares[0] * RANK_TOLERANCE**2).sum())) if len(squares) else 0

"""Estimates of the Kullback–Leibler divergence between samples, differentiable in every value.

All are in nats. Two ways: through the moments of a Gaussian, for which the divergence is known in
closed form, and through distances to nearest neighbours (Wang, Kulkarni & Verdú 2009, eq. 5; shown
to converge by Pérez-Cruz 2008), which assumes no shape.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

# Added to variances, relative to their mean (and its square to squared distances), so that samples
# with duplicates stay finite.
TINY = 1e-6


class Moments(NamedTuple):
    """Means (K×d) and covariances (K×d×d, or K×d if diagonal) of K Gaussians."""

    mean: Tensor
    covariance: Tensor


def moments(samples: Sequence[Tensor], *, shrinkage: float, full: bool) -> Moments:
    """Moments of K samples (n_k×d, n_k ≥ 2), each covariance drawn towards one that all share.

    That one is spherical, with the mean variance within the samples: Σ_k = (1 − shrinkage) S_k +
    shrinkage σ² I, where S_k has the divisor n_k. A batch has fewer images of a class than there are
    dimensions, so that S_k alone could not be inverted.
    """
    mean = torch.stack([sample.mean(0) for sample in samples])
    centred = [sample - centre for sample, centre in zip(samples, mean, strict=True)]
    variance = torch.stack([part.square().mean(0) for part in centred])
    shared = variance.mean()
    # Of all values about their mean: a divergence does not change if every value is shifted.
    scale = torch.cat(list(samples)).var(0, correction=0).mean()
    target = shrinkage * shared + TINY * scale + torch.finfo(mean.dtype).tiny
    if not full:
        return Moments(mean, (1 - shrinkage) * variance + target)
    products = torch.stack([part.T @ part / len(part) for part in centred])
    identity = torch.eye(mean.shape[1], dtype=mean.dtype, device=mean.device)
    return Moments(mean, (1 - shrinkage) * products + target * identity)


def gaussian(found: Moments) -> Tensor:
    """D(P_i‖P_j) for all ordered pairs of K Gaussians, K×K; zero on the diagonal.

    ½ [tr(Σ_j⁻¹ Σ_i) + (μ_j − μ_i)ᵀ Σ_j⁻¹ (μ_j − μ_i) − d + ln(det Σ_j / det Σ_i)]
    """
    mean, covariance = found
    apart = mean[None, :, :] - mean[:, None, :]
    if covariance.ndim == 2:
        ratio = covariance[:, None, :] / covariance[None, :, :]
        distance = apart.square() / covariance[None, :, :]
        pairs: Tensor = 0.5 * (ratio + distance - 1 - ratio.log()).sum(-1)
        return pairs
    # Values that are not finite must end in a loss that is not, which the loop records, not in an error.
    factor, failed = torch.linalg.cholesky_ex(covariance)
    factor = factor.masked_fill((failed != 0)[:, None, None], torch.nan)
    inverse = torch.cholesky_inverse(factor)
    trace = torch.einsum("jab,iba->ij", inverse, covariance)
    distance = torch.einsum("ija,jab,ijb->ij", apart, inverse, apart)
    logarithm = 2 * factor.diagonal(dim1=1, dim2=2).log().sum(1)
    volumes = logarithm[None, :] - logarithm[:, None]
    divergence: Tensor = 0.5 * (trace + distance - mean.shape[1] + volumes)
    return divergence


def nearest_neighbours(samples: Sequence[Tensor], *, k: int) -> Tensor:
    """D(P_i‖P_j) for all ordered pairs of K samples (n_i×d), K×K; the diagonal is set to zero.

    d/n_i Σ_x ln(ν_k(x) / ρ_k(x)) + ln(n_j / (n_i − 1)), where ρ_k(x) is the distance from x to its
    k-th nearest neighbour in its own sample and ν_k(x) that in the other one.

    Raises:
        ValueError: a sample has fewer than k + 1 values.
    """
    smallest = min(len(sample) for sample in samples)
    if smallest < k + 1:
        raise ValueError(f"a sample has {smallest} values, but k = {k} neighbours need {k + 1}")
    values = torch.cat(list(samples))
    sizes = [len(sample) for sample in samples]
    with torch.no_grad():
        distances = torch.cdist(values, values, compute_mode="donot_use_mm_for_euclid_dist")
        distances.fill_diagonal_(torch.inf)
        starts = [sum(sizes[:index]) for index in range(len(sizes))]
        # Row by row, which value of each sample is the k-th nearest: N×K.
        chosen = torch.stack(
            [
                start + part.kthvalue(k, dim=1).indices
                for start, part in zip(starts, distances.split(sizes, dim=1), strict=True)
            ],
            dim=1,
        )
    # By differences, and of the chosen pairs alone: small distances are what counts, and a matrix
    # product would lose them.
    squared = (values[:, None, :] - values[chosen]).square().sum(2)
    floor = TINY**2 * values.var(0, correction=0).sum() + torch.finfo(values.dtype).tiny
    # Half the logarithm of a squared distance is the logarithm of the distance.
    logarithm = 0.5 * (squared + floor).log()
    mean = torch.stack([part.mean(0) for part in logarithm.split(sizes, dim=0)])
    count = values.new_tensor(sizes)
    ratio = count.log()[None, :] - (count - 1).log()[:, None]
    found = values.shape[1] * (mean - mean.diagonal()[:, None]) + ratio
    return found.masked_fill(torch.eye(len(sizes), dtype=torch.bool, device=values.device), 0.0)

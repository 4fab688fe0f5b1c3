"""Divergence: the distributions of a stage's outputs, one for each label, should differ as much as can be.

The older work's second idea, which it put on the shelf because a divergence needs densities and
there are only samples. Two estimates do without a generative model (`sidestep.divergences`):
Gaussians with the samples' own moments, and distances to nearest neighbours.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from sidestep import divergences
from sidestep.contract import Batch, Signal, Site
from sidestep.settings import Count, Fraction


class Divergence(Signal):
    """Minus the mean divergence over ordered pairs of classes, or of its logarithm.

    Attributes:
        projection: d×dimensions, orthonormal columns, fixed; absent if there are few features.
    """

    projection: Tensor | None

    def __init__(
        self,
        features: int,
        *,
        estimator: str,
        shrinkage: float,
        k: int,
        pool: int,
        dimensions: int,
        growth: str,
    ) -> None:
        """`features` is the length of a pooled and flattened output."""
        super().__init__()
        self.estimator, self.shrinkage, self.k = estimator, shrinkage, k
        self.pool, self.growth = pool, growth
        self.least_per_class = k + 1 if estimator == "nearest_neighbours" else 0
        projection = None
        if features > dimensions:
            projection = torch.empty(features, dimensions)
            nn.init.orthogonal_(projection)
        self.register_buffer("projection", projection)

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar loss; classes with too few images in the batch are left out."""
        values = self.reduced(output)
        present = [values[batch.labels == label] for label in batch.labels.unique()]
        # Two have a variance; a k-th neighbour needs k others.
        least = self.k + 1 if self.estimator == "nearest_neighbours" else 2
        samples = [sample for sample in present if len(sample) >= least]
        if len(samples) < 2:
            return values.sum() * 0.0
        if self.estimator == "nearest_neighbours":
            found = divergences.nearest_neighbours(samples, k=self.k)
            # An estimate may fall below zero, where the logarithm must still be defined.
            found = functional.softplus(found) if self.growth == "logarithm" else found
        else:
            full = self.estimator == "gaussian_full"
            found = divergences.gaussian(
                divergences.moments(samples, shrinkage=self.shrinkage, full=full)
            )
        others = ~torch.eye(len(samples), dtype=torch.bool, device=values.device)
        apart = found[others]
        return -(apart.log1p() if self.growth == "logarithm" else apart).mean()

    def reduced(self, output: Tensor) -> Tensor:
        """Outputs as N×d with d at most `dimensions`: maps pooled, then projected."""
        if output.ndim == 4:
            output = functional.adaptive_avg_pool2d(output, self.pool)
        flat = output.flatten(1)
        return flat if self.projection is None else flat @ self.projection


def build(
    site: Site,
    *,
    estimator: Literal[
        "gaussian_full", "gaussian_diagonal", "nearest_neighbours"
    ] = "gaussian_diagonal",
    shrinkage: Fraction = 0.5,
    k: Count = 3,
    pool: Count = 4,
    dimensions: Count = 64,
    growth: Literal["linear", "logarithm"] = "logarithm",
) -> Signal:
    """The signal for a stage.

    Args:
        site: of the stage, with outputs (C, H, W) or (D,).
        estimator: of the divergence.
        shrinkage: of the Gaussians' covariances towards the spherical one that all classes share.
        k: which nearest neighbour; every batch must then have k + 1 images of each class.
        pool: maps are averaged down to at most pool × pool values.
        dimensions: if there are more values, a random projection to so many.
        growth: a divergence has no upper bound, so that `linear` lets one pair of classes that is
            apart already draw the gradient; under `logarithm` (of 1 + D) a pair counts the less
            the further it is apart.
    """
    features = site.output_shape[0]
    if len(site.output_shape) == 3:
        pool = min(pool, *site.output_shape[1:])
        features *= pool * pool
    return Divergence(
        features,
        estimator=estimator,
        shrinkage=shrinkage,
        k=k,
        pool=pool,
        dimensions=dimensions,
        growth=growth,
    )

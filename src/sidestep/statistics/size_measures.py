"""The measures of a layer that might tell its size, in one table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SizeMeasure:
    """A measure of a layer; all of them are correlated with accuracy and over-fitting.

    Attributes:
        metric: as in the study's table.
        images: that it is taken on; empty for a function of the weights alone.
        drawn: whether the figures of all measures show it; the others are close to one that is.
    """

    metric: str
    images: str
    drawn: bool = True


SIZE_MEASURES = (
    SizeMeasure("sum_of_spread", "train"),
    SizeMeasure("sum_of_variance", "train", drawn=False),
    SizeMeasure("mean_spread", "train"),
    SizeMeasure("dead_neurons", "train", drawn=False),
    SizeMeasure("dead_share", "train"),
    SizeMeasure("normality_all", "train"),
    SizeMeasure("normality_living", "train"),
    SizeMeasure("exponential_normal_share", "train"),
    SizeMeasure("two_gammas_share", "train"),
    SizeMeasure("participation_ratio", "train"),
    SizeMeasure("entropy_rank", "train"),
    SizeMeasure("components_for_95", "train"),
    SizeMeasure("components_for_99", "train", drawn=False),
    SizeMeasure("weight_participation_ratio", ""),
    SizeMeasure("weight_entropy_rank", ""),
    SizeMeasure("weight_stable_rank", ""),
    SizeMeasure("weight_components_for_95", "", drawn=False),
    SizeMeasure("low_rank", "test"),
    SizeMeasure("low_rank_parameters", "test", drawn=False),
)

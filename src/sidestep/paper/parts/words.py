"""Names of data sets and metrics as the paper prints them."""

from sidestep.style import LABELS, TITLES

# Names that read well within a sentence, where those of the figures do not.
_NAMES = {
    "normality_all": "$W$ over all neurons",
    "normality_living": "$W$ over living neurons",
    "exponential_normal_share": "the exponential–normal share",
    "two_gammas_share": "the two-gammas share",
}
_HEADS = {
    "normality_all": "$W$, all neurons",
    "normality_living": "$W$, living neurons",
    "exponential_normal_share": "exponential–normal share",
    "two_gammas_share": "two-gammas share",
    "normality_all_peak": "width of largest $W$, all neurons",
    "normality_living_peak": "width of largest $W$, living neurons",
    "accuracy_saturation": "width of saturation",
    "sum_of_variance": "sum of variance",
    "sum_of_variance_before": "sum of variance before the ReLU",
    "reconstruction_error_transposed": "reconstruction error, transposed",
}


def dataset_name(dataset: str) -> str:
    """A data set's name."""
    return TITLES.get(dataset, dataset)


def metric_name(metric: str) -> str:
    """A metric's name in a sentence."""
    return _NAMES.get(metric) or metric_head(metric)


def metric_head(metric: str) -> str:
    """A metric's name in a table."""
    label = LABELS.get(metric, metric.replace("_", " ")).replace("\n", " ")
    return _HEADS.get(metric) or label.replace(" %", "\N{NO-BREAK SPACE}%")

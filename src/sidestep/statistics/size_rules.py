"""The rule by which each metric of a layer says "large enough", in one table, with one sentence each.

The journal of fastdeepnets gives the rules for W ("sweet spot"), for the mixtures and dead neurons (the line y =
0.025); for PCA and the weights it names candidates only, so that the rules for effective ranks are ours: they stop
growing, or they fall below half of the width.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from sidestep.statistics.bootstrap import Rule
from sidestep.statistics.verdicts import argmax_rule, saturation_rule, slack_rule, threshold_rule

THRESHOLD = 0.025
SATURATED_SHARE = 0.05
SLACK_SHARE = 0.5


@dataclass(frozen=True)
class SizeRule:
    """A rule for one metric.

    Attributes:
        metric: as in the study's table.
        images: that the metric is measured on; empty for a function of the weights alone.
        pooled: whether it is also measured on the neurons of all seeds together.
        rule: name of the rule.
        sentence: the rule in words.
        says: the rule as a function of ascending widths and the curve.
    """

    metric: str
    images: str
    pooled: bool
    rule: Literal["argmax", "threshold", "saturation", "slack"]
    sentence: str
    says: Rule


def _peak(neurons: Literal["all", "living"]) -> SizeRule:
    return SizeRule(
        f"normality_{neurons}",
        "train",
        True,
        "argmax",
        f"Large enough at the width where the spread of {neurons} neurons is most normal (largest Shapiro-Wilk W), "
        "unless that is the last width.",
        argmax_rule,
    )


def _threshold(metric: str, name: str, pooled: bool) -> SizeRule:
    note = "" if pooled else "; any threshold is arbitrary, as the journal says"
    return SizeRule(
        metric,
        "train",
        pooled,
        "threshold",
        f"Large enough at the first width from which on {name} stays above {THRESHOLD}{note}.",
        partial(threshold_rule, threshold=THRESHOLD),
    )


def _ranks(metric: str, name: str, images: str) -> tuple[SizeRule, SizeRule]:
    return (
        SizeRule(
            metric,
            images,
            False,
            "saturation",
            f"Large enough at the first width from which on {name} stays within {SATURATED_SHARE:.0%} of its value "
            "at the last width, unless that is the last width.",
            partial(saturation_rule, share=SATURATED_SHARE),
        ),
        SizeRule(
            metric,
            images,
            False,
            "slack",
            f"Large enough at the first width at which {name} is below half of the width, as it must be once the "
            "width is more than twice the number of inputs.",
            partial(slack_rule, share=SLACK_SHARE),
        ),
    )


SIZE_RULES: tuple[SizeRule, ...] = (
    _peak("all"),
    _peak("living"),
    _threshold(
        "exponential_normal_share",
        "the weight of the component of smaller mean in the exponential and normal mixture",
        True,
    ),
    _threshold(
        "two_gammas_share",
        "the weight of the component of smaller mean in the mixture of two gammas",
        True,
    ),
    _threshold("dead_share", "the share of dead neurons", False),
    *_ranks(
        "participation_ratio", "the participation ratio of the pre-activations' spectrum", "train"
    ),
    *_ranks("entropy_rank", "the entropy rank of the pre-activations' spectrum", "train"),
    *_ranks(
        "components_for_95",
        "the number of principal components that hold 95% of the pre-activations' variance",
        "train",
    ),
    *_ranks(
        "components_for_99",
        "the number of principal components that hold 99% of the pre-activations' variance",
        "train",
    ),
    *_ranks(
        "weight_participation_ratio", "the participation ratio of the weights' squared spectrum", ""
    ),
    *_ranks("weight_entropy_rank", "the entropy rank of the weights' squared spectrum", ""),
    *_ranks("weight_stable_rank", "the stable rank of the weights", ""),
    *_ranks(
        "weight_components_for_95",
        "the number of singular values that hold 95% of the weights' squared norm",
        "",
    ),
    *_ranks("low_rank", "the smallest rank of the weights that keeps the test accuracy", "test"),
)

MARGIN_SENTENCE = (
    "Large enough at the smallest width whose mean accuracy is within the margin of the best."
)


def why_it_cannot_change(metric: str) -> str:
    """Why other images cannot change a metric, or why it was not repeated on them; empty where they can."""
    rule = next((rule for rule in SIZE_RULES if rule.metric == metric), None)
    if rule is None or rule.images == "train":
        return ""
    if not rule.images:
        return "a function of the weights alone, which are the same"
    return "measured with the accuracy on the test images, not repeated on the noise"

"""How figures look: one style, and one colour for one thing everywhere.

Colours are Okabe and Ito's (2008), distinguishable to colour-blind readers; widths are drawn along
the perceptually uniform `viridis`, because they are ordered.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Inches: one column of the paper, and its whole text width.
COLUMN, TEXT = 3.4, 7.0

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#999999"

COLOURS = {
    "mnist": BLUE,
    "fashion_mnist": VERMILION,
    "cifar10": GREEN,
    "digits": PURPLE,
    "train": BLACK,
    "validation": PURPLE,
    "test": ORANGE,
    "noise": GREY,
    "exponential_normal": GREEN,
    "two_gammas": PURPLE,
    # How a layer comes to its size; those of one colour differ in their markers.
    "static": BLACK,
    "matched": GREY,
    "flexible": BLUE,
    "flexible_boundary_price": BLUE,
    "flexible_random_slope": SKY,
    "flexible_trainable_slope": SKY,
    "flexible_drawn": SKY,
    "flexible_two_phase": PURPLE,
    "flexible_pretrained": PURPLE,
    "flexible_size_only": PURPLE,
    "sparsified": VERMILION,
    "sparsified_absolute": VERMILION,
    "by_mixture": ORANGE,
    "by_worth": GREEN,
    # By what neurons are ordered.
    "zeroing": BLACK,
    "spread": BLUE,
    "incoming_norm": SKY,
    "outgoing_norm": GREEN,
    "gradient_times_activation": ORANGE,
    "fisher": VERMILION,
    "random": GREY,
    # What predicts from a table; kinds of one colour differ in their markers.
    "linear": GREY,
    "mlp": GREEN,
    "never_evolved": BLACK,
    "evolved": BLUE,
    "judged": VERMILION,
    "boosting": PURPLE,
}
# Words for what the tables call by short names.
LABELS = {
    "accuracy": "accuracy",
    "exponential_normal": "exponential + normal",
    "two_gammas": "two gammas",
    "sum_of_spread": "sum of spread",
    "mean_spread": "mean spread",
    "dead_neurons": "dead neurons",
    "dead_share": "share of dead neurons",
    "normality_all": "W, all neurons",
    "normality_living": "W, living neurons",
    "exponential_normal_share": "share of component 1,\nexponential + normal",
    "two_gammas_share": "share of component 1,\ntwo gammas",
    "participation_ratio": "participation ratio",
    "entropy_rank": "entropy rank",
    "components_for_95": "components for 95 %",
    "components_for_99": "components for 99 %",
    "weight_participation_ratio": "participation ratio of weights",
    "weight_entropy_rank": "entropy rank of weights",
    "weight_stable_rank": "stable rank of weights",
    "weight_components_for_95": "weight components for 95 %",
    "low_rank": "smallest sufficient rank",
    "static": "static",
    "matched": "static, matched size",
    "flexible": "flexible layer",
    "flexible_boundary_price": "flexible, price on boundary",
    "flexible_random_slope": "flexible, random slope",
    "flexible_trainable_slope": "flexible, trained slope",
    "flexible_drawn": "flexible, drawn on or off",
    "flexible_two_phase": "flexible, two phases",
    "flexible_pretrained": "flexible, pretrained",
    "flexible_size_only": "flexible, size alone",
    "sparsified": "sparsified layer",
    "sparsified_absolute": "sparsified, both signs",
    "by_mixture": "following the mixture",
    "by_worth": "sorted by worth",
    "zeroing": "loss without it (exact)",
    "spread": "spread of activation",
    "incoming_norm": "norm of incoming weights",
    "outgoing_norm": "norm of outgoing weights",
    "gradient_times_activation": "gradient × activation",
    "fisher": "Fisher information",
    "random": "at random",
    "linear": "linear",
    "mlp": "hidden layer",
    "never_evolved": "graph, never evolved",
    "evolved": "graph, evolved",
    "judged": "graph, judged",
    "boosting": "boosting",
}
# Variants of a study by their order: the baseline black, then these, then from the first again.
# Without the palette's yellow, which is too pale for a line on white paper.
VARIANT_COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, GREY)
VARIANT_MARKERS = ("s", "^", "D", "v", "P", "X", "<")
# Words for values of settings.
VALUES = {
    "parameters": "by parameters",
    "mult_adds": "by multiply-adds",
    "front": "front-loaded",
    "back": "back-loaded",
}
MARKERS = {
    **{"mnist": "o", "fashion_mnist": "s", "cifar10": "^", "digits": "D"},
    **{"static": "o", "matched": "p", "flexible": "s", "flexible_boundary_price": "X"},
    **{"flexible_random_slope": "^", "flexible_trainable_slope": "v", "flexible_drawn": "P"},
    **{"flexible_two_phase": "D", "flexible_pretrained": "<", "flexible_size_only": ">"},
    **{"sparsified": "^", "sparsified_absolute": "v", "by_mixture": "D", "by_worth": "P"},
    **{"zeroing": "o", "spread": "s", "incoming_norm": "^", "outgoing_norm": "v"},
    **{"gradient_times_activation": "D", "fisher": "P", "random": "X"},
    **{"linear": "v", "mlp": "^", "never_evolved": "s", "evolved": "o", "judged": "D"},
    **{"boosting": "P"},
}
TITLES = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "digits": "Digits",
    "breast_cancer": "Breast cancer",
    "wine": "Wine",
    "diabetes": "Diabetes",
    "mnist_components": "MNIST, 20 components",
    "all classes": "All with classes",
}

_STYLE: Any = {
    "font.size": 8,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.formatter.useoffset": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "errorbar.capsize": 1.5,
    "figure.constrained_layout.use": True,
    "savefig.bbox": None,
    # Letters become outlines, the same on every machine; ids do not change from run to run.
    "svg.fonttype": "path",
    "svg.hashsalt": "sidestep",
}
SMALL = 6.5


@contextmanager
def using() -> Iterator[None]:
    """Draw and save in the project's style: ticks and ids are made only when a figure is saved."""
    import matplotlib as mpl  # not needed by those who only ask for a name or a colour

    mpl.use("agg")
    from matplotlib import pyplot as plt

    with mpl.rc_context(_STYLE):
        yield
    plt.close("all")

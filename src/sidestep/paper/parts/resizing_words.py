"""Layers that size themselves in words: methods, measures of a neuron, differences of sizes."""

from collections.abc import Mapping, Sequence

from sidestep.paper.parts import formats as f
from sidestep.paper.parts.layerwise_words import MOST, sorted_out
from sidestep.paper.parts.substitution_words import FEW
from sidestep.statistics.intervals import Interval

_SPACE = "\N{NO-BREAK SPACE}"
# Smaller numbers are written as powers of ten.
_PLAIN = 0.01
# Methods as the head of a row.
NAMES = {
    "static": "static",
    "matched": "static, matched",
    "flexible": "flexible",
    "flexible_boundary_price": "flexible, price on $x_0$",
    "flexible_random_slope": "flexible, random slope",
    "flexible_trainable_slope": "flexible, trained slope",
    "flexible_drawn": "flexible, drawn",
    "flexible_two_phase": "flexible, two phases",
    "flexible_pretrained": "flexible, pretrained",
    "flexible_size_only": "flexible, size alone",
    "sparsified": "sparsified",
    "sparsified_absolute": "sparsified, both signs",
    "by_mixture": "by mixture",
    "by_worth": "by worth",
}
# Methods within a sentence, of several layers.
SEVERAL = {
    "static": "static layers",
    "matched": "static layers of matched size",
    "flexible": "flexible layers",
    "flexible_boundary_price": "flexible layers that pay for $x_0$",
    "flexible_random_slope": "flexible layers of random slope",
    "flexible_trainable_slope": "flexible layers of trained slope",
    "flexible_drawn": "flexible layers drawn on or off",
    "flexible_two_phase": "flexible layers in two phases",
    "flexible_pretrained": "pretrained flexible layers",
    "flexible_size_only": "flexible layers of which the size alone moves",
    "sparsified": "sparsified layers",
    "sparsified_absolute": "sparsified layers of both signs",
    "by_mixture": "layers that follow the mixture",
    "by_worth": "layers sorted by worth",
}
LINES = {
    "static": "a plain layer, which keeps the size that it is built with",
    "matched": "a plain layer, built anew as large as its teacher variant has become with the same seed, and trained "
    "like that",
    "flexible": "the factor of neuron $j$ is $sigma(k (x_0 - j))$; the boundary $x_0$ is trained with the weights "
    "at a rate of its own, and the integral of the factors is paid for",
    "flexible_boundary_price": "the boundary $x_0$ itself is paid for, which has no least value",
    "flexible_random_slope": "the slope $k$ is drawn anew at every step",
    "flexible_trainable_slope": "the slope $k$ is trained too",
    "flexible_drawn": "each neuron is drawn on or off at every step with its factor as the probability, through "
    "which no gradient reaches the boundary",
    "flexible_two_phase": "in turn with the usual training, only neurons at the boundary and some beyond it learn",
    "flexible_pretrained": "the boundary begins to move only after the weights have been trained with all neurons",
    "flexible_size_only": "the boundary alone moves, in a network that has been trained",
    "sparsified": "each neuron is scaled by the ReLU of a trained liveness, and the sum of these factors is paid "
    "for; a neuron whose factor has come to $0$ is dead for good and is taken out with its weights",
    "sparsified_absolute": "scaled by the liveness itself, of either sign, whose absolute values are paid for",
    "by_mixture": "between rounds of training, neurons that vary least leave while the lower one of two components "
    "fitted to the neurons' spread is large, and new ones come in otherwise",
    "by_worth": "between rounds of training, neurons are sorted by the exact increase of the loss without each; "
    "those worth less than the price leave, and new ones, silent at first, come in at the end. A gate is not needed",
}
MEASURES = {
    "zeroing": "the exact increase",
    "spread": "the spread of the activation",
    "incoming_norm": "the norm of the incoming weights",
    "outgoing_norm": "the norm of the outgoing weights",
    "gradient_times_activation": "gradient times activation @molchanov2017pruning",
    "fisher": "Fisher information @theis2018faster",
    "random": "chance",
}


def neurons(value: float) -> str:
    """`12.3 neurons`."""
    return f.decimal(value, 1) + _SPACE + "neurons"


def amount(value: float) -> str:
    """A price or an L2 as markup: a power of ten in short where it is small, else in full."""
    if value <= 0 or value >= _PLAIN:
        return f.setting(value)
    mantissa, exponent = f"{value:.6e}".split("e")
    factor = "" if float(mantissa) == 1 else f"{float(mantissa):g} dot "
    return f"${factor}10^({int(exponent)})$"


def nats(value: float) -> str:
    """`0.0123 nats`."""
    return f.decimal(value, 4) + _SPACE + "nats"


def estimated(found: Interval, show: f.Show) -> str:
    """A mean with its interval in brackets."""
    return f.estimate(found.mean, found.low, found.high, show)


def spelled(differences: Mapping[str, Interval], names: Sequence[str], show: f.Show) -> str:
    """Names, with their differences where they are few, and only how many they are where they are many."""
    if len(names) > MOST:
        every = len(names) == len(differences)
        return f"{'all ' if every else ''}{f.count(len(names))}" + (
            "" if every else f" of {f.count(len(differences))}"
        )
    if len(names) > FEW:
        return f.listed(names)
    return f.listed(
        [
            f"{name} ({estimated(differences[name], show)})"
            if f.defined(differences[name].mean)
            else name
            for name in names
        ]
    )


def outcomes(differences: Mapping[str, Interval], words: Mapping[str, str], show: f.Show) -> str:
    """`larger for a (1 neuron [..]); not separated for b`: each outcome that has a member, in the words' order.

    Args:
        differences: by name, which is markup.
        words: of the outcomes of `sorted_out`.
        show: how a difference is written.
    """
    groups = sorted_out(differences)
    return "; ".join(
        f"{text} for {spelled(differences, groups[key], show)}"
        for key, text in words.items()
        if groups[key]
    )


def capital(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]

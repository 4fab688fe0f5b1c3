"""A sub-model: one dense layer from the stage's output to the classes, trained with it by cross-entropy.

The older work's plainest idea: the stage is optimised for a linear classifier of its own, which is
thrown away afterwards. It is the auxiliary classifier with a linear head.
"""

from sidestep.contract import Signal, Site
from sidestep.heads import linear
from sidestep.signals.auxiliary_classifier import AuxiliaryClassifier

IN_NATS = True


def build(site: Site) -> Signal:
    """The signal for a stage with outputs of any shape."""
    return AuxiliaryClassifier(linear.build(site))

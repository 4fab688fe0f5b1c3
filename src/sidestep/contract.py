"""How a network learns: signals, objectives with a reach, phases. A strategy is a sequence of phases.

End-to-end back-propagation is one phase with one objective that reaches every stage; decoupled greedy learning is one
phase with one objective per stage, each reaching its own; the same objectives in turn are one phase each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from sidestep.errors import UserError
from sidestep.registry import unknown


@dataclass(frozen=True)
class Batch:
    """What a step works on: `images` (N×C×H×W, float32, normalised) and `labels` (N, int64)."""

    images: Tensor
    labels: Tensor


class Signal(nn.Module):
    """What a stage's output learns from. It owns its heads; evaluation never uses it.

    Attributes:
        needs_labels: whether it asks for labels.
        least_per_class: images of each class that every batch must have.
        in_nats: whether its loss is a cross-entropy of the labels, to be held against the network's.
    """

    needs_labels: bool = True
    least_per_class: int = 0
    in_nats: bool = False

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar whose gradient teaches.

        Args:
            output: the stage's output, N×…
            batch: the images and labels that it came from.
        """
        raise TypeError(
            f"{type(self).__name__} has no forward({type(output).__name__}, {type(batch).__name__})"
        )


@dataclass(frozen=True)
class Objective:
    """A signal that reads the output of stage `at` and teaches the stages `first` to `at`."""

    signal: Signal
    first: int
    at: int


@dataclass(frozen=True)
class Phase:
    """Objectives that are trained at the same time, with their share of the run's steps.

    Attributes:
        name: unique in its strategy.
        objectives: at least one.
        share: of the run's steps; those of all phases add up to 1.
        cache: whether the outputs of the frozen stages below may be computed once, at the phase's
            start, and kept; they then take memory for every training image.
    """

    name: str
    objectives: tuple[Objective, ...]
    share: float = 1.0
    cache: bool = False


@dataclass(frozen=True)
class Model:
    """A network as a strategy sees it.

    Attributes:
        network: its named stages in order.
        shapes: shape of the input and of each stage's output, without the batch.
        classes: number of classes.
    """

    network: nn.Sequential
    shapes: tuple[tuple[int, ...], ...]
    classes: int

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages."""
        return tuple(name for name, _ in self.network.named_children())

    @property
    def last(self) -> int:
        """Index of the last stage."""
        return len(self.network) - 1

    def output_shape(self, index: int) -> tuple[int, ...]:
        """Shape of a stage's output, without the batch."""
        return self.shapes[index + 1]

    def indices(self, names: Sequence[str]) -> list[int]:
        """Where the named stages are, in the network's order.

        Raises:
            UserError: the network has no such stage.
        """
        for name in names:
            if name not in self.stages:
                raise UserError(f"the network has no stage {unknown(name, self.stages)}")
        return sorted(self.stages.index(name) for name in names)

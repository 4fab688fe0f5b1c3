"""How a network learns: signals, objectives with a reach, phases. A strategy is a sequence of phases.

End-to-end back-propagation is one phase with one objective that reaches every stage; decoupled greedy learning is one
phase with one objective per stage, each reaching its own; the same objectives in turn are one phase each.
"""

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Batch:
    """What a step works on: `images` (N×C×H×W, float32, normalised) and `labels` (N, int64)."""

    images: Tensor
    labels: Tensor


class Signal(nn.Module):
    """What a stage's output learns from. It owns its heads; evaluation never uses it."""

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
    """Objectives that are trained at the same time, with their share of the run's steps."""

    name: str
    objectives: tuple[Objective, ...]
    share: float = 1.0

"""How a network learns: signals, objectives with a reach, phases. A strategy is a sequence of phases.

End-to-end back-propagation is one phase with one objective that reaches every stage; decoupled greedy learning is one
phase with one objective per stage, each reaching its own; the same objectives in turn are one phase each.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Generator, Tensor, nn

from sidestep.errors import UserError
from sidestep.registry import unknown


@dataclass(frozen=True)
class Batch:
    """What a step works on.

    Attributes:
        images: N×C×H×W, float32, normalised (and augmented, in a training step); rows of a table count
            as images of F × 1 × 1.
        labels: classes, N, int64; or numbers, N×outputs, float32 (`sidestep.targets`).
        feedback: for a signal that needs it, the gradient of the loss that teaches the block above
            with respect to this output: N×…; else None.
        taught: the teacher's outputs of these images by stage, N×…; empty without a teacher.
    """

    images: Tensor
    labels: Tensor
    feedback: Tensor | None = None
    taught: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """Where a signal reads.

    Attributes:
        stage: its name.
        output_shape: of the stage's output, without the batch.
        classes: number of classes, or of numbers that are predicted.
        image_shape: channels, height and width of the network's input.
        depth: from 0, the network's first stage, to 1, its last.
    """

    stage: str
    output_shape: tuple[int, ...]
    classes: int
    image_shape: tuple[int, ...]
    depth: float


class Signal(nn.Module):
    """What a stage's output learns from. It owns its heads; evaluation never uses it.

    Attributes:
        needs_labels: whether it asks for labels.
        takes: the targets that it can learn from.
        least_per_class: images of each class that every batch must have.
        needs_feedback: whether it asks for the gradient that comes back from the block above, which
            has to be trained in the same phase; it then teaches after that block's signals.
        needs_teacher: the stage whose output by the teacher it asks for; empty for none.
    """

    needs_labels: bool = True
    takes: tuple[str, ...] = ("class",)
    needs_feedback: bool = False
    needs_teacher: str = ""
    least_per_class: int = 0

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar whose gradient teaches.

        Args:
            output: the stage's output, N×…
            batch: the images and labels that it came from.
        """
        raise TypeError(
            f"{type(self).__name__} has no forward({type(output).__name__}, {type(batch).__name__})"
        )

    def logits(self, output: Tensor) -> Tensor | None:
        """What the signal itself says of the classes, N×classes, or None if it says nothing."""
        del output
        return None


@dataclass(frozen=True)
class Objective:
    """A signal that reads the output of stage `at` and teaches the stages `first` to `at`."""

    signal: Signal
    first: int
    at: int


class Editing(Protocol):
    """What an edit of the network sees and may do; stages are named, neurons are counted from 0.

    Attributes:
        network: to be changed through `keep` and `grow`, inside its gates, or together with `state`.
        train: all training images.
        validation: images to choose by, or None where the run sets none apart.
        seed: of the run.
        index: of the phase that begins, from 0.
        last: whether it is the run's last phase.
        state: the optimiser's slots by name of the parameter, each of the parameter's shape.
    """

    network: nn.Sequential
    train: Batch
    validation: Batch | None
    seed: int
    index: int
    last: bool

    @property
    def state(self) -> Mapping[str, list[Tensor]]:
        """As described."""

    def generator(self) -> Generator:
        """A generator of the CPU with a stream of the phase; every call gives the same one anew."""

    def keep(self, stage: str, chosen: Tensor) -> None:
        """Keep the chosen neurons of a gated stage, in that order, and the optimiser's state of them."""

    def grow(self, stage: str, count: int) -> None:
        """Add neurons to a gated stage that do not change what the network computes but can learn."""


@dataclass(frozen=True)
class Phase:
    """Objectives that are trained at the same time, with their share of the run's steps.

    Attributes:
        name: unique in its strategy.
        objectives: at least one.
        share: of the run's steps; those of all phases add up to 1.
        cache: whether the outputs of the frozen stages below may be computed once, at the phase's
            start, and kept; they then take memory for every training image.
        edit: what is done to the network before the phase's first step; its time is training time.
        moves: the network → parameters that the phase moves, by name, of those that its objectives
            reach: each whole (None), or the entries where a mask of its shape is true. None for all.
        rate: factor of the learning rate.
    """

    name: str
    objectives: tuple[Objective, ...]
    share: float = 1.0
    cache: bool = False
    edit: Callable[[Editing], None] | None = None
    moves: Callable[[nn.Sequential], Mapping[str, Tensor | None]] | None = None
    rate: float = 1.0


@dataclass(frozen=True)
class Model:
    """A network as a strategy sees it.

    Attributes:
        network: its named stages in order.
        shapes: shape of the input and of each stage's output, without the batch.
        classes: number of classes, or of numbers that are predicted.
        target: `class` or `number`.
        validation: whether images are set apart to choose by.
    """

    network: nn.Sequential
    shapes: tuple[tuple[int, ...], ...]
    classes: int
    target: str = "class"
    validation: bool = False

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages."""
        return tuple(name for name, _ in self.network.named_children())

    @property
    def last(self) -> int:
        """Index of the last stage."""
        return len(self.network) - 1

    def site(self, index: int) -> Site:
        """Where a signal that reads the output of stage `index` reads."""
        depth = index / self.last if self.last else 1.0
        return Site(self.stages[index], self.shapes[index + 1], self.classes, self.shapes[0], depth)

    def indices(self, names: Sequence[str]) -> list[int]:
        """Where the named stages are, in the network's order.

        Raises:
            UserError: the network has no such stage.
        """
        for name in names:
            if name not in self.stages:
                raise UserError(f"the network has no stage {unknown(name, self.stages)}")
        return sorted(self.stages.index(name) for name in names)

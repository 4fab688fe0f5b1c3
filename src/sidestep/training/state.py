"""What a training run has reached: enough to go on from, and enough to write the results."""

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class HistoryRow:
    """One evaluation of one split; `batch` is the mean loss over the batches since the last one."""

    step: int
    epoch: int
    seconds: float
    split: str
    loss: float
    accuracy: float | None = None
    r2: float | None = None


@dataclass(frozen=True)
class ProbeRow:
    """What a probe read of one stage at one evaluation, while a phase was being trained."""

    step: int
    epoch: int
    phase: str
    probe: str
    stage: str
    images: str
    value: float


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        step: updates done.
        seconds: training time so far.
        rows: the history.
        readings: what probes read.
        records: recorded epoch → the network's tensors then, on the CPU; the last epoch is not among
            them, because the final network is kept anyway.
        costs: multiply-adds of the first step of each phase so far.
        diverged_at: the step at which a loss that is not finite was noticed; 0 if no step was done
            because the teacher diverged.
    """

    step: int = 0
    seconds: float = 0.0
    rows: list[HistoryRow] = field(default_factory=list)
    readings: list[ProbeRow] = field(default_factory=list)
    records: dict[int, dict[str, Tensor]] = field(default_factory=dict)
    costs: dict[str, int] = field(default_factory=dict)
    diverged_at: int | None = None

"""The sparsifier of the journal: a liveness f per neuron, scaled by relu(f) and penalised by its L1 norm.

`strict` is the form of the journal's figures: the price is on Σ relu(f), and a neuron whose liveness has
come down to 0 gets no gradient any more and is dead for good. `absolute` scales by f and pays for Σ |f|;
its liveness passes through 0 and may come back, so it is called dead within `tolerance` of it, where it
is set to exactly 0 when it is removed.

Liveness and the weights before and after it share a free scale, so a small liveness need not mean an
unimportant neuron (trap T3-10); Adam moves it by about its learning rate a step, so nobody dies in the
first 1/lr steps.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from sidestep.gate import Gate
from sidestep.settings import NonNegative, Positive


class Sparsified(Gate):
    """The gate; `liveness` has one value per neuron, 1 at first."""

    PER_NEURON: ClassVar[tuple[str, ...]] = ("liveness",)

    def __init__(self, neurons: int, *, price: float, form: str, tolerance: float) -> None:
        super().__init__(neurons, price)
        self.liveness = nn.Parameter(torch.ones(neurons))
        self.form, self.tolerance = form, tolerance

    def scales(self) -> Tensor:
        """The factor of each neuron, (neurons,)."""
        if self.form == "absolute":
            return self.liveness.where(self.liveness.abs() > self.tolerance, 0.0)
        return self.liveness.relu()

    def forward(self, output: Tensor) -> Tensor:
        """The stage's output, N×neurons×…, scaled; while training also by a liveness close to 0."""
        absolute = self.training and self.form == "absolute"
        scales = self.liveness if absolute else self.scales()
        return output * scales.view(-1, *(1 for _ in output.shape[2:]))

    def size(self) -> Tensor:
        """Number of neurons whose factor is not 0, a scalar."""
        return (self.scales() != 0).sum().float()

    def penalty(self) -> Tensor | None:
        """Price times the L1 norm of what scales, a scalar in nats."""
        if not self.price:
            return None
        paid = self.liveness.abs() if self.form == "absolute" else self.liveness.relu()
        return self.price * paid.sum()

    def settings_of(self) -> dict[str, dict[str, float]]:
        """The price is all that pulls at the liveness: it does not decay."""
        return {"liveness": {"weight_decay": 0.0}}

    def dead(self) -> Tensor:
        """Which neurons have a factor of exactly 0, (neurons,) of bool."""
        return self.scales().detach() == 0

    def newcomers(self, name: str, count: int) -> Tensor:
        """New neurons are as alive as the first ones were, (count,)."""
        del name
        return self.liveness.new_ones(count)


def build(
    neurons: int,
    *,
    price: NonNegative = 0.0,
    form: Literal["strict", "absolute"] = "strict",
    tolerance: Positive = 1e-3,
) -> Gate:
    """The gate.

    Args:
        neurons: number of neurons or channels of the stage.
        price: of one unit of liveness, in nats of the loss.
        form: scaled by relu(f), dead for good at 0, or by f.
        tolerance: of the absolute form: liveness within it of 0 counts as 0 in evaluation.
    """
    return Sparsified(neurons, price=price, form=form, tolerance=tolerance)

"""The flexible layer of the journal: neuron j is scaled by sigmoid(−k (j − x₀)), and x₀ is trained.

The boundary x₀ is the layer's size, the slope k says how sharp it is; a price is paid per neuron by the
integral of the factors over [0, N], [softplus(k x₀) − softplus(k (x₀ − N))] / k, which is between 0 and N
and has a finite gradient for every x₀ and k. The journal's first formula overflowed (trap T3-6), and its
other one, x₀ itself, has no lower bound; both prices are here. The sum of the factors, which is what
`size` gives, is about half a neuron more than the integral (T3-7).

The older work trained the boundary by Adam with a learning rate of 1, which moves it by about one neuron
a step whatever its gradient is (T3-9).
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from sidestep.errors import UserError
from sidestep.gate import Gate
from sidestep.settings import NonNegative, Positive

# A logistic curve falls from 99 % to 1 % over this many units of k·j: 2 ln 99.
GREY_ZONE = 9.19024
# A smaller factor is 0: it would only make numbers too small for the normal format, which are slow, and
# gradients far below Adam's ε.
NOTHING = 1e-12


class Flexible(Gate):
    """The gate; `boundary` is x₀ in neurons, `slope` is k per neuron."""

    log_slope: Tensor
    ahead: Tensor

    def __init__(
        self,
        neurons: int,
        *,
        start: float,
        slope: float,
        slope_is: str,
        zone: tuple[float, float],
        switch: str,
        price: float,
        price_on: str,
        lr: float,
    ) -> None:
        super().__init__(neurons, price)
        self.boundary = nn.Parameter(torch.tensor(float(start)))
        self.slope_is, self.zone, self.switch, self.price_on, self.lr = (
            slope_is,
            zone,
            switch,
            price_on,
            lr,
        )
        if slope_is == "trainable":
            self.log_slope = nn.Parameter(torch.tensor(float(slope)).log())
        else:
            self.register_buffer("log_slope", torch.tensor(float(slope)).log())
        # Neurons by which the boundary is taken to be further on while training.
        self.register_buffer("ahead", torch.tensor(0.0))

    @property
    def slope(self) -> Tensor:
        """k, per neuron; of the mean grey zone if it is drawn."""
        return self.log_slope.exp()

    def forward(self, output: Tensor) -> Tensor:
        """The stage's output, N×neurons×…, scaled; what is random is drawn in training only."""
        slope = self.slope
        if self.training and self.slope_is == "random":
            low, high = self.zone
            zone = low + (high - low) * torch.rand((), device=self.boundary.device)
            slope = GREY_ZONE / zone
        scales = self._factors(slope)
        if self.training and self.switch == "drawn":
            # The boundary stays in the graph, with a gradient that is exactly 0.
            scales = torch.bernoulli(scales.detach()) + 0.0 * scales
        return output * scales.view(-1, *(1 for _ in output.shape[2:]))

    def scales(self) -> Tensor:
        """The factor of each neuron at the mean slope, (neurons,)."""
        return self._factors(self.slope)

    def position(self) -> Tensor:
        """The boundary x₀, a scalar in neurons."""
        return self.boundary

    def penalty(self) -> Tensor | None:
        """Price times the integral of the factors, or times x₀; a scalar in nats."""
        if not self.price:
            return None
        return self.price * (self.boundary if self.price_on == "boundary" else self.integral())

    def integral(self) -> Tensor:
        """The integral of the factors over [0, N], a scalar."""
        slope = self.slope
        inside = functional.softplus(slope * self.boundary)
        beyond = functional.softplus(slope * (self.boundary - self.neurons))
        return (inside - beyond) / slope

    def settings_of(self) -> dict[str, dict[str, float]]:
        """The boundary has its own learning rate, and no parameter of the gate decays."""
        own = {"boundary": {"lr": self.lr, "weight_decay": 0.0}}
        return own | ({"log_slope": {"weight_decay": 0.0}} if self.slope_is == "trainable" else {})

    def _factors(self, slope: Tensor) -> Tensor:
        places = torch.arange(self.neurons, device=self.boundary.device)
        boundary = self.boundary + self.ahead if self.training else self.boundary
        return functional.threshold(torch.sigmoid(slope * (boundary - places)), NOTHING, 0.0)


def build(
    neurons: int,
    *,
    start: NonNegative,
    slope: Positive = 1.0,
    slope_is: Literal["fixed", "random", "trainable"] = "fixed",
    zone_from: Positive = 1.0,
    zone_to: Positive = 20.0,
    switch: Literal["soft", "drawn"] = "soft",
    price: NonNegative = 0.0,
    price_on: Literal["integral", "boundary"] = "integral",
    lr: Positive = 1.0,
) -> Gate:
    """The gate.

    Args:
        neurons: number N of neurons or channels of the stage.
        start: of the boundary x₀, from 0 to N.
        slope: k, per neuron; the factors fall from 99 % to 1 % within 9.19/k neurons, the grey zone.
        slope_is: the same throughout, drawn anew at every step, or trained.
        zone_from: narrowest grey zone in neurons, if the slope is drawn; its width is uniform.
        zone_to: widest one. Evaluation uses the slope of the mean width.
        switch: whether neurons are scaled, or drawn at every step to be on or off with the factor as
            the probability, through which no gradient passes to the boundary.
        price: of one neuron, in nats of the loss.
        price_on: what is paid for: the integral of the factors, or x₀ itself, which has no bound.
        lr: learning rate of the boundary.

    Raises:
        UserError: the boundary starts beyond the last neuron, or the zones are in the wrong order.
    """
    if start > neurons:
        raise UserError(f"gate 'flexible' starts at {start:g} but the stage has {neurons} neurons")
    if zone_to < zone_from:
        raise UserError(
            f"gate 'flexible' has zones from {zone_from:g} to {zone_to:g}, which is no range"
        )
    if slope_is == "random":
        slope = GREY_ZONE / ((zone_from + zone_to) / 2)
    return Flexible(
        neurons,
        start=start,
        slope=slope,
        slope_is=slope_is,
        zone=(zone_from, zone_to),
        switch=switch,
        price=price,
        price_on=price_on,
        lr=lr,
    )

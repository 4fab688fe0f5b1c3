"""Blocks of stages that each learn from a signal of their own: one block after the other, or all at once.

The network is cut into blocks; the last one learns from the true loss, every other one from a local
signal that reads its last stage. In turn, this is the older work's training of one layer at a time
and greedy layer-wise learning (Bengio et al. 2007); together, with an auxiliary classifier as the
signal, it is decoupled greedy learning (Belilovsky et al. 2020). With `freeze: false` a block's signal
teaches the stages below as well, which is what the older work's code did by accident (trap T0-5).
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import torch

from sidestep.contract import Model, Objective, Phase, Signal
from sidestep.cost import mult_adds_forward, parameters
from sidestep.errors import UserError
from sidestep.registry import arguments, load
from sidestep.settings import Fraction, Shares, SignalThing, Stages
from sidestep.signals import true_loss

TOGETHER, FINE_TUNE = "together", "fine_tune"
Blocks = Sequence[tuple[int, int]]


def phases(
    model: Model,
    *,
    signal: SignalThing,
    order: Literal["in_turn", "together"] = "in_turn",
    ends: Stages = (),
    shares: Shares = "equal",
    fine_tune: Fraction = 0.0,
    freeze: bool = True,
    cache: bool = True,
) -> tuple[Phase, ...]:
    """One phase a block, or one for all, and at last the whole network by the true loss if asked for.

    Args:
        model: the network with its shapes.
        signal: what every block but the last learns from.
        order: whether blocks are trained in turn, from the input on, or together.
        ends: the stages at which blocks end; empty for every stage. The last stage always ends one.
        shares: of the steps that each block gets in turn: `equal`, in proportion to its `parameters`
            or `mult_adds` (forward), falling (`front`) or rising (`back`) linearly along the network,
            or one number a block.
        fine_tune: share of all steps that goes to end-to-end training at the end.
        freeze: whether a block's signal teaches its own stages only.
        cache: whether the outputs of frozen stages are computed once per phase and kept.

    Raises:
        UserError: a stage that the network lacks, or not one share for each block.
    """
    blocks = _blocks(model, ends)
    objectives = [
        Objective(_signal(model, signal, at), first if freeze else 0, at) for first, at in blocks
    ]
    left = 1.0 - fine_tune
    if order == "together":
        found = [Phase(TOGETHER, tuple(objectives), left)]
    else:
        parts = _shares(model, blocks, shares)
        found = [
            Phase(model.stages[objective.at], (objective,), part * left, cache=cache)
            for objective, part in zip(objectives, parts, strict=True)
        ]
    if fine_tune > 0:
        whole = Objective(_true_loss(model), 0, model.last)
        found.append(Phase(FINE_TUNE, (whole,), fine_tune))
    return tuple(found)


def _blocks(model: Model, ends: Sequence[str]) -> list[tuple[int, int]]:
    """First and last stage of each block."""
    lasts = sorted({*model.indices(ends or model.stages), model.last})
    return list(zip([0, *(last + 1 for last in lasts[:-1])], lasts, strict=True))


def _signal(model: Model, thing: dict[str, Any], at: int) -> Signal:
    if at == model.last:
        return _true_loss(model)
    signal: Signal = load("signals", thing["name"]).build(model.site(at), **arguments(thing))
    return signal


def _true_loss(model: Model) -> Signal:
    return true_loss.build(model.site(model.last))


def _shares(model: Model, blocks: Blocks, shares: str | tuple[float, ...]) -> list[float]:
    """The share of each block; they add up to 1."""
    if not isinstance(shares, str):
        if len(shares) != len(blocks):
            raise UserError(
                f"strategy.shares has {len(shares)} numbers but the network is cut into "
                f"{len(blocks)} blocks: give one number for each, or a rule"
            )
        return list(shares)
    number = len(blocks)
    weights: list[float]
    match shares:
        case "equal":
            weights = [1.0] * number
        case "front":
            weights = [float(number - index) for index in range(number)]
        case "back":
            weights = [float(index + 1) for index in range(number)]
        case "parameters":
            weights = [float(parameters(model.network[a : b + 1])) for a, b in blocks]
        case _:
            weights = [
                float(mult_adds_forward(model.network[a : b + 1], torch.zeros(1, *model.shapes[a])))
                for a, b in blocks
            ]
    total = math.fsum(weights)
    return [weight / total for weight in weights]

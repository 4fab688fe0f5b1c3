"""What each neuron of a gated stage is scaled by, and how large the weights around it are.

The journal explained the plateau of its flexible layer by this picture: with L2 the outgoing weights of
neurons that are switched off are 0, without it they are what they were when they were drawn.
"""

from collections.abc import Iterator

import torch

from sidestep.measuring.rows import Row
from sidestep.measuring.snapshot import Snapshot
from sidestep.surgery import gates_of, slices


def measure(snapshot: Snapshot) -> Iterator[Row]:
    """At the last epoch, for the first gated stage: three curves over its neurons; nothing without a gate.

    `gate_scale` is the factor, `gate_incoming` and `gate_outgoing` are the mean absolute weights that
    make the neuron and that read it.

    Args:
        snapshot: the network.
    """
    gates = gates_of(snapshot.network)
    if not gates or not snapshot.last:
        return
    stage, gate = next(iter(gates.items()))
    parts = slices(snapshot.network, stage)
    maker, reader = parts[0], parts[-1]
    with torch.no_grad():
        curves = {
            "gate_scale": gate.scales(),
            "gate_incoming": maker.tensor.abs().flatten(1).mean(1),
            "gate_outgoing": reader.tensor.abs().transpose(0, 1).reshape(gate.neurons, -1).mean(1),
        }
    for name, values in curves.items():
        for neuron, value in enumerate(values.tolist()):
            yield Row(name, value, component=float(neuron))

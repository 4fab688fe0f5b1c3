"""How large a graph of operations is, how deep, and what its read-out hears: inputs or operations."""

from collections.abc import Iterator

import torch

from sidestep import cost, targets
from sidestep.graphs.edit import find
from sidestep.graphs.growing import growing
from sidestep.graphs.importance import for_classes, for_numbers
from sidestep.settings import Count
from sidestep.training.view import Reading, View


def probe(view: View, *, images: Count = 2000) -> Iterator[Reading]:
    """`parameters` of the whole network, told of its first stage; and for each graph what it is made of.

    `operations`, `depth` (0 without operations), `constants`, `leaves`; the sums of the importance of
    inputs (`importance_inputs`) and of operations (`importance_operations`); and of single operations
    the least important leaf's (`importance_least`), their median and the largest one.

    Args:
        view: the network.
        images: training images over which the columns' deviations are taken, the first ones.
    """
    network = view.model.network
    graphs = growing(network)
    yield Reading(view.model.stages[0], float(cost.parameters(network)), "parameters", "")
    outputs = {name: output for name, _, output in view.passing(view.batch(images).images)}
    numbers = targets.of_numbers(view.train.labels)
    for stage, layer in graphs.items():
        graph = layer.graph
        yield Reading(stage, float(len(graph.ops)), "operations", "")
        yield Reading(stage, float(max(graph.levels, default=0)), "depth", "")
        yield Reading(stage, float(graph.constants), "constants", "")
        yield Reading(stage, float(sum(graph.leaves)), "leaves", "")
        weight = find(network, stage).read_out.weight.detach()
        found = (for_numbers if numbers else for_classes)(outputs[stage], weight)
        inputs, operations = found[: graph.inputs], found[graph.inputs :]
        yield Reading(stage, float(inputs.sum()), "importance_inputs")
        yield Reading(stage, float(operations.sum()), "importance_operations")
        if graph.ops:
            leaves = torch.tensor(graph.leaves, device=operations.device)
            yield Reading(stage, float(operations[leaves].min()), "importance_least")
            yield Reading(stage, float(operations.median()), "importance_median")
            yield Reading(stage, float(operations.max()), "importance_most")

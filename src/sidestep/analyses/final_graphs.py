"""What graphs of operations have become: every column with what it reads, what it is worth, its formula, its place."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from sidestep.analyses.shared.finals import finals
from sidestep.building import dataset_of
from sidestep.data.dataset import Dataset
from sidestep.data.load import load, split
from sidestep.data.prepare import prepare
from sidestep.errors import UserError
from sidestep.evolution import is_graph
from sidestep.graphs.evaluate import Stored, evaluate, schedule
from sidestep.graphs.formulas import formulas, number
from sidestep.graphs.graph import Column, Graph, Op
from sidestep.graphs.importance import for_classes, for_numbers
from sidestep.graphs.layer import EPS, decoded
from sidestep.graphs.placement import place
from sidestep.registry import load as load_thing
from sidestep.settings import Count, Natural
from sidestep.study import split_settings
from sidestep.tables import Tables

READS = ("table", "runs", "data")
INPUT = "input"
# Significant digits of constants in formulas.
DIGITS = 3
# The layer's tensors and the read-out's, by the ends of their names in the network.
LAYER = ("inputs", "kinds", "operands", "constants", "running_mean", "running_var")
COLUMNS = [
    *("study", "dataset", "variant", "seed", "column", "name", "kind", "symbol", "level"),
    *("operands", "reads", "leaf", "importance", "formula", "x", "y"),
]
Weights = Mapping[str, npt.NDArray[Any]]


class Grown(NamedTuple):
    """A trained graph with its read-out.

    Attributes:
        graph: what is computed.
        constants: their values, (constants,).
        mean: running means of the operations' results, (ops,).
        variance: alike.
        weight: of the read-out, outputs×columns.
    """

    graph: Graph
    constants: Tensor
    mean: Tensor
    variance: Tensor
    weight: Tensor


def analyse(tables: Tables, *, images: Count = 2000, graphs: Natural = 0) -> pd.DataFrame:
    """One row per data set, variant with a graph, seed that finished, and column of the graph, inputs first.

    Columns: `study`, `dataset`, `variant`, `seed`; `column`, from 0, inputs included, also those that nothing reads;
    `name`, of the input (a component is `pc1`, a pixel `p1_1` by row and column), or `z1` for the first operation;
    `kind`, `input` or that of the operation; its `symbol` (empty for inputs); `level`, 0 for inputs, else one more than
    the deepest that it reads; `operands`, names or values of constants, and `reads`, the columns that it reads, each
    joined by `; ` and `;` and empty for inputs; `leaf`, 1 for an operation that no other reads; `importance`, what the
    column contributes to the outputs: the norm of its weights in the read-out (of classes, without their mean over the
    classes) times its standard deviation on training rows; `formula` (an input's is its name), with results
    normalised as the layer does it in evaluation; its place `x`, from 0, the inputs, to 1, the deepest level, and `y`,
    from 0, the bottom, to 1.

    Args:
        tables: of the study.
        images: training rows on which the standard deviation is taken, the first ones.
        graphs: of how many seeds of a variant, the first that finished; 0 for all.

    Raises:
        UserError: a network or a data set's file cannot be read.
    """
    study, ends = tables.study, finals(tables)
    found = []
    for dataset in study.datasets:
        for variant in study.variants:
            if not is_graph(variant.run):
                continue
            seeds = ends.of(dataset, variant.name, "test", "loss")
            for seed in sorted(seeds)[: graphs or None]:
                run = study.run(dataset, variant.name, seed)
                its = grown(tables.network(dataset, variant.name, seed))
                frame = pd.DataFrame(_rows(its, run, _inputs(tables, run)[:images]))
                frame.insert(0, "seed", seed)
                frame.insert(0, "variant", variant.name)
                frame.insert(0, "dataset", dataset)
                frame.insert(0, "study", study.name)
                found.append(frame)
    return pd.concat(found, ignore_index=True)[COLUMNS] if found else pd.DataFrame(columns=COLUMNS)


def grown(weights: Weights) -> Grown:
    """The graph in a network's weights by name.

    Raises:
        UserError: the network has no graph, or several.
    """
    paths = [name.removesuffix(".kinds") for name in weights if name.endswith(".kinds")]
    readers = [name for name in weights if name.startswith("output.") and name.endswith(".weight")]
    if len(paths) != 1 or len(readers) != 1:
        raise UserError(
            f"a network has {len(paths)} graphs of operations and {len(readers)} read-outs, not one"
        )
    tensors = {name: torch.from_numpy(np.array(weights[f"{paths[0]}.{name}"])) for name in LAYER}
    return Grown(
        graph=decoded(tensors),
        constants=tensors["constants"],
        mean=tensors["running_mean"],
        variance=tensors["running_var"],
        weight=torch.from_numpy(np.array(weights[readers[0]])),
    )


def input_names(dataset: Dataset) -> tuple[str, ...]:
    """What the inputs of a network are called, counted from 1: features, components or pixels."""
    if dataset.components:
        return tuple(f"pc{index + 1}" for index in range(dataset.components))
    if dataset.features:
        return dataset.features
    channels, height, width = dataset.shape
    pixels = [
        (channel + 1, row + 1, column + 1)
        for channel in range(channels)
        for row in range(height)
        for column in range(width)
    ]
    first = 0 if channels > 1 else 1
    return tuple("p" + "_".join(map(str, pixel[first:])) for pixel in pixels)


def importance(its: Grown, inputs: Tensor, *, classes: bool) -> Tensor:
    """What each column contributes to the outputs, (columns,), float64.

    Args:
        its: the graph with its read-out.
        inputs: N×inputs, on which standard deviations are taken.
        classes: whether the outputs are logits, else numbers.
    """
    stored = Stored(EPS, its.mean, its.variance)
    columns = evaluate(schedule(its.graph), inputs, its.constants, stored).values
    return (for_classes if classes else for_numbers)(columns, its.weight)


def _inputs(tables: Tables, run: dict[str, Any]) -> Tensor:
    """The training rows of a run as its network sees them, N×inputs."""
    parts = split(load(tables.data(run["dataset"])), **split_settings(run))
    train = prepare({"train": parts["train"]}, dataset_of(run))["train"]
    return train[0].flatten(1)


def _rows(its: Grown, run: dict[str, Any], inputs: Tensor) -> list[dict[str, Any]]:
    graph = its.graph
    dataset: Dataset = load_thing("datasets", run["dataset"]).DATASET
    names = [*input_names(dataset), *(f"z{index + 1}" for index in range(len(graph.ops)))]
    constants = its.constants.tolist()
    deviations = (its.variance.double() + EPS).sqrt().tolist()
    written = formulas(
        graph,
        constants,
        names[: graph.inputs],
        statistics=(its.mean.tolist(), deviations),
        digits=DIGITS,
    )
    worth = importance(its, inputs, classes=dataset.target == "class").tolist()
    places = place(graph).places
    rows = []
    for column, (x, y) in enumerate(places):
        index = column - graph.inputs
        op = graph.ops[index] if index >= 0 else None
        rows.append(
            {
                "column": column,
                "name": names[column],
                "kind": op.kind if op else INPUT,
                "symbol": load_thing("operations", op.kind).SYMBOL if op else "",
                "level": graph.levels[index] if op else 0,
                "operands": "; ".join(_operands(op, names, constants)) if op else "",
                "reads": ";".join(map(str, op.columns)) if op else "",
                "leaf": int(graph.leaves[index]) if op else 0,
                "importance": worth[column],
                "formula": written[index] if op else names[column],
                "x": x,
                "y": y,
            }
        )
    return rows


def _operands(op: Op, names: list[str], constants: list[float]) -> list[str]:
    return [
        names[one.index] if isinstance(one, Column) else number(constants[one.index], DIGITS)
        for one in op.operands
    ]

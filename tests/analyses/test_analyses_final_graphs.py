"""The final graphs of a study, their formulas and the importance of their columns."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from made_evolving import RUNS, Array, made

from made_files import save as save_file
from sidestep import layout
from sidestep.analyses import (
    final_graphs,
)
from sidestep.analyses.shared import evolution
from sidestep.data.load import load, split
from sidestep.data.prepare import prepare
from sidestep.datasets import cifar10, diabetes, digits, mnist_components, wine
from sidestep.errors import UserError
from sidestep.graphs.evaluate import Stored, evaluate, schedule
from sidestep.graphs.graph import Column, Constant, Graph, Op
from sidestep.graphs.layer import EPS, encoded
from sidestep.study import split_settings
from sidestep.tables import Tables

GRAPH = Graph(
    10,
    (
        Op("multiply", (Column(0), Column(9))),
        Op("add", (Column(10), Constant(0))),
        Op("sine", (Column(11),)),
        Op("multiply", (Constant(1), Column(2))),
        Op("gated_product", (Column(0), Column(13))),
    ),
)
CONSTANTS = [0.25, -2.0]
MEANS, DEVIATIONS = [0.5, 0.0, -0.25, 0.0, 0.125], [2.0, 1.0, 0.5, 1.0, 4.0]


def network(graph: Graph = GRAPH, outputs: int = 1, **changes: Any) -> dict[str, Array]:
    """A network's weights by name."""
    noise = np.random.default_rng(3)
    found: dict[str, Any] = {
        **{f"graph.layer.{name}": tensor.numpy() for name, tensor in encoded(graph).items()},
        "graph.layer.constants": np.array(CONSTANTS, np.float32),
        "graph.layer.running_mean": np.array(MEANS, np.float32),
        "graph.layer.running_var": (np.array(DEVIATIONS) ** 2 - EPS).astype(np.float32),
        "graph.layer.seen": np.ones(len(graph.ops), np.float32),
        "output.linear.weight": noise.normal(size=(outputs, graph.columns)).astype(np.float32),
        "output.linear.bias": np.zeros(outputs, np.float32),
    }
    return found | changes


def with_graphs(root: Path, dataset: str = "diabetes", **changes: Any) -> Tables:
    """A study of a linear network, whose file is missing, and two graphs."""
    runs = {name: RUNS[name] for name in ("a", "c", "d")}
    tables = made(root, runs, datasets=(dataset,), diverged={(dataset, "d", 1)}, **changes)
    outputs = {"diabetes": 1, "wine": 3}[dataset]
    inputs = {"diabetes": 10, "wine": 13}[dataset]
    ops = tuple(
        Op(op.kind, tuple(
            Column(o.index + inputs - 10) if isinstance(o, Column) and o.index >= 10 else o
            for o in op.operands
        ))
        for op in GRAPH.ops
    )  # fmt: skip
    for name, seed in itertools.product(("c", "d"), tables.study.seeds):
        if (name, seed) != ("d", 1):
            folder = layout.run("evolution", dataset, name, seed, root)
            save_file(network(Graph(inputs, ops), outputs), folder / "model.safetensors")
    return tables


def test_final_graphs_by_hand(tmp_path: Path) -> None:
    table = final_graphs.analyse(with_graphs(tmp_path))
    runs = table[["variant", "seed"]].drop_duplicates().itertuples(index=False)
    # What has no graph and what diverged have none.
    assert [tuple(each) for each in runs] == [("c", 0), ("c", 1), ("c", 2), ("d", 0), ("d", 2)]
    its = table[(table["variant"] == "d") & (table["seed"] == 2)].reset_index(drop=True)
    assert list(its["column"]) == list(range(15))
    assert list(its["name"]) == [*diabetes.DATASET.features, "z1", "z2", "z3", "z4", "z5"]
    assert list(its["kind"])[9:] == [
        "input", "multiply", "add", "sine", "multiply", "gated_product",
    ]  # fmt: skip
    assert list(its["symbol"])[9:] == ["", "×", "+", "sin", "×", "glu"]
    assert list(its["level"]) == [0] * 10 + [1, 2, 3, 1, 2]
    assert list(its["leaf"]) == [0] * 12 + [1, 0, 1]
    assert list(its["operands"])[9:] == ["", "age; s6", "z1; 0.25", "z2", "−2; bmi", "age; z4"]
    assert list(its["reads"])[9:] == ["", "0;9", "10", "11", "2", "0;13"]
    assert list(its["formula"])[8:14] == [
        "s5", "s6", "((age × s6) − 0.5) / 2", "(((age × s6) − 0.5) / 2) + 0.25",
        "(sin((((age × s6) − 0.5) / 2) + 0.25) − (−0.25)) / 0.5", "(−2) × bmi",
    ]  # fmt: skip
    assert its["x"].max() == 1 and its["x"].min() == 0
    assert list(its["x"])[10:] == pytest.approx([1 / 3, 2 / 3, 1, 1 / 3, 2 / 3])
    assert its["y"].between(0, 1).all()


def test_formulas_compute_the_columns(tmp_path: Path) -> None:
    tables = with_graphs(tmp_path)
    table = final_graphs.analyse(tables)
    its = table[(table["variant"] == "c") & (table["seed"] == 0)]
    grown = final_graphs.grown(tables.network("diabetes", "c", 0))
    rows = torch.randn(40, 10, generator=torch.Generator().manual_seed(0)).double()
    stored = Stored(EPS, grown.mean, grown.variance)
    columns = evaluate(schedule(GRAPH), rows, grown.constants, stored).values.numpy()
    known: dict[str, Any] = {
        "sin": np.sin,
        "glu": lambda left, right: left / (1 + np.exp(-right)),
        **dict(zip(diabetes.DATASET.features, rows.numpy().T, strict=True)),
    }
    for column, (name, formula) in enumerate(zip(its["name"], its["formula"], strict=True)):
        known[name] = eval(formula.replace("−", "-").replace("×", "*"), {}, known)
        assert known[name] == pytest.approx(columns[:, column], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("dataset", ["diabetes", "wine"])
def test_importance_is_the_norm_of_what_tells_outputs_apart_times_the_deviation(
    tmp_path: Path, dataset: str
) -> None:
    tables = with_graphs(tmp_path, dataset)
    table = final_graphs.analyse(tables)
    its = table[(table["variant"] == "c") & (table["seed"] == 1)]
    grown = final_graphs.grown(tables.network(dataset, "c", 1))
    described = {"diabetes": diabetes, "wine": wine}[dataset].DATASET
    settings = split_settings(tables.study.run(dataset, "c", 1))
    rows, _ = prepare(split(load(tables.data(dataset)), **settings), described)["train"]
    stored = Stored(EPS, grown.mean, grown.variance)
    inputs = rows.flatten(1)
    columns = evaluate(schedule(grown.graph), inputs, grown.constants, stored).values
    weights = grown.weight.double().numpy()
    if dataset == "wine":
        weights = weights - weights.mean(0)
    wanted = np.linalg.norm(weights, axis=0) * columns.double().numpy().std(0)
    assert list(its["importance"]) == pytest.approx(wanted, rel=1e-5)
    # An input has a deviation of 1 on all training rows.
    assert wanted[0] == pytest.approx(np.linalg.norm(weights[:, 0]), rel=1e-5)
    few = final_graphs.analyse(tables, images=10)
    assert not np.allclose(few["importance"], table["importance"], rtol=1e-3)


def test_a_graph_without_operations(tmp_path: Path) -> None:
    tables = with_graphs(tmp_path)
    empty = network(
        Graph(10),
        **{
            f"graph.layer.{name}": np.zeros(0, np.float32)
            for name in ("constants", "running_mean", "running_var", "seen")
        },
    )
    folder = layout.run("evolution", "diabetes", "c", 0, tmp_path)
    save_file(empty, folder / "model.safetensors")
    table = final_graphs.analyse(tables)
    its = table[(table["variant"] == "c") & (table["seed"] == 0)]
    assert set(its["kind"]) == {"input"} and len(its) == 10


def test_a_network_that_is_no_graph_is_refused() -> None:
    with pytest.raises(UserError, match="0 graphs"):
        final_graphs.grown({"output.linear.weight": np.zeros((1, 2))})
    with pytest.raises(UserError, match="2 read-outs"):
        final_graphs.grown(network(**{"output.other.weight": np.zeros((1, 2))}))


def test_names_of_inputs() -> None:
    assert final_graphs.input_names(mnist_components.DATASET)[::19] == ("pc1", "pc20")
    pixels = final_graphs.input_names(digits.DATASET)
    assert pixels[:2] == ("p1_1", "p1_2") and pixels[8] == "p2_1" and len(set(pixels)) == 64
    colours = final_graphs.input_names(cifar10.DATASET)
    assert (colours[0], colours[-1]) == ("p1_1_1", "p3_32_32") and len(set(colours)) == 3072


def test_columns_that_are_read_survive_the_file(tmp_path: Path) -> None:
    table = final_graphs.analyse(with_graphs(tmp_path))
    table.to_csv(tmp_path / "graphs.csv", index=False)
    read = pd.read_csv(tmp_path / "graphs.csv")
    wanted = [() if not text else tuple(map(int, text.split(";"))) for text in table["reads"]]
    assert [evolution.indices(value) for value in read["reads"]] == wanted
    assert [evolution.indices(value) for value in table["reads"]] == wanted
    # A file in which no operation reads two columns has numbers.
    assert evolution.indices(3.0) == (3,) and evolution.indices(4) == (4,)

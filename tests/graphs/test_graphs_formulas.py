"""Formulas say what is computed, and drawings have room for every column."""

import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_graphs import graphs, made

from sidestep.graphs.evaluate import Stored, evaluate, schedule
from sidestep.graphs.formulas import formulas
from sidestep.graphs.graph import Column, Constant, Graph, Op
from sidestep.graphs.placement import place

C, K = Column, Constant
KNOWN = {
    "max": max,
    "min": min,
    "sin": math.sin,
    "glu": lambda a, b: a / (1 + math.exp(-b)),
    "__builtins__": {},
}
NAMES = ("a", "b2", "length", "β", "x_1", "w")


def evaluated(texts, names, row):
    """Each formula on numbers, earlier ones by their names."""
    found = dict(zip(names, row, strict=True))
    for index, text in enumerate(texts):
        code = text.replace("×", "*").replace("−", "-")
        found[f"z{index + 1}"] = eval(code, dict(KNOWN), found)
    return [found[f"z{index + 1}"] for index in range(len(texts))]


@settings(max_examples=60)
@given(graphs(), st.booleans(), st.sampled_from([1, 20, 200]))
def test_formulas_evaluate_to_what_the_graph_computes(made_graph, normalised, longest):
    graph, constants = made_graph
    names = NAMES[: graph.inputs]
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(3, graph.inputs, generator=generator, dtype=torch.float64)
    count = len(graph.ops)
    mean = torch.randn(count, generator=generator, dtype=torch.float64)
    deviation = torch.rand(count, generator=generator, dtype=torch.float64) + 0.2
    texts = formulas(
        graph,
        constants,
        names,
        statistics=(mean.tolist(), deviation.tolist()) if normalised else None,
        digits=17,
        longest=longest,
    )
    stored = Stored(0.0, mean, deviation.square()) if normalised else None
    numbers = torch.tensor(constants, dtype=torch.float64)
    expected = evaluate(schedule(graph), rows, numbers, stored).values[:, graph.inputs :]
    for row, wanted in zip(rows.tolist(), expected.tolist(), strict=True):
        assert evaluated(texts, names, row) == pytest.approx(wanted, rel=1e-6, abs=1e-9)


def test_formulas_by_hand():
    graph = Graph(
        2,
        (
            Op("multiply", (C(0), C(1))),
            Op("subtract", (K(0), C(2))),
            Op("maximum", (C(3), K(1))),
            Op("add", (C(4), C(2))),
            Op("gated_product", (C(5), C(0))),
            Op("sine", (C(6),)),
        ),
    )
    assert formulas(graph, [-0.25, 1e-7], ["a", "b"]) == (
        "a × b",
        "(−0.25) − (a × b)",
        "max((−0.25) − (a × b), 1e−07)",
        "max((−0.25) − (a × b), 1e−07) + (a × b)",
        "glu(max((−0.25) − (a × b), 1e−07) + (a × b), a)",
        "sin(glu(max((−0.25) − (a × b), 1e−07) + (a × b), a))",
    )
    assert formulas(graph, [-0.25, 1e-7], ["a", "b"], longest=20)[3:] == (
        "z3 + (a × b)",
        "glu(z3 + (a × b), a)",
        "sin(glu(z3 + (a × b), a))",
    )
    some = Graph(2, graph.ops[:1])
    assert formulas(some, [], ["a", "b"], statistics=([0.5], [2.0])) == ("((a × b) − 0.5) / 2",)


def test_formulas_of_deep_graphs_stay_short_and_have_no_markup():
    graph = Graph(1)
    for _ in range(60):
        graph = graph.add(Op("multiply", (C(graph.columns - 1), C(graph.columns - 1))))
    texts = formulas(graph, [], ["a"])
    assert max(map(len, texts)) < 150
    assert not re.search(r"[\\$#{}_^]", "".join(texts))


@pytest.mark.parametrize(
    ("constants", "names", "statistics", "sentence"),
    [
        ([], ["a", "b"], None, "0 constants for a graph of 1"),
        ([1.0], ["a"], None, "1 names for 2 inputs"),
        ([1.0], ["a", "a"], None, "not unique"),
        ([1.0], ["a", "z1"], None, "not unique"),
        ([1.0], ["a", "b"], ([0.0], []), "statistics do not fit"),
    ],
)
def test_what_does_not_fit_is_told(constants, names, statistics, sentence):
    graph = Graph(2, (Op("add", (C(0), K(0))),))
    with pytest.raises(ValueError, match=sentence):
        formulas(graph, constants, names, statistics=statistics)


@given(graphs())
def test_drawings_have_a_place_for_every_column_and_lines_lead_to_deeper_layers(made_graph):
    graph, _ = made_graph
    drawing = place(graph)
    assert len(set(drawing.places)) == len(drawing.places) == graph.columns
    assert all(0 <= x <= 1 and 0 < y < 1 for x, y in drawing.places)
    levels = [0] * graph.inputs + list(graph.levels)
    for one, (x, _) in zip(levels, drawing.places, strict=True):
        assert x == pytest.approx(one / max(1, *levels))
    for read, reader in drawing.lines:
        assert drawing.places[read][0] < drawing.places[reader][0]
    wanted = {(c, graph.inputs + k) for k, op in enumerate(graph.ops) for c in op.columns}
    assert set(drawing.lines) == wanted and len(drawing.lines) == len(wanted)


def test_the_first_input_is_at_the_top_and_operations_near_what_they_read():
    graph, _ = made(4, 0)
    ops = (Op("sine", (C(3),)), Op("sine", (C(0),)), Op("sine", (C(1),)))
    drawing = place(Graph(4, ops))
    heights = [y for _, y in drawing.places]
    assert heights[:4] == sorted(heights[:4], reverse=True) and place(graph).lines == ()
    assert heights[5] > heights[6] > heights[4]

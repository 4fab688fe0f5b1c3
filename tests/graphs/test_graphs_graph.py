"""Graphs of operations: leaves, what removal leaves, what is refused, and how new ones are drawn."""

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_graphs import KINDS, graphs, made

from sidestep import registry
from sidestep.errors import UserError
from sidestep.graphs.graph import Column, Constant, Graph, Op
from sidestep.graphs.mutation import grow, mutate

C, K = Column, Constant


def op(kind, *operands):
    return Op(kind, operands)


@given(graphs())
def test_a_leaf_is_what_no_other_operation_reads(made_graph):
    graph, _ = made_graph
    for index, leaf in enumerate(graph.leaves):
        readers = [
            k
            for k in range(len(graph.ops))
            for one in graph.ops[k].operands
            if one == Column(graph.inputs + index)
        ]
        assert leaf is (not readers)
    if graph.ops:
        assert graph.leaves[-1]


@given(graphs())
def test_levels_are_longest_ways_from_the_inputs(made_graph):
    graph, _ = made_graph

    def longest(column):
        if column < graph.inputs:
            return 0
        return 1 + max(longest(one) for one in graph.ops[column - graph.inputs].columns)

    assert graph.levels == tuple(longest(graph.inputs + k) for k in range(len(graph.ops)))


@given(graphs(), st.data())
def test_removal_of_a_leaf_leaves_every_other_operation_reading_what_it_read(made_graph, data):
    graph, _ = made_graph
    leaves = [k for k, leaf in enumerate(graph.leaves) if leaf]
    if not leaves:
        return
    gone = data.draw(st.sampled_from(leaves))

    def meaning(graph, column, numbers):
        """An expression by identity, whatever the indices are."""
        if column < graph.inputs:
            return ("input", column)
        one = graph.ops[column - graph.inputs]
        return (
            one.kind,
            *(
                meaning(graph, part.index, numbers)
                if isinstance(part, Column)
                else ("constant", numbers[part.index])
                for part in one.operands
            ),
        )

    numbers = list(range(graph.constants))
    kept_numbers = [k for k in numbers if k not in graph.ops[gone].constants]
    smaller = graph.remove(gone)
    kept = [k for k in range(len(graph.ops)) if k != gone]
    assert len(smaller.ops) == len(kept) and smaller.constants == len(kept_numbers)
    for index, k in enumerate(kept):
        mine = meaning(smaller, graph.inputs + index, kept_numbers)
        assert mine == meaning(graph, graph.inputs + k, numbers)


def test_indices_after_a_removal_by_hand():
    graph = Graph(
        2,
        (
            op("multiply", C(0), C(1)),  # column 2
            op("maximum", C(1), K(0)),  # column 3, a leaf
            op("add", C(0), C(2)),  # column 4
            op("gated_product", K(1), C(4)),  # column 5
        ),
    )
    assert graph.leaves == (False, True, False, True)
    assert graph.remove(1).ops == (
        op("multiply", C(0), C(1)),
        op("add", C(0), C(2)),
        op("gated_product", K(0), C(3)),
    )


@pytest.mark.parametrize("index", [-1, 2])
def test_an_operation_that_is_not_there_cannot_be_removed(index):
    graph = Graph(2, (op("multiply", C(0), C(1)), op("sine", C(2))))
    with pytest.raises(ValueError, match=f"operation {index} is none of the 2"):
        graph.remove(index)


def test_an_operation_that_is_read_cannot_be_removed():
    graph = Graph(2, (op("multiply", C(0), C(1)), op("sine", C(2))))
    with pytest.raises(ValueError, match="operation 0 cannot be removed: operation 1 reads it"):
        graph.remove(0)


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (op("add", C(1), C(0)), "duplicate"),
        (op("gated_product", C(0), C(1)), "duplicate"),
        (op("sine", C(0)), "duplicate"),
        (op("add", C(0), C(5)), "reads column 5, but there are 5 before it"),
        (op("add", C(-1), C(0)), "reads column -1"),
        (op("add", C(0), C(1), C(1)), "has 3 operands, not 2"),
        (op("sine"), "has 0 operands, not 1"),
        (op("add", K(0), K(1)), "constants alone"),
        (op("sine", K(0)), "constants alone"),
        (op("add", C(0), K(1)), r"has the constants \(1,\), but the next are \(0,\)"),
        (op("subtract", C(1), C(1)), "nothing new of column 1 with itself"),
        (op("maximum", C(1), C(1)), "nothing new"),
    ],
)
def test_what_says_nothing_new_or_does_not_fit_is_refused(new, sentence):
    graph = Graph(2, (op("add", C(0), C(1)), op("gated_product", C(0), C(1)), op("sine", C(0))))
    with pytest.raises(ValueError, match=f"operation 3 .*{sentence}"):
        graph.add(new)


def test_the_same_of_other_constants_and_in_another_order_is_new():
    graph = Graph(2, (op("gated_product", C(0), C(1)), op("maximum", C(0), K(0))))
    more = graph.add(op("gated_product", C(1), C(0))).add(op("maximum", C(0), K(1)))
    assert more.constants == 2 and more.add(op("multiply", C(0), C(0))).columns == 7


@pytest.mark.parametrize("inputs", [0, -1])
def test_a_graph_without_inputs_is_told_in_one_sentence(inputs):
    with pytest.raises(UserError, match=f"at least one input column but has {inputs}$"):
        Graph(inputs)


def test_an_unknown_operation_is_told_with_the_nearest():
    with pytest.raises(UserError, match="did you mean 'multiply'"):
        Graph(1, (op("multipy", C(0), C(0)),))


def test_graphs_are_frozen():
    for thing in (Graph, Op, Column, Constant):
        assert dataclasses.fields(thing) and thing.__dataclass_params__.frozen


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_is_drawn_as_often_as_any_other(kind):
    """Chi-square of 6 columns, 5 of freedom: above 20.5 with probability 0.001 (column 0 never: T4-1)."""
    generator = torch.Generator().manual_seed(5)
    seen = torch.zeros(6)
    for _ in range(3000):
        for column in mutate(Graph(6), generator, [kind], 0.4).op.columns:
            seen[column] += 1
    expected = seen.sum() / 6
    assert float(((seen - expected) ** 2 / expected).sum()) < 20.5


def test_constants_come_as_often_as_asked_at_either_place_and_start_alive():
    generator = torch.Generator().manual_seed(6)
    places = {None: 0, 0: 0, 1: 0}
    for _ in range(3000):
        drawn = mutate(Graph(4), generator, ["multiply", "gated_product", "sine"], 0.5)
        constants = [k for k, one in enumerate(drawn.op.operands) if isinstance(one, Constant)]
        assert len(constants) == len(drawn.start) <= 1
        if drawn.op.kind == "sine":
            assert not constants
            continue
        places[constants[0] if constants else None] += 1
        if constants and (drawn.op.kind == "multiply" or constants == [0]):
            assert drawn.start == (1.0,)
    total = sum(places.values())
    # Standard deviations of these shares are about 0.01.
    assert abs(places[None] / total - 0.5) < 0.05
    assert abs(places[0] / total - 0.25) < 0.05 and abs(places[1] / total - 0.25) < 0.05


def test_draws_repeat_with_the_generator_and_grow_is_mutate_again_and_again():
    graph, _ = made(3, 12, seed=8)
    assert graph == made(3, 12, seed=8)[0] != made(3, 12, seed=9)[0]
    generator = torch.Generator().manual_seed(8)
    step = Graph(3)
    for _ in range(12):
        step = step.add(mutate(step, generator, KINDS, 0.5).op)
    assert step == graph


@pytest.mark.parametrize(
    ("kinds", "constant", "inputs", "sentence"),
    [
        ([], 0.5, 2, "no operations are allowed: name at least one of add, "),
        (["add", "cosine"], 0.5, 2, "unknown operation 'cosine'"),
        (["add"], 1.5, 2, "probability of a constant is 1.5"),
        (["add"], -0.5, 2, "probability of a constant is -0.5"),
        (["add", "maximum"], 0.0, 1, "found no new operation for 1 columns"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_one_sentence(kinds, constant, inputs, sentence):
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(UserError, match=sentence) as caught:
        grow(Graph(inputs), generator, kinds, constant, 50)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_operations_describe_themselves(kind):
    operation = registry.load("operations", kind)
    assert operation.ARITY in (1, 2) and len(operation.START) == operation.ARITY
    torch.manual_seed(0)
    operands = [torch.randn(200, dtype=torch.float64) for _ in range(operation.ARITY)]
    swapped = operation.forward(*operands[::-1])
    assert torch.equal(operation.forward(*operands), swapped) is operation.SYMMETRIC
    same = operation.forward(*[operands[0]] * operation.ARITY)
    # Of itself: a straight line of the column says nothing new.
    line = torch.stack((operands[0], torch.ones(200, dtype=torch.float64)), 1)
    rest = same - line @ torch.linalg.lstsq(line, same[:, None]).solution[:, 0]
    assert (float(rest.abs().max()) > 1e-6) is operation.OF_ITSELF

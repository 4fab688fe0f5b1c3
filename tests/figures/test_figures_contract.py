"""What every figure must do, whatever the study; a new file is covered without a new test."""

import ast
import io
import itertools
import re
from functools import cache

import made_decoupled
import made_evolution
import made_layerwise
import made_sizes
import made_studies
import made_substitution
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import made_files
from sidestep import captions, registry, sizing
from sidestep.config_files import read_file
from sidestep.drawing import over_seeds, visible
from sidestep.figures.shared import evolution, layered, resizing
from sidestep.plot import plot_job
from sidestep.study import Study
from sidestep.style import SMALL, TEXT, using
from sidestep.tables import Tables

FIGURES = registry.names("figures")
MANY = tuple(int(2 ** (i / 2)) for i in range(8, 28))
STUDIES = {
    "usual": {},
    "many widths, one data set, one seed, two runs diverged": {
        "datasets": ("mnist",),
        "widths": MANY,
        "seeds": (4,),
        "diverged": ((22, 4), (11585, 4)),
    },
    "two widths, fits refused, a run diverged, not timed": {
        "widths": (16, 90),
        "refused": True,
        "timed": False,
        "diverged": ((90, 1),),
    },
    "one width": {"widths": (128,), "datasets": ("digits",)},
    "nothing finished": {"widths": (16, 32), "seeds": (0,), "diverged": ((16, 0), (32, 0))},
}


LAYERWISE = {
    "usual": {"variants": made_layerwise.MANY, "seeds": (0, 1), "diverged": (("similarity", 1),)},
    "three data sets, two timed": {
        "variants": made_layerwise.FEW,
        "datasets": ("mnist", "fashion_mnist", "digits"),
        "timed": ("mnist", "digits"),
        "diverged": (("difference", 0), ("difference", 1), ("difference", 2)),
    },
    "one seed, not timed": {"variants": made_layerwise.FEW, "seeds": (4,), "timed": ()},
    "no sweeps, eleven seeds": {
        "variants": {name: made_layerwise.USUAL[name] for name in ("adam", "sub-model")},
        "seeds": tuple(range(11)),
    },
    "no sweeps, more variants than there is room for": {
        "variants": made_layerwise.CROWD,
        "seeds": (0, 1),
    },
    "nothing finished": {
        "variants": {"sub-model": made_layerwise.USUAL["sub-model"]},
        "seeds": (0,),
        "diverged": (("sub-model", 0),),
    },
}
DECOUPLED = {
    "one setting, a few epochs": {},
    "four settings, heads, rates and images, two runs diverged": {
        "variants": made_decoupled.LARGE,
        "seeds": (0, 1),
        "diverged": (("backprop-0.01", 0), ("dgl-vgg16-augmented", 1)),
    },
    "two data sets, settings of one variant": {
        "variants": made_decoupled.FEW,
        "datasets": ("cifar10", "digits"),
        "diverged": (("dgl", 0),),
    },
    "no sweeps, a variant that always diverges": {
        "seeds": (0, 1),
        "diverged": (("dni", 0), ("dni", 1), ("dgl", 1)),
    },
    "one seed, not timed": {"variants": made_decoupled.FEW, "seeds": (4,), "timed": ()},
    "nothing finished": {
        "variants": {"backprop": made_decoupled.USUAL["backprop"]},
        "seeds": (0,),
        "diverged": (("backprop", 0),),
    },
}
SUBSTITUTION = {
    "eleven variants": {},
    "more budgets, all layers and decays, two runs diverged": {
        "variants": made_substitution.LARGE,
        "diverged": (("cp-0.1", 0), ("acdc-0.1-taught", 1)),
    },
    "two data sets, one variant twice, a variant that always diverges": {
        "variants": made_substitution.TWICE,
        "datasets": ("cifar10", "digits"),
        "seeds": (0, 1),
        "diverged": (("low_rank", 0), ("low_rank", 1)),
    },
    "one seed, not timed": {"seeds": (4,), "timed": ()},
    "nothing finished": {
        "variants": {"dense": made_substitution.USUAL["dense"]},
        "seeds": (0,),
        "diverged": (("dense", 0),),
    },
}
RESIZING = {
    "nine variants": {},
    "every method, more starts and prices, two runs diverged": {
        "variants": made_sizes.LARGE,
        "diverged": (("flexible-50", 0), ("by-worth-20", 1)),
    },
    "three data sets, few variants, one that always diverges": {
        "variants": made_sizes.FEW,
        "datasets": ("mnist", "fashion_mnist", "digits"),
        "diverged": tuple(("flexible-0", seed) for seed in (0, 1, 2)),
    },
    "one seed, one data set": {"seeds": (4,), "datasets": ("mnist",)},
    "static layers alone": {
        "variants": {name: made_sizes.USUAL[name] for name in ("static-200", "static-50")},
        "datasets": ("digits",),
    },
    "nothing finished": {
        "variants": {"by-worth-20": made_sizes.USUAL["by-worth-20"]},
        "seeds": (0,),
        "diverged": (("by-worth-20", 0),),
    },
}
# As a sweep over settings of the edit has them: twenty-two variants.
CROWD = made_evolution.USUAL | {
    f"{name}-adds-{adds}-prunes-{prunes}": made_evolution.evolving(adds=adds, prunes=prunes, **more)
    for name, more in (("evolved", {}), ("judged", made_evolution.JUDGED))
    for adds in (1, 2, 8, 16)
    for prunes in (0, 2)
    if (name, adds) != ("judged", 16)
}
EVOLUTION = {
    **made_evolution.CASES,
    "a sweep, two seeds": {"variants": CROWD, "seeds": (0, 1)},
}
KINDS = {
    "width": (made_studies.tables, STUDIES),
    "layerwise": (made_layerwise.tables, LAYERWISE),
    "decoupled": (made_decoupled.tables, DECOUPLED),
    "substitution": (made_substitution.tables, SUBSTITUTION),
    "resizing": (made_sizes.tables, RESIZING),
    "evolution": (made_evolution.tables, EVOLUTION),
}
# Figures of the first study, whose tables have a width; all others are of variants with names.
OF_WIDTH = {
    thing if isinstance(thing, str) else thing["name"]
    for thing in read_file(registry.PACKAGE.parents[1] / "config.yaml")["studies"]["width"][
        "figures"
    ]
}
SWEEPS = {"block_shares", "fine_tune_share", "cuts"}
# Figures of studies that have variants of several methods in several settings.
OF_SETTINGS = {
    *("curves_by_epoch", "curves_by_seconds", "generalisation_gap", "own_heads", "cost_per_step"),
    *("accuracy_against_cost", "learning_rate_sensitivity", "data_settings", "equal_seconds"),
}
# Figures of studies that substitute layers, and those that such studies have besides.
OF_SUBSTITUTION = {
    *("pareto_fronts", "teacher_effect", "decay_effect", "speedups", "matrix_fits", "seed_noise"),
}
# Figures of networks that size themselves, and those of them that static layers have too.
OF_RESIZING = {
    *("size_curves", "final_against_start", "accuracy_against_size", "matched_differences"),
    *("gate_profiles", "neurons_kept", "order_agreement", "order_changes", "late_losses"),
    "size_against_price",
}
OF_STATIC = {"accuracy_against_size", "neurons_kept", "order_agreement", "order_changes"}
# Figures of graphs that evolve; those that need one that does, and those that need a population.
OF_EVOLUTION = {
    *("score_against_parameters", "score_against_training_seconds", "score_differences"),
    *("size_over_generations", "importance_over_generations", "generalisation_by_variant"),
    *("final_graph", "cost_at_equal_score", "population_scores"),
}
OF_EVOLVING = {"score_differences", "importance_over_generations", "final_graph"}
WITH_POPULATION = {"seven variants", "one seed, one data set", "a sweep, two seeds"}
ALSO_OF_SUBSTITUTION = ("curves_by_epoch", "generalisation_gap")
# Those that compare variants which not every study has.
OF_GROUPS = {"learning_rate_sensitivity", "data_settings", "equal_seconds"}
WITH_GROUPS = {
    "four settings, heads, rates and images, two runs diverged",
    "two data sets, settings of one variant",
}


def kind_of(figure: str) -> str:
    if figure in OF_EVOLUTION:
        return "evolution"
    if figure in OF_RESIZING:
        return "resizing"
    if figure in OF_SUBSTITUTION:
        return "substitution"
    if figure in OF_SETTINGS:
        return "decoupled"
    return "width" if figure in OF_WIDTH else "layerwise"


def may_be_empty(figure: str, case: str) -> bool:
    bare = figure in SWEEPS and case.startswith("no sweeps")
    bare |= figure in ("speedups", "seed_noise") and "not timed" in case
    bare |= figure == "decay_effect" and case in ("eleven variants", "one seed, not timed")
    bare |= figure in OF_RESIZING - OF_STATIC and case == "static layers alone"
    bare |= figure in OF_EVOLVING and case == "nothing evolves"
    bare |= figure == "population_scores" and case not in WITH_POPULATION
    return bare or case == "nothing finished" or (figure in OF_GROUPS and case not in WITH_GROUPS)


CASES = [
    *((kind_of(name), case, name) for name in FIGURES for case in KINDS[kind_of(name)][1]),
    *(("substitution", case, name) for name in ALSO_OF_SUBSTITUTION for case in SUBSTITUTION),
]


@cache
def made(kind: str, case: str) -> Tables:
    maker, cases = KINDS[kind]
    return maker(**cases[case])


@pytest.fixture
def drawn_texts(monkeypatch) -> list[Text]:
    """Fills with the texts that are really drawn: ticks beyond the axis' limits are not."""
    drawn: list[Text] = []
    draw = Text.draw

    def record(text, renderer):
        if text.get_visible() and text.get_text().strip() and text not in drawn:
            drawn.append(text)
        draw(text, renderer)

    monkeypatch.setattr(Text, "draw", record)
    return drawn


@pytest.mark.parametrize(("kind", "case", "name"), CASES)
def test_rows_are_tidy_and_the_picture_is_readable(kind, case, name, drawn_texts):
    tables = made(kind, case)
    module = registry.load("figures", name)
    rows = module.rows(tables)
    assert not rows.columns.duplicated().any()
    for column in rows:
        numeric = pd.api.types.is_numeric_dtype(rows[column].dtype)
        assert numeric or rows[column].map(type).isin({str, float}).all(), column
    if not may_be_empty(name, case):
        assert len(rows)
    before = rows.copy()
    with using():
        figure = module.draw(rows)
        assert isinstance(figure, Figure)
        figure.canvas.draw()
        pd.testing.assert_frame_equal(rows, before)
        assert figure.get_figwidth() <= TEXT and figure.get_figheight() <= 9
        said = " ".join(text.get_text() for text in drawn_texts)
        assert re.search(r"n = \d|seed", said), said
        assert min(text.get_fontsize() for text in drawn_texts) >= SMALL
        for axes in figure.axes:
            if axes.axison:
                assert labelled(axes, "x"), "an axis of abscissas without a label"
                assert labelled(axes, "y") or axes.get_title(loc="left")
        check_layout(figure, drawn_texts)


def check_layout(figure: Figure, drawn: list[Text]) -> None:
    """No text leaves the page or lies on another one (a point of 1/72 inch aside)."""
    renderer = figure.canvas.get_renderer()
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in drawn]
    page, point = figure.bbox, figure.dpi / 72
    for index, (words, box) in enumerate(boxes):
        inside = box.x0 >= -point and box.y0 >= -point
        inside &= box.x1 <= page.x1 + point and box.y1 <= page.y1 + point
        assert inside, f"'{words}' leaves the page"
        for other, its in boxes[index + 1 :]:
            wide = min(box.x1, its.x1) - max(box.x0, its.x0)
            high = min(box.y1, its.y1) - max(box.y0, its.y0)
            assert wide <= point or high <= point, f"'{words}' lies on '{other}'"


def labelled(axes, which: str) -> bool:
    """Whether the axis, or one in its line of panels, says what it is."""
    span = "colspan" if which == "x" else "rowspan"
    own = getattr(axes.get_subplotspec(), span)
    others = [o for o in axes.figure.axes if getattr(o.get_subplotspec(), span) == own]
    return any(getattr(other, f"get_{which}label")() for other in others)


@pytest.mark.parametrize("name", FIGURES)
def test_same_rows_give_the_same_bytes(name):
    module = registry.load("figures", name)
    tables = {
        "width": lambda: made_studies.tables(widths=(16, 128), datasets=("mnist",)),
        "layerwise": lambda: made_layerwise.tables(made_layerwise.FEW, seeds=(0, 1)),
        "decoupled": lambda: made_decoupled.tables(made_decoupled.FEW, seeds=(0, 1)),
        "substitution": lambda: made_substitution.tables(made_substitution.TWICE, seeds=(0, 1)),
        "resizing": lambda: made_sizes.tables(made_sizes.FEW, seeds=(0, 1)),
        "evolution": lambda: made_evolution.tables(seeds=(0, 1)),
    }[kind_of(name)]()
    pictures = []
    for _ in range(2):
        with using():
            file = io.BytesIO()
            module.draw(module.rows(tables)).savefig(file, format="svg", metadata={"Date": None})
        pictures.append(file.getvalue())
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("name", FIGURES)
def test_captions_are_read_from_the_source_and_can_be_printed(name):
    module = registry.load("figures", name)
    assert captions.caption(name) == module.CAPTION
    assert captions.short_title(name) == module.ALT
    assert module.CAPTION.endswith(".") and 60 < len(module.CAPTION) < 600
    # The report sets captions in reStructuredText, where these mean something.
    assert not re.search(r"[*`|_]", module.CAPTION)
    assert 10 < len(module.ALT) < 70 and not module.ALT.endswith(".")


@pytest.mark.parametrize("name", FIGURES)
def test_figures_read_tables_and_never_models(name):
    tree = ast.parse((registry.PACKAGE / "figures" / f"{name}.py").read_text())
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert not any(part in module for module in imported for part in ("torch", "networks", "data."))


def test_the_job_writes_the_picture_twice_and_its_rows(tmp_path):
    made = made_studies.tables()
    study = Study(**{**vars(made.study), "figures": ({"name": "dead_neurons"},)})
    (tmp_path / "tables").mkdir()
    made.main.to_csv(tmp_path / "tables" / "width.csv", index=False)
    made_files.seal_table(tmp_path / "tables" / "width.csv")
    outputs = {suffix: tmp_path / f"figure.{suffix}" for suffix in ("svg", "png", "csv")}
    found = []
    for _ in range(2):
        plot_job(study, "dead_neurons", outputs, tmp_path)
        found.append({suffix: path.read_bytes() for suffix, path in outputs.items()})
    assert found[0] == found[1]
    assert found[0]["png"].startswith(b"\x89PNG")
    rows = pd.read_csv(outputs["csv"])
    assert list(rows.columns) == [
        "dataset",
        "width",
        "metric",
        "images",
        "mean",
        "low",
        "high",
        "n",
    ]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"),
        (0.01, "0.01"),
        (2.5, "2.5"),
        (1e-5, "10⁻⁵"),
        (3e-4, "3·10⁻⁴"),
        (-2e-3, "-2·10⁻³"),
    ],
)
def test_small_prices_are_written_as_powers_of_ten(value, written):
    assert resizing.power(value) == written


def test_families_hold_every_variant_whose_size_moves_once():
    study = made("resizing", "every method, more starts and prices, two runs diverged").study
    families = resizing.families(study)
    assert len({family.name for family in families}) == len(families)
    moving = [name for name, run in made_sizes.LARGE.items() if sizing.method(run) not in sizing.STILL]  # fmt: skip
    assert sorted(name for family in families for name in family.members) == sorted(moving)
    starts = {family.name: family.members for family in families if len(family.members) > 1}
    assert starts["flexible layer, price 10⁻⁵, decay 10⁻³"] == tuple(
        f"flexible-{start:g}-decay" for start in made_sizes.STARTS
    )
    assert starts["sorted by worth, price 10⁻³"] == ("by-worth-20", "by-worth-100", "by-worth-200")


def test_curves_of_sizes_begin_at_the_start_and_name_lost_runs():
    found = made("resizing", "every method, more starts and prices, two runs diverged")
    rows = registry.load("figures", "size_curves").rows(found)
    first = rows[rows["step"] == 0]
    assert np.allclose(first["mean"], first["start"])
    assert set(rows.loc[rows["diverged"] > 0, "variant"]) == {"flexible-50", "by-worth-20"}
    ended = rows[(rows["variant"] == "flexible-50") & (rows["epoch"] == made_sizes.EPOCHS)]
    assert list(ended["n"]) == [2, 2]
    both = rows.loc[rows["variant"] == "flexible-deep", "stage"]
    assert list(dict.fromkeys(both)) == ["conv1", "dense"]


def test_final_sizes_are_drawn_where_the_analysis_has_them():
    found = made("resizing", "nine variants")
    module = registry.load("figures", "final_against_start")
    rows = module.rows(found)
    assert set(rows["variant"]) == {"flexible-0", "flexible-150", "by-worth-20", "by-worth-200"}
    with using():
        panel = module.draw(rows).axes[0]
    ends = {tuple(np.round(line.get_ydata(), 6)) for line in panel.lines}
    sizes = found.analysis("final_sizes").set_index(["dataset", "variant"])["size"]["mnist"]
    for pair in (("flexible-0", "flexible-150"), ("by-worth-20", "by-worth-200")):
        assert tuple(np.round(sizes[list(pair)], 6)) in ends


def test_over_seeds_counts_what_is_finite():
    frame = pd.DataFrame({"width": [1, 1, 1, 2], "value": [1.0, 3.0, np.nan, np.nan]})
    (found,) = over_seeds(frame, ["width"]).to_dict("records")
    assert found == {"width": 1, "mean": 2.0, "low": 1.0, "high": 3.0, "n": 2}


def test_a_curve_is_visible_as_far_as_it_is_above_a_share_of_its_height():
    rows = pd.DataFrame({"dataset": "x", "width": 1, "spread": range(4), "high": [5, 100, 2, 0.5]})
    flat = rows.assign(width=2, high=[2, 1, 0, 0])
    assert visible(pd.concat([rows, flat]), "spread") == 2
    assert visible(rows, "spread", share=0.03) == 1


@pytest.mark.parametrize(
    ("timed", "other", "drawn"),
    [
        (["a"], 1.0, ["MNIST"]),
        (["b"], 1.0, ["Fashion-MNIST"]),
        (["a"], 2.0, ["MNIST", "Fashion-MNIST"]),
        (["a", "b"], 1.0, ["MNIST", "Fashion-MNIST"]),
        ([], 1.0, ["MNIST"]),
    ],
)
def test_the_key_of_costs_names_what_is_drawn(timed, other, drawn):
    names = {"a": "mnist", "b": "fashion_mnist"}
    rows = pd.DataFrame(
        {
            "dataset": list(names.values()),
            "width": 16,
            "phase": "train",
            "mult_adds": [1e6, 1e6 * other],
            "seconds": [1e-3 if key in timed else np.nan for key in names],
            "q1": 1e-3,
            "q3": 1e-3,
            "n": 5,
        }
    )
    with using():
        (key,) = registry.load("figures", "cost").draw(rows).legends
    assert [text.get_text() for text in key.get_texts()] == drawn


def test_kinds_of_variants_are_told_by_their_settings():
    found = made("evolution", "a sweep, two seeds")
    names = ["judged-2", "mlp", "evolved-adds-8-prunes-0", "random", "linear", "boosting"]
    rows = evolution.with_kinds(pd.DataFrame({"variant": names}), found.study)
    kinds = ["judged", "mlp", "evolved", "never_evolved", "linear", "boosting"]
    assert list(rows["kind"]) == kinds
    assert list(rows["rank"]) == [1, 0, 5, 0, 0, 0]
    assert evolution.ordered(rows) == [*names[1:2], *names[3:], "judged-2", names[2]]


def test_the_graph_that_is_drawn_was_judged_and_has_the_fewest_inputs():
    found = made("evolution", "seven variants")
    rows = registry.load("figures", "final_graph").rows(found)
    assert set(rows["dataset"]) == {"diabetes"} and set(rows["variant"]) == {"judged"}
    assert set(rows["seed"]) == {0} and (rows["level"] == 0).sum() == 10
    lost = made("evolution", "numbers alone, a variant that always diverges")
    assert set(registry.load("figures", "final_graph").rows(lost)["variant"]) == {"judged-2"}


@pytest.mark.parametrize(("inputs", "operations"), [(64, 60), (784, 30), (10, 200), (3, 0), (1, 1)])
def test_graphs_of_any_size_are_readable(inputs, operations, drawn_texts):
    """Also one whose every column reads all that it can, and one without operations."""
    noise = np.random.default_rng(inputs)
    levels, reads = [0] * inputs, [[] for _ in range(inputs)]
    for place in range(operations):
        first = place if operations == 1 else int(noise.integers(inputs + place))
        reads.append(sorted({first, int(noise.integers(inputs + place))}))
        levels.append(1 + max(levels[one] for one in reads[-1]))
    count = inputs + operations
    rows = pd.DataFrame(
        {
            "dataset": "wine", "variant": "judged", "seed": 0, "column": range(count),
            "name": [f"measure_{place}_of_something" for place in range(count)],
            "kind": "multiply", "symbol": "max", "level": levels,
            "reads": [";".join(map(str, its)) for its in reads],
            "leaf": 1, "importance": noise.exponential(size=count), "x": 0.0,
            "y": np.linspace(1, 0, count),
        }
    )  # fmt: skip
    with using():
        figure = registry.load("figures", "final_graph").draw(rows)
        figure.canvas.draw()
        assert figure.get_figheight() <= 9
        check_layout(figure, drawn_texts)
    assert sum(text.get_text() == "max" for text in drawn_texts) == min(operations, 60)


def test_a_layered_drawing_keeps_nodes_apart_and_draws_every_line():
    noise = np.random.default_rng(1)
    levels, reads = [0] * 8, [[] for _ in range(8)]
    for _ in range(40):
        reads.append(sorted({int(one) for one in noise.integers(len(levels), size=2)}))
        levels.append(1 + max(levels[one] for one in reads[-1]))
    sizes = [9.0] * 8 + [18.0] * 40
    found = layered.lay_out(levels, reads, sizes, range(48), trunk=4.0, least=50.0, most=100.0)
    assert max(found.layers) > max(levels) and found.height <= 100
    assert [found.levels[layer] for layer in found.layers] == levels
    for layer in set(found.layers):
        nodes = [node for node in range(48) if found.layers[node] == layer]
        nodes.sort(key=lambda node: found.heights[node])
        passing = {s.end[1] for s in found.segments if s.end[0] == layer and s.node < 0}
        room = min(1.0, 100 / (sum(sizes[node] for node in nodes) + 4 * len(passing)))
        for above, below in itertools.pairwise(nodes):
            gap = found.heights[below] - found.heights[above]
            assert gap >= room * (sizes[above] + sizes[below]) / 2 - 1e-3
    drawn = {(piece.source, piece.node) for piece in found.segments if piece.node >= 0}
    assert drawn == {(one, node) for node, its in enumerate(reads) for one in its}
    for piece in found.segments:
        assert piece.end[0] == piece.start[0] + 1
        assert all(piece.source in reads[target] for target in piece.targets)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([10.0, 50.0, 90.0], [10.0, 50.0, 90.0]),
        ([50.0, 50.0], [45.0, 55.0]),
        ([0.0, 100.0], [5.0, 95.0]),
        ([60.0, 40.0, 41.0], [60.0, 35.5, 45.5]),
    ],
)
def test_items_of_a_layer_move_as_little_as_they_can(wanted, expected):
    found = layered.settled(np.array(wanted), np.full(len(wanted), 10.0), 100.0)
    assert np.allclose(found, expected)

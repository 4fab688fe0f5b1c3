"""The analyses of the layerwise study, on small made tables whose answers are worked out by hand."""

import inspect
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_tables import one

from sidestep import declared, registry, variants
from sidestep.analyses import phase_cost, strategy_sweeps, time_to_target, timeline
from sidestep.analyses.shared.timeline import (
    Phase,
    boundaries,
    diverged,
    history,
    phase_at,
    phases,
    seconds_at,
)
from sidestep.declared import MAIN
from sidestep.settings import settings_of
from sidestep.study import Study, Variant
from sidestep.sweeps import looks_of, main_variants, sweeps_of
from sidestep.tables import Tables

ANALYSES = (timeline, time_to_target, phase_cost, strategy_sweeps)
INF, NAN = math.inf, math.nan
Curve = dict[int, float]
COLUMNS = ["study", "dataset", "variant", "seed", "epoch", "images", "metric", "component", "value"]


def run(**changes: Any) -> dict[str, Any]:
    """A network of two stages, `hidden` and `output`; in turn, then fine-tuned."""
    signal = {"name": "sub_model"}
    strategy = {"name": "blockwise", "signal": signal, "fine_tune": 0.2}
    return {
        "network": {"name": "mlp", "width": 8},
        "strategy": strategy,
        "optimiser": {"name": "adam", "lr": 0.001},
        "schedule": {"name": "constant"},
        "batch_size": 50,
        "epochs": 1,
        "records": [1],
        "probes": [],
        "augmentations": [],
        "teacher": None,
        "substituted_decay": "full",
        **changes,
    }


def blockwise(**settings: Any) -> dict[str, Any]:
    return run(strategy={"name": "blockwise", "signal": {"name": "sub_model"}, **settings})


END_TO_END = run(strategy={"name": "end_to_end"})
# Name → steps, seconds before the first, seconds of a step.
WHOLE = {"all": (10, 0.0, 0.2)}
TURN = {"hidden": (4, 0.0, 0.1), "output": (4, 0.3, 0.05), "fine_tune": (2, 0.0, 0.2)}


def made(
    runs: dict[str, dict[str, Any]],
    timing: dict[str, dict[str, tuple[int, float, float]]],
    losses: dict[tuple[str, str, int], Curve],
    *,
    datasets: tuple[str, ...] = ("mnist",),
    timed: tuple[str, ...] = ("mnist",),
    batches: dict[tuple[str, str, int], Curve] | None = None,
) -> Tables:
    """A study; `losses` are the test losses of (data set, variant, seed) by step; accuracy is 1 − loss / 4."""
    seeds = tuple(dict.fromkeys(seed for _, _, seed in losses))
    study = Study(
        name="layerwise", title="made", datasets=datasets, seeds=seeds,
        variants=tuple(Variant(name, {}, run) for name, run in runs.items()),
        baseline=next(iter(runs)), timing_datasets=timed, timing_steps=5, metrics=(),
        group_metrics=(), analyses=(), figures=(),
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for (dataset, variant, seed), curve in losses.items():
        place = ("layerwise", dataset, variant, str(seed))
        for step, loss in curve.items():
            rows.append((*place, 0, "test", "history_loss", step, loss))
            rows.append((*place, 0, "test", "history_accuracy", step, 1 - loss / 4))
        for step, loss in (batches or {}).get((dataset, variant, seed), {}).items():
            rows.append((*place, 0, "batch", "history_loss", step, loss))
            rows.append((*place, 0, "batch", "history_accuracy", step, NAN))
        for index, name in enumerate(timing[variant]):
            rows.append((*place, 1, "", f"mult_adds_per_step.{name}", NAN, 1e6 * (index + 1)))
            if timing[variant][name][1]:
                rows.append((*place, 1, "", f"mult_adds_per_entry.{name}", NAN, 5e6))
    for dataset in timed:
        for variant, its in timing.items():
            # Sorted by name, as the timing file is: the order of training has to be found out.
            for name, (steps, entry, seconds) in sorted(its.items()):
                values = {f"phase_steps.{name}": steps, f"seconds_entry.{name}": entry}
                for quantity, factor in (("q1", 0.5), ("median", 1.0), ("q3", 2.0)):
                    values[f"seconds_per_step_{quantity}.{name}"] = factor * seconds
                for metric, value in values.items():
                    rows.append(("layerwise", dataset, variant, "", NAN, "", metric, NAN, value))
    return Tables(study, _read={"": pd.DataFrame(rows, columns=COLUMNS)})


def two(**changes: Any) -> Tables:
    """Two seeds of end-to-end training (2 s) and of blocks in turn (1.3 s)."""
    losses = {
        ("mnist", "whole", 0): {0: 2.0, 5: 1.0, 10: 0.5},
        ("mnist", "whole", 1): {0: 2.0, 5: 0.4, 10: 0.2},
        ("mnist", "turn", 0): {0: 2.0, 4: 2.0, 5: 1.0, 8: 0.6, 10: 0.4},
        ("mnist", "turn", 1): {0: 2.0, 4: 2.0, 5: 0.9, 8: 0.8, 10: 0.8},
    }
    batches = {("mnist", "turn", seed): {4: 0.3, 5: 0.2, 8: 0.2, 10: 0.1} for seed in (0, 1)}
    settings: dict[str, Any] = {"losses": losses, "batches": batches, **changes}
    return made({"whole": END_TO_END, "turn": run()}, {"whole": WHOLE, "turn": TURN}, **settings)


def test_seconds_are_entries_and_steps_of_the_phases_in_the_order_of_training() -> None:
    its = phases(two())["mnist", "turn"]
    assert [(phase.name, phase.begin, phase.end) for phase in its] == [
        ("hidden", 0, 4),
        ("output", 4, 8),
        ("fine_tune", 8, 10),
    ]
    # The entry is paid before the fifth step, not at the end of the phase before.
    wanted = {0: 0.0, 1: 0.1, 4: 0.4, 5: 0.75, 8: 0.9, 9: 1.1, 10: 1.3}
    assert {step: seconds_at(its, step) for step in wanted} == pytest.approx(wanted)
    assert boundaries(its) == pytest.approx((0.4, 0.9, 1.3))
    names = [phase_at(its, step) for step in (0, 4, 5, 8, 9, 10)]
    assert names == ["hidden", "hidden", "output", "output", "fine_tune", "fine_tune"]
    with pytest.raises(ValueError, match="step 11 is after the last one, 10"):
        seconds_at(its, 11)


def test_without_timing_there_are_no_seconds() -> None:
    assert math.isnan(seconds_at((), 0)) and phase_at((), 3) == "" and boundaries(()) == ()
    untimed = (Phase("all", 0, 10, NAN, NAN),)
    assert math.isnan(seconds_at(untimed, 0)) and math.isnan(seconds_at(untimed, 5))


def test_a_data_set_that_was_not_timed_has_the_phases_of_one_with_as_many_steps() -> None:
    losses = {
        (dataset, "turn", 0): {0: 2.0, end: 1.0}
        for dataset, end in (("mnist", 10), ("fashion_mnist", 10), ("digits", 12))
    }
    tables = made({"turn": run()}, {"turn": TURN}, losses,
                  datasets=("mnist", "fashion_mnist", "digits"))  # fmt: skip
    found = phases(tables)
    assert [phase.end for phase in found["fashion_mnist", "turn"]] == [4, 8, 10]
    assert all(math.isnan(phase.seconds) for phase in found["fashion_mnist", "turn"])
    assert found["digits", "turn"] == ()
    table = timeline.analyse(tables)
    assert table[table["dataset"] != "mnist"]["seconds"].isna().all()
    last = table[(table["step"] >= 10) & (table["quantity"] == "loss")]
    assert list(last["phase"]) == ["fine_tune", "fine_tune", ""]
    assert list(last["phase_end"]) == [1, 1, 0]


def test_the_timeline_has_the_range_over_seeds_and_says_what_a_loss_is_of() -> None:
    table = timeline.analyse(two())
    row = one(table, variant="turn", split="test", quantity="loss", step=8)
    assert [row[name] for name in ("mean", "low", "high", "n")] == pytest.approx([0.7, 0.6, 0.8, 2])
    assert row["seconds"] == pytest.approx(0.9) and row["phase"] == "output"
    assert row["phase_end"] == 1 and row["reads"] == "network" and row["diverged"] == 0
    own = table[table["split"] == "batch"]
    assert dict(zip(own["step"], own["reads"], strict=True)) == {
        4: "own head", 5: "network", 8: "network", 10: "network",
    }  # fmt: skip
    # Batches have no accuracy, and step 0 no batch.
    assert set(own["quantity"]) == {"loss"}


@pytest.mark.parametrize(
    ("described", "phase", "expected"),
    [
        (END_TO_END, "all", "network"),
        (blockwise(), "hidden", "own head"),
        (blockwise(), "output", "network"),
        (blockwise(fine_tune=0.5), "fine_tune", "network"),
        (blockwise(order="together"), "together", "signal"),
        (blockwise(signal={"name": "maximum_difference"}), "hidden", "signal"),
    ],
)
def test_what_the_loss_of_a_phase_is_of(described: Any, phase: str, expected: str) -> None:
    assert variants.reads(described, phase) == expected


@pytest.mark.parametrize("name", registry.names("signals"))
def test_whether_a_signal_is_a_cross_entropy_is_read_as_its_module_says(name: str) -> None:
    module = registry.load("signals", name)
    assert declared.constant("signals", name, "IN_NATS") == getattr(module, "IN_NATS", None)


@pytest.mark.parametrize("kind", ["strategies", "signals", "optimisers", "schedules", "networks"])
def test_defaults_read_from_the_source_are_those_of_the_function(kind: str) -> None:
    for name in registry.names(kind):
        function = getattr(registry.load(kind, name), MAIN[kind])
        given = inspect.signature(function).parameters.values()
        wanted = {
            p.name: p.default
            for p in given
            if p.kind is p.KEYWORD_ONLY and p.default is not p.empty
        }
        assert declared.defaults(kind, name) == wanted
        required = {key for key, each in settings_of(kind, name).items() if each.required}
        assert set(wanted) == set(settings_of(kind, name)) - required


def test_a_run_that_diverged_is_found_by_a_loss_that_is_no_number() -> None:
    losses = {
        ("mnist", "whole", 0): {0: 2.0, 5: 1.0, 10: 0.5},
        ("mnist", "whole", 1): {0: 2.0, 5: NAN},
        ("mnist", "whole", 2): {0: 2.0, 5: 1.2},
    }
    batches = {("mnist", "whole", 2): {5: INF}}
    tables = made({"whole": END_TO_END}, {"whole": WHOLE}, losses, batches=batches)
    assert diverged(history(tables)) == {("mnist", "whole", 1), ("mnist", "whole", 2)}
    table = timeline.analyse(tables)
    test = table[(table["split"] == "test") & (table["quantity"] == "loss")]
    assert list(test["n"]) == [3, 2, 1] and set(test["diverged"]) == {2}


def target(tables: Tables, variant: str, **where: Any) -> pd.Series:
    found = time_to_target.analyse(tables, losses=(1.0, 0.5), accuracies=(0.8,))
    return one(found, variant=variant, **where)


def test_a_target_is_reached_at_the_first_evaluation_that_shows_it() -> None:
    # Seed 0 of `whole` has 1.0 at step 5 (1 s), seed 1 has 0.4 there; both were above at step 0.
    row = target(two(), "whole", quantity="loss", target=1.0)
    assert [row[n] for n in ("seeds", "reached", "never", "mean", "steps", "before")] == [
        2, 2, 0, 1.0, 5, 0.0,
    ]  # fmt: skip
    # No spread over seeds: the interval is the time between the two evaluations.
    assert [row["low"], row["high"]] == [0.0, 1.0] and row["horizon"] == pytest.approx(2.0)
    turn = target(two(), "turn", quantity="loss", target=1.0)
    assert turn["mean"] == pytest.approx(0.75) and turn["before"] == pytest.approx(0.4)
    assert turn["difference"] == pytest.approx(-0.25) and turn["ratio"] == pytest.approx(0.75)
    # Between evaluations it may have been 0.4 − 1 s sooner, or 0.75 s later than at once.
    assert turn["difference_low"] == pytest.approx(-0.6)
    assert turn["difference_high"] == pytest.approx(0.75)
    assert turn["ratio_low"] == pytest.approx(0.4) and turn["ratio_high"] == INF
    assert turn["pairs"] == 2 and turn["separates"] == 0


def test_the_interval_over_seeds_is_students() -> None:
    # Loss 0.5: seed 0 at step 10 (2 s, before it 1 s), seed 1 at step 5 (1 s, before it 0 s).
    row = target(two(), "whole", quantity="loss", target=0.5)
    half = 12.706204736 * math.sqrt(0.5) / math.sqrt(2)  # t(1) at 97.5 %, sd √½ of 1 and 2
    assert row["mean"] == 1.5 and row["before"] == 0.5
    assert row["low"] == pytest.approx(0.5 - half) and row["high"] == pytest.approx(1.5 + half)


def test_never_is_counted_and_pairs_are_seeds_of_both() -> None:
    row = target(two(), "turn", quantity="loss", target=0.5)
    assert (row["seeds"], row["reached"], row["never"], row["pairs"]) == (2, 1, 1, 1)
    assert row["mean"] == pytest.approx(1.3) and math.isnan(row["low"])
    assert row["difference"] == pytest.approx(1.3 - 2.0) and row["separates"] == 0
    # 1 − loss / 4 ≥ 0.8 means a loss of at most 0.8.
    accuracy = target(two(), "turn", quantity="accuracy", target=0.8)
    assert accuracy["reached"] == 2 and accuracy["mean"] == pytest.approx(0.9)


def test_a_clear_difference_separates() -> None:
    slow = dict.fromkeys(range(10), 2.0) | {10: 0.1}
    losses = {
        ("mnist", name, seed): slow if name == "slow" else {0: 2.0, 1: 0.1 + 0.01 * seed, 10: 0.1}
        for name in ("quick", "slow")
        for seed in (0, 1, 2)
    }
    runs = {"quick": END_TO_END, "slow": run(strategy={"name": "end_to_end"}, batch_size=60)}
    tables = made(runs, {"quick": WHOLE, "slow": WHOLE}, losses)
    row = target(tables, "slow", quantity="loss", target=0.5)
    # 2 s after 1.8 s against 0.2 s after 0 s.
    assert row["separates"] == 1 and row["difference"] == pytest.approx(1.8)
    assert row["difference_low"] == pytest.approx(1.6)
    itself = target(tables, "quick", quantity="loss", target=0.5)
    assert (itself["difference"], itself["ratio"], itself["separates"]) == (0, 1, 0)


def test_the_area_holds_the_last_loss_up_to_the_longest_run() -> None:
    row = target(two(), "whole", quantity="area")
    # Seed 0: (2 + 1) / 2 + (1 + 0.5) / 2 = 2.25; seed 1: 1.2 + 0.3 = 1.5.
    assert row["mean"] == pytest.approx(1.875) and row["unit"] == "nats s"
    turn = target(two(), "turn", quantity="area")
    first = 0.8 + 0.35 * 1.5 + 0.15 * 0.8 + 0.4 * 0.5 + 0.7 * 0.4
    second = 0.8 + 0.35 * 1.45 + 0.15 * 0.85 + 0.4 * 0.8 + 0.7 * 0.8
    assert turn["mean"] == pytest.approx((first + second) / 2)
    assert turn["difference"] == pytest.approx((first + second) / 2 - 1.875)
    assert turn["reached"] == 2 and math.isnan(turn["steps"])


def test_a_run_that_diverged_reaches_what_it_reached_and_has_no_area() -> None:
    losses = {
        ("mnist", "whole", 0): {0: 2.0, 5: 1.0, 10: 0.5},
        ("mnist", "whole", 1): {0: 2.0, 5: 1.0, 7: INF},
    }
    tables = made({"whole": END_TO_END}, {"whole": WHOLE}, losses)
    assert target(tables, "whole", quantity="loss", target=1.0)["reached"] == 2
    assert target(tables, "whole", quantity="loss", target=0.5)["never"] == 1
    area = target(tables, "whole", quantity="area")
    assert (area["reached"], area["never"]) == (1, 1) and area["mean"] == pytest.approx(2.25)


def test_without_seconds_a_target_has_steps() -> None:
    row = target(two(timed=()), "whole", quantity="loss", target=1.0)
    assert row["steps"] == 5 and row["reached"] == 2
    assert math.isnan(row["mean"]) and math.isnan(row["difference"]) and row["separates"] == 0


def test_the_cost_of_phases() -> None:
    table = phase_cost.analyse(two())
    assert list(table["phase"]) == ["all", "hidden", "output", "fine_tune"]
    row = one(table, variant="turn", phase="output")
    assert (row["steps"], row["cached"], row["mult_adds"], row["mult_adds_entry"]) == (
        4,
        1,
        2e6,
        5e6,
    )
    assert [row["q1"], row["seconds"], row["q3"]] == pytest.approx([0.025, 0.05, 0.1])
    assert row["seconds_entry"] == 0.3 and row["seconds_phase"] == pytest.approx(0.5)
    assert row["share_of_steps"] == 0.4 and row["share_of_seconds"] == pytest.approx(0.5 / 1.3)
    assert row["nanoseconds"] == pytest.approx(25) and row["steps_per_second"] == pytest.approx(20)
    # The baseline has 5 steps a second; with its entry the phase has 8.
    assert row["relative_speed"] == pytest.approx(4)
    assert row["relative_speed_with_entry"] == pytest.approx(1.6)
    assert row["relative_mult_adds"] == 2
    assert one(table, variant="turn", phase="hidden")["cached"] == 0


def test_the_cost_of_phases_that_were_not_timed_is_counted_alone() -> None:
    row = one(phase_cost.analyse(two(timed=())), variant="turn", phase="output")
    assert row["mult_adds"] == 2e6 and row["relative_mult_adds"] == 2
    assert row[["seconds", "steps", "relative_speed", "nanoseconds"]].isna().all()


SWEPT = {
    "adam": END_TO_END,
    "sgd": run(
        strategy={"name": "end_to_end"},
        optimiser={"name": "sgd", "lr": 0.1, "momentum": 0.9},
        schedule={"name": "one_cycle"},
    ),
    "turn": blockwise(),
    "turn-parameters": blockwise(shares="parameters"),
    "turn-listed": blockwise(shares=[0.75, 0.25]),
    "tuned-50": blockwise(fine_tune=0.5),
    # A learning rate of its own is no difference.
    "tuned-10": {**blockwise(fine_tune=0.1), "optimiser": {"name": "adam", "lr": 0.003}},
    "together": blockwise(order="together"),
    "whole-block": blockwise(ends=["output"]),
    "loose": blockwise(freeze=False),
    "similar": blockwise(signal={"name": "similarity_matching"}),
    "other": {**blockwise(shares="back"), "batch_size": 20},
}


def swept(losses: dict[tuple[str, str, int], Curve] | None = None) -> Tables:
    every = {("mnist", name, seed): {10: 0.5} for name in SWEPT for seed in (0, 1)}
    return made(SWEPT, dict.fromkeys(SWEPT, WHOLE), every | (losses or {}))


def test_sweeps_are_groups_that_differ_in_one_setting_alone() -> None:
    found = {sweep.setting: sweep for sweep in sweeps_of(swept().study)}
    labels = {
        setting: [(member.variant, member.label) for member in sweep.members]
        for setting, sweep in found.items()
    }
    assert labels == {
        "signal": [("turn", "sub_model"), ("similar", "similarity_matching")],
        "order": [("turn", "in_turn"), ("together", "together")],
        "ends": [("turn", "after hidden"), ("whole-block", "no cut")],
        "shares": [
            ("turn", "equal"),
            ("turn-parameters", "parameters"),
            ("turn-listed", "0.75 : 0.25"),
        ],
        # Numbers rise.
        "fine_tune": [("turn", "0"), ("tuned-10", "0.1"), ("tuned-50", "0.5")],
        "freeze": [("turn", "yes"), ("loose", "no")],
        "optimiser": [("adam", "adam"), ("sgd", "sgd (momentum 0.9), one_cycle")],
    }
    assert {setting: sweep.reference for setting, sweep in found.items()} == {
        **dict.fromkeys(labels, "turn"),
        "optimiser": "adam",
    }


def test_two_learning_rates_of_one_value_are_told_apart() -> None:
    quick = {"name": "adam", "lr": 0.01}
    runs = {
        "a": blockwise(),
        "b": blockwise(freeze=False),
        "c": {**blockwise(freeze=False), "optimiser": quick},
    }
    study = made(runs, dict.fromkeys(runs, WHOLE), {("mnist", "a", 0): {10: 1.0}}).study
    groups = [(s.setting, [m.variant for m in s.members]) for s in sweeps_of(study)]
    assert groups == [("freeze", ["a", "b"]), ("optimiser", ["b", "c"])]


def test_a_sweep_without_the_default_refers_to_its_first_member() -> None:
    runs = {"a": blockwise(shares="front"), "b": blockwise(shares="back")}
    study = made(runs, dict.fromkeys(runs, WHOLE), {("mnist", "a", 0): {10: 1.0}}).study
    (sweep,) = sweeps_of(study)
    assert sweep.reference == "a"
    (other,) = sweeps_of(Study(**{**vars_of(study), "baseline": "b"}))
    assert other.reference == "b"


def vars_of(study: Study) -> dict[str, Any]:
    return {name: getattr(study, name) for name in Study.__dataclass_fields__}


def test_sweeps_compare_final_values_in_pairs() -> None:
    losses = {
        ("mnist", "turn", 0): {0: 2.0, 10: 0.5},
        ("mnist", "turn", 1): {0: 2.0, 10: 0.6},
        ("mnist", "turn", 2): {0: 2.0, 10: 0.7},
        ("mnist", "loose", 0): {0: 2.0, 10: 0.8},
        ("mnist", "loose", 1): {0: 2.0, 10: 0.9},
        ("mnist", "loose", 2): {0: 2.0, 5: NAN},
    }
    table = strategy_sweeps.analyse(swept(losses))
    row = one(table, setting="freeze", variant="loose", quantity="loss")
    assert (row["n"], row["diverged"], row["pairs"], row["reference"]) == (2, 1, 2, 0)
    assert row["mean"] == pytest.approx(0.85) and row["difference"] == pytest.approx(0.3)
    # Equal on both seeds: an interval of no width, which excludes 0.
    assert row["difference_low"] == pytest.approx(0.3) and row["separates"] == 1
    assert row["seconds_run"] == pytest.approx(2.0) and row["baseline"] == pytest.approx(0.5)
    assert row["learning_rate"] == 0.001 and row["value"] == "no" and row["place"] == 1
    accuracy = one(table, setting="freeze", variant="turn", quantity="accuracy")
    assert accuracy["mean"] == pytest.approx(1 - 0.6 / 4) and accuracy["n"] == 3
    assert accuracy["reference"] == 1 and math.isnan(accuracy["difference"])
    tuned = table[(table["setting"] == "fine_tune") & (table["quantity"] == "loss")]
    assert list(tuned["number"]) == [0.0, 0.1, 0.5] and list(tuned["place"]) == [0, 1, 2]


def test_main_variants_leave_out_what_other_figures_show_of_a_large_study() -> None:
    study = swept().study
    main = ("adam", "sgd", "turn", "together", "loose", "similar", "other")
    assert main_variants(study) == main
    looks = looks_of(study)
    assert [looks[name] for name in main] == list(range(len(main)))
    assert sorted(looks.values()) == list(range(len(SWEPT)))
    small = Study(**{**vars_of(study), "variants": study.variants[:8], "baseline": "turn"})
    assert len(main_variants(small)) == 8 and looks_of(small)["turn"] == 0


@pytest.mark.parametrize("module", ANALYSES)
def test_analyses_give_their_columns_the_same_twice_and_for_nothing_finished(module: Any) -> None:
    tables = two()
    first = module.analyse(tables)
    pd.testing.assert_frame_equal(first, module.analyse(two()))
    assert not first.empty or module is strategy_sweeps
    assert list(first.columns) == module.COLUMNS
    for column in module.COLUMNS:
        assert f"`{column}`" in module.analyse.__doc__ or column.endswith(("_low", "_high"))
    losses = {("mnist", name, 0): {0: NAN} for name in ("whole", "turn")}
    nothing = module.analyse(two(losses=losses, batches={}))
    assert list(nothing.columns) == module.COLUMNS
    numbers = nothing.select_dtypes(np.number)
    assert not np.isinf(numbers.to_numpy(dtype=float)).any()

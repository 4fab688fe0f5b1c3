"""Teachers that diverged, in a whole paper: their students have, too, and all others are averaged without them."""

import json
import math
from statistics import mean

import pytest
import yaml
from project import ROOT, TINY, Project

from faults import held, read_rows, strictly
from sidestep import layout
from sidestep.config_files import merge

# Studies with students, as the paper has them but tiny: a teacher, its students, others that learn by
# themselves, and an analysis that tells how many seeds of each finished and diverged.
TAUGHT = {
    "substitution": (
        "dense",
        ("narrower-taught", "hashed-taught"),
        ("narrower", "hashed"),
        "pareto",
    ),
    "resizing": (
        "flexible-high",
        ("flexible-high-matched",),
        ("static", "flexible-low"),
        "final_sizes",
    ),
}
# Study → a table of paired differences, and its columns of whose and to whose.
PAIRED = {
    "substitution": ("teaching", "taught", "alone"),
    "resizing": ("matched_accuracy", "variant", "other"),
}
# An optimiser whose loss is not finite after a few steps.
WILD = {"name": "sgd", "lr": 1e30}


def tiny_studies(seeds, **teachers):
    """The config of those studies; `teachers` are settings of every teacher."""
    whole = merge(yaml.safe_load((ROOT / "config.yaml").read_text()), yaml.safe_load(TINY))
    studies = {}
    for name, (teacher, students, others, _) in TAUGHT.items():
        study = studies[name] = whole["studies"][name]
        study.pop("search", None)
        study["variants"] = {key: study["variants"][key] for key in (teacher, *students, *others)}
        study["variants"][teacher].update(teachers)
        study |= {"baseline": others[0], "seeds": list(seeds)}
    return {**whole, "studies": studies}


def test_a_paper_is_finished_whose_teachers_diverged(fresh):
    """A student of a teacher that diverged is one more diverged run, whatever reads it."""
    config = tiny_studies((0, 1), optimiser=WILD)
    (fresh.folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    fresh.finish()
    assert "Nothing to be done" in fresh.finish()
    lost = set()
    for name, (teacher, students, others, table) in TAUGHT.items():
        for variant in (teacher, *students, *others):
            for seed in (0, 1):
                summary = strictly(
                    layout.run(name, "digits", variant, seed, fresh.results) / "summary.json"
                )
                assert summary["status"] == ("finished" if variant in others else "diverged")
                because = summary["diverged_because"]
                assert because is None or (teacher in because) == (variant in students), because
                if variant not in others:
                    lost.add(f"{name}/digits/{variant}/{seed}")
                log = fresh.results / f"logs/train_network/{name}/digits/{variant}"
                said = (log / "train_seeds_0_1.log").read_text()
                assert because is None or f"diverged: {because}" in said
        rows = read_rows(fresh.results / f"tables/{name}.csv")
        learned = {
            row["variant"]
            for row in rows
            if row["metric"] == "history_loss" and math.isfinite(float(row["value"]))
        }
        # The teachers had a loss before their first step.
        assert learned == {teacher, *others}
        told = {
            row["variant"]: (row["n"], row["diverged"])
            for row in read_rows(fresh.results / f"tables/{name}_{table}.csv")
        }
        expected = dict.fromkeys((teacher, *students), ("0", "2"))
        assert told == expected | dict.fromkeys(others, ("2", "0"))
    facts = strictly(fresh.results / "numbers.json")["reproducibility"]
    assert f"{len(lost)} diverged" in facts["runs_sentence"], facts["runs_sentence"]
    held("loss: a teacher that diverged: its students have, and the paper is finished")


def diverge(project, seed):
    """Have the training jobs of that seed's teachers, and of no other run, take too large steps."""
    teachers = [teacher for teacher, *_ in TAUGHT.values()]
    project.edit(
        "training/setup.py",
        '            run["optimiser"],\n',
        f'            run["optimiser"] | ({{"lr": 1e30}} if run["seed"] == {seed}'
        f' and run["variant"] in {teachers} else {{}}),\n',
    )


def test_a_paper_averages_the_seeds_whose_teachers_did_not_diverge(fresh):
    """Of three seeds one's teacher diverged: that seed is counted as lost wherever it is, and nowhere averaged."""
    seeds, lost = (0, 1, 2), 1
    (fresh.folder / "config.yaml").write_text(yaml.safe_dump(tiny_studies(seeds), sort_keys=False))
    diverge(Project(fresh.folder), lost)
    fresh.finish()
    assert "Nothing to be done" in fresh.finish()
    for name, (teacher, students, others, table) in TAUGHT.items():
        variants = (teacher, *students, *others)
        reached = {}
        for variant in variants:
            for seed in seeds:
                folder = layout.run(name, "digits", variant, seed, fresh.results)
                summary = strictly(folder / "summary.json")
                spared = variant in others or seed != lost
                assert summary["status"] == ("finished" if spared else "diverged")
                if spared:
                    reached.setdefault(variant, {})[seed] = summary["final"]["test"]["accuracy"]
        ends = {
            (row["variant"], int(row["seed"])): float(row["value"])
            for row in read_rows(fresh.results / f"tables/{name}.csv")
            if (row["metric"], row["images"]) == ("history_loss", "test")
        }
        assert {place for place, loss in ends.items() if math.isfinite(loss)} == {
            (variant, seed) for variant, its in reached.items() for seed in its
        }
        assert len(ends) == len(variants) * len(seeds)
        found = read_rows(fresh.results / f"tables/{name}_{table}.csv")
        assert [row["variant"] for row in found] == [*variants]
        for row in found:
            its = reached[row["variant"]]
            assert (int(row["n"]), int(row["diverged"])) == (len(its), len(seeds) - len(its))
            assert float(row["accuracy"]) == pytest.approx(mean(its.values()))
            assert float(row["accuracy_low"]) <= float(row["accuracy"])
        check_pairs(fresh, name, reached)
        # The tables of the paper say so, too.
        told = json.dumps(strictly(fresh.results / "numbers.json")[name])
        assert told.count('"2 (1 diverged)"') == len((teacher, *students))
    facts = strictly(fresh.results / "numbers.json")["reproducibility"]
    assert "5 diverged" in facts["runs_sentence"], facts["runs_sentence"]
    held("loss: a teacher that diverged in one seed of three: the others are averaged")


def check_pairs(paper, name, reached):
    """A difference of two variants is that of the seeds in which both finished."""
    (table, mine, theirs), pairs = PAIRED[name], []
    for row in read_rows(paper.results / f"tables/{name}_{table}.csv"):
        # A layer without a matched network has nothing to be compared with.
        if row.get("images", "test") == "test" and row[theirs]:
            a, b = reached[row[mine]], reached[row[theirs]]
            apart = [a[seed] - b[seed] for seed in a.keys() & b.keys()]
            assert int(row["pairs"]) == len(apart)
            assert float(row["difference"]) == pytest.approx(mean(apart), abs=1e-12)
            pairs.append(len(apart))
    assert pairs.count(2) == 2

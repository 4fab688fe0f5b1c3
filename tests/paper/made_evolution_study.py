"""A results folder of a study of graphs that evolve whose values are made up; nothing is trained.

The main table is made, and so are the analyses' tables, with the columns of the package's own analyses, so that a test
says what came out.
"""

import math
import zlib

import made_paper
import numpy as np
import pandas as pd

import made_files
from sidestep import layout, registry
from sidestep.config import resolve
from sidestep.statistics.intervals import corrected_interval, mean_interval
from sidestep.study import Study
from sidestep.tables import Tables

ANALYSES = (
    *("final_scores", "evolution_contrasts", "boosting", "generations", "final_graphs"),
    *("equal_score", "population"),
)
OVERLAP, STEPS, OPERATIONS = 0.25, (0, 20, 40), 24
KINDS = ["add", "multiply", "sine"]
NUMBERS, ALL = ("diabetes",), "all classes"
# Inputs of the data sets whose graphs are made.
INPUTS = {"digits": 6, "wine": 4, "diabetes": 3, "breast_cancer": 5, "mnist_components": 5}


def graph(size, **more):
    """A graph that begins with random operations."""
    network = {"name": "evolving", "size": size, "operations": KINDS, "constants": 0.3}
    return {"network": network, **more}


def evolving(member=0, **edit):
    """A graph that begins empty and evolves; settings of the edit."""
    rule = {"name": "evolve", "prunes": 1, "adds": 4, **edit}
    strategy = {"name": "rounds", "rounds": 8, "settle": 0.2, "edit": rule}
    return graph(0, strategy=strategy, member=member)


JUDGED = {"candidates": 8, "by": "loss", "judge": "validation"}
LINEAR = {"network": {"name": "linear"}}
MLP = {"network": {"name": "equal_mlp", "operations": OPERATIONS, "constants": 0.3}}
USUAL = {
    "random": graph(OPERATIONS),
    "linear": LINEAR,
    "mlp": MLP,
    "evolved": evolving(),
    "judged": evolving(**JUDGED),
    "judged-2": evolving(1, **JUDGED),
    "judged-3": evolving(2, **JUDGED),
}
ALONE = {name: USUAL[name] for name in ("random", "linear", "mlp", "evolved", "judged")}
STILL = {name: USUAL[name] for name in ("random", "linear", "mlp")}
SCORES = {
    "linear": 0.80,
    "random": 0.84,
    "mlp": 0.86,
    "evolved": 0.88,
    "judged": 0.92,
    "boosting": 0.90,
}


def made_study(
    runs=USUAL, datasets=("digits", "wine", "diabetes"), seeds=(0, 1, 2), analyses=ANALYSES, figures=(), **run
) -> Study:  # fmt: skip
    """A study of those variants, resolved as the pipeline would; the first is the baseline."""
    study = {
        "title": "A made study",
        "datasets": list(datasets),
        "seeds": list(seeds),
        "run": {
            "optimiser": {"name": "adam", "lr": 0.01},
            "batch_size": 32,
            "epochs": 10,
            "validation": 0.2,
            "resample": True,
            "evaluate": ["train", "validation", "test"],
            "probes": ["graph", "inference"],
            **run,
        },
        "variants": dict(runs),
        "baseline": next(iter(runs)),
        "analyses": list(analyses),
        "figures": list(figures),
    }
    return resolve({"size": "small", "studies": {"evolution": study}}).studies["evolution"]


class Made:
    """Values of all runs.

    Attributes:
        noise: standard deviation over seeds of a score.
        scores: variant, or `boosting` → mean score, over those of `SCORES`.
        slow: seconds of a graph that evolves over those of other models.
        ahead: how far the training score of an evolving graph is above its test score.
        gain: of an ensemble.
        reached: whether graphs that evolve reach other models' scores.
        exact: score of scikit-learn's linear model, less ours.
    """

    def __init__(
        self, study, *, noise=0.002, scores=(), diverged=(), slow=3.0, ahead=0.1, gain=0.02, reached=True, exact=0.0,
        members=3,
    ):  # fmt: skip
        self.study, self.noise, self.diverged = study, noise, set(diverged)
        self.means = {**SCORES, **dict(scores)}
        self.slow, self.ahead, self.gain, self.reached, self.exact = (
            slow,
            ahead,
            gain,
            reached,
            exact,
        )
        self.members = members

    # Single runs

    def draw(self, *what):
        return np.random.default_rng(zlib.crc32(repr(what).encode())).normal()

    def alive(self, dataset, variant):
        return [s for s in self.study.seeds if (dataset, variant, s) not in self.diverged]

    def evolves(self, variant):
        return variant.startswith(("evolved", "judged"))

    def test(self, dataset, variant):
        """Seed → test score."""
        mean = self.means[variant.split("-")[0]]
        return {
            s: mean + self.noise * self.draw(dataset, variant, s)
            for s in self.alive(dataset, variant)
        }

    def train(self, dataset, variant):
        ahead = self.ahead if self.evolves(variant) else 0.05
        return {
            s: value + ahead + self.noise * self.draw("train", dataset, variant, s)
            for s, value in self.test(dataset, variant).items()
        }

    def seconds(self, variant):
        return 1.0 * (self.slow if self.evolves(variant) else 1.0)

    def parameters(self, variant):
        return {"linear": 40, "mlp": 120, "random": 121}.get(variant, 100)

    def rows(self):
        """Of the main table."""
        for dataset in self.study.datasets:
            for variant in self.study.variants:
                for seed in self.study.seeds:
                    for row in self.run(dataset, variant.name, seed):
                        yield (dataset, variant.name, seed, *row)

    def run(self, dataset, variant, seed):
        metric = "history_r2" if dataset in NUMBERS else "history_accuracy"
        lost = (dataset, variant, seed) in self.diverged
        for step in STEPS:
            for split in ("train", "validation", "test"):
                gone = lost and step == STEPS[-1]
                yield step // 4, split, "history_loss", step, math.nan if gone else 0.3
                if not lost:
                    final = (self.train if split == "train" else self.test)(dataset, variant)[seed]
                    yield step // 4, split, metric, step, final * (step + 1) / (STEPS[-1] + 1)
        jitter = 1 + 0.01 * self.draw("seconds", dataset, variant, seed)
        for name in ("1", "256"):
            value = 1e-4 * self.seconds(variant) * jitter
            yield 10, "", f"probe_seconds_{name}.output", STEPS[-1], value
        yield 10, "", "seconds_train", None, self.seconds(variant) * jitter
        yield 10, "", "parameters", None, float(self.parameters(variant))
        yield 10, "", "stored_bytes", None, 4.0 * self.parameters(variant) + seed

    # Analyses

    def measure(self, dataset):
        return "r2" if dataset in NUMBERS else "accuracy"

    def firsts(self):
        names = [v.name for v in self.study.variants]
        return [n for n in names if not (n.startswith("judged-") and "judged" in names)]

    def final_scores(self):
        for dataset in self.study.datasets:
            for variant in (v.name for v in self.study.variants):
                test, train = self.test(dataset, variant), self.train(dataset, variant)
                of_graph = variant not in ("linear", "mlp")
                yield {
                    "dataset": dataset, "variant": variant, "measure": self.measure(dataset), "n": len(test),
                    "diverged": len(self.study.seeds) - len(test), **spread("test", test.values()),
                    "train": mean_interval(list(train.values())).mean,
                    **spread("gap", [train[s] - test[s] for s in test]), **spread("loss", [0.3] * len(test)),
                    "loss_gap": 0.1, "parameters": self.parameters(variant) if test else math.nan,
                    "operations": OPERATIONS if of_graph else math.nan, "depth": 5 if of_graph else math.nan,
                    **spread("seconds_train", [self.seconds(variant)] * len(test)),
                    "seconds_1": 1e-4, "seconds_256": 2e-4, "stored_bytes": 500.0, "peak_memory_bytes": 5e6,
                    "mult_adds": 100,
                }  # fmt: skip

    def evolution_contrasts(self):
        names = self.firsts()
        still = [n for n in names if not self.evolves(n)]
        for variant in filter(self.evolves, names):
            for other in [
                *still,
                "boosting",
                *(["evolved"] if variant == "judged" and "evolved" in names else []),
            ]:
                each = {}
                for dataset in self.study.datasets:
                    mine, theirs = self.test(dataset, variant), self.test(dataset, other)
                    each[dataset] = {s: mine[s] - theirs[s] for s in mine.keys() & theirs.keys()}
                classes = [each[d] for d in self.study.datasets if d not in NUMBERS]
                if classes:
                    shared = set.intersection(*(set(one) for one in classes))
                    each[ALL] = {
                        s: float(np.mean([one[s] for one in classes])) for s in sorted(shared)
                    }
                for dataset, values in each.items():
                    found = corrected_interval([*values.values()], OVERLAP)
                    plain = mean_interval([*values.values()])
                    yield {
                        "dataset": dataset, "variant": variant, "other": other, "measure": self.measure(dataset),
                        "n": found.n, "difference": found.mean, "low": found.low, "high": found.high,
                        "plain_low": plain.low, "plain_high": plain.high,
                        "separates": int(found.low > 0 or found.high < 0), "loss_difference": -0.1,
                        "loss_low": -0.2, "loss_high": -0.05,
                    }  # fmt: skip

    def boosting(self):
        for dataset in self.study.datasets:
            for method in ("boosting", "exact_linear"):
                for seed in self.study.seeds:
                    known = self.test(dataset, "boosting" if method == "boosting" else "linear")
                    if seed in known:
                        score = known[seed] + self.exact * (method == "exact_linear")
                        yield {
                            "dataset": dataset, "method": method, "seed": seed, "measure": self.measure(dataset),
                            "train": 1.0, "test": score, "loss": 0.25, "seconds_fit": 0.5, "seconds_1": 1e-3,
                            "seconds_256": 2e-3, "nodes": 300 if method == "boosting" else math.nan,
                            "stored_bytes": 9e4,
                        }  # fmt: skip

    def generations(self):
        for dataset in self.study.datasets:
            for variant in (v.name for v in self.study.variants):
                test = self.test(dataset, variant)
                if not test:
                    continue
                for at, step in enumerate(STEPS):
                    share = at / (len(STEPS) - 1)
                    found = {"test": mean_interval([*test.values()]).mean * share}
                    if variant not in ("linear", "mlp"):
                        found |= {
                            "operations": OPERATIONS * share,
                            "depth": 5 * share,
                            "constants": 7 * share,
                        }
                        found |= {"importance_inputs": 4.0, "importance_operations": 4.0 * share}
                    for quantity, value in found.items():
                        yield {
                            "dataset": dataset, "variant": variant, "step": step, "epoch": step // 4,
                            "round": 1 + 4 * at,
                            "quantity": quantity, "n": len(test), "mean": value, "low": value - 1, "high": value + 1,
                        }  # fmt: skip

    def final_graphs(self):
        for dataset in self.study.datasets:
            for variant in filter(self.evolves, (v.name for v in self.study.variants)):
                for seed in self.alive(dataset, variant):
                    yield from self.graph(dataset, variant, seed)

    def graph(self, dataset, variant, seed):
        inputs = INPUTS[dataset]
        place = {"dataset": dataset, "variant": variant, "seed": seed, "x": 0.0, "y": 0.0}
        for column in range(inputs):
            yield {
                **place, "column": column, "name": f"od_{column}/x", "kind": "input", "symbol": "", "level": 0,
                "operands": "", "reads": "", "leaf": 0, "importance": 0.1 * (column + 1), "formula": f"od_{column}/x",
            }  # fmt: skip
        for op, (kind, reads) in enumerate(
            (("multiply", "0;0"), ("sine", "1"), ("add", f"0;{inputs}"))
        ):
            yield {
                **place, "column": inputs + op, "name": f"z{op + 1}", "kind": kind, "symbol": "×", "level": op + 1,
                "operands": "od_0/x", "reads": reads, "leaf": int(op == 2), "importance": 3.0 - op,
                "formula": f"od_0/x × {op} − #1",
            }  # fmt: skip

    def equal_score(self):
        names = self.firsts()
        for dataset in self.study.datasets:
            for target_of in [*(n for n in names if not self.evolves(n)), "boosting"]:
                target = mean_interval([*self.test(dataset, target_of).values()]).mean
                for variant in names:
                    count = len(self.study.seeds) * (self.reached or not self.evolves(variant))
                    size = 60 if count else math.nan
                    yield {
                        "dataset": dataset, "target_of": target_of, "target": target, "variant": variant,
                        "runs": len(self.study.seeds), "reached": count, "seconds": 0.5 if count else math.nan,
                        "seconds_low": 0.4 if count else math.nan, "seconds_high": 0.6 if count else math.nan,
                        "parameters": size, "stored_bytes": 4 * size, "steps": 20 if count else math.nan,
                    }  # fmt: skip

    def population(self):
        if "judged-2" not in {v.name for v in self.study.variants}:
            return
        for dataset in self.study.datasets:
            test = self.test(dataset, "judged")
            gains = [self.gain + 0.2 * self.noise * self.draw("gain", dataset, s) for s in test]
            for members in range(1, self.members + 1):
                several = members > 1
                yield {
                    "dataset": dataset, "variant": "judged", "members": members, "measure": self.measure(dataset),
                    "n": len(test), **spread("single", test.values()), **spread("chosen", test.values()),
                    **spread("ensemble", test.values()), **spread("gain_chosen", [0.0 for _ in gains]),
                    **spread("gain_ensemble", [gain * several for gain in gains]),
                }  # fmt: skip


def spread(name, values):
    """A mean with its corrected bounds, under three names."""
    found = corrected_interval(list(values), OVERLAP)
    return {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}


def made_results(root, study, **more) -> Tables:
    """Tables of a study; `more` is that of `Made`."""
    made = Made(study, **more)
    columns = ["dataset", "variant", "seed", "epoch", "images", "metric", "component", "value"]
    frame = pd.DataFrame(list(made.rows()), columns=columns)
    frame.insert(0, "study", study.name)
    layout.table(study.name, "", root).parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(layout.table(study.name, "", root), index=False)
    made_files.seal_table(layout.table(study.name, "", root))
    asked = {thing["name"] for thing in study.analyses}
    for name in (each for each in ANALYSES if each in asked):
        rows = [{"study": study.name, **row} for row in getattr(made, name)()]
        known = registry.load("analyses", name).COLUMNS
        assert all(set(row) <= set(known) for row in rows), name
        table = pd.DataFrame(rows, columns=known)
        table.to_csv(layout.table(study.name, name, root), index=False)
        made_files.seal_table(layout.table(study.name, name, root))
    return Tables(study, root)


def made_numbers(root, study, **more) -> dict:
    """What `numbers.json` holds for made results."""
    made_results(root, study, **more)
    made_paper.make_runs(root, study, more.get("diverged", ()))
    return made_paper.gathered(root, study)

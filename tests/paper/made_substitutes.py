"""A results folder of a study of substitutes whose values are made up, for tests of numbers and text.

The tables of the analyses are made by hand, by the columns that they have; nothing is trained or counted.
"""

import dataclasses
import itertools
import math
import zlib

import made_paper
import numpy as np
import pandas as pd

import made_files
from sidestep import layout, variants
from sidestep.config import resolve
from sidestep.statistics.intervals import mean_interval, paired_difference, separates
from sidestep.study import Study
from sidestep.tables import Tables

ANALYSES = (
    *("pareto", "teaching", "decay", "speedup", "repeats", "matrix_fit", "published_substitution"),
)
NAN, EPOCHS, STEPS, BATCH, DENSE = math.nan, 4, 40, 50, 77_850
DISTILLED = {"name": "distilled", "stages": ["group1", "group2", "group3"]}
# Layer → final test accuracy, share of the operations, seconds of a batch, stored bytes of a parameter.
LAYERS = {
    "dense": (0.70, 1.0, 0.040, 4.0),
    "narrower": (0.62, 0.3, 0.016, 4.0),
    "shallower": (0.60, 0.4, 0.015, 4.0),
    "hashed": (0.65, 1.0, 0.060, 20.0),
    "separable_hashed": (0.62, 0.15, 0.045, 6.0),
    "low_rank": (0.58, 0.1, 0.012, 4.0),
    "acdc": (0.50, 0.2, 0.090, 4.0),
}


def layer(name, budget=0.3, base="layer", **run):
    """A variant with a layer at a budget, or a smaller dense network."""
    smaller = name in ("narrower", "shallower")
    network = {"layer": {"name": "dense" if smaller else name}, "budget": budget, "base": base}
    return {"network": {**network, "match": name} if smaller else network, **run}


def taught(name, budget=0.3, base="layer", **run):
    """The same, with the dense network as its teacher."""
    return layer(name, budget, base, teacher="dense", strategy=DISTILLED, **run)


def variant(name):
    """A layer's name as that of a variant."""
    return name.replace("_", "-")


SMALL = ("narrower", "shallower", "hashed", "separable_hashed", "low_rank")
USUAL = {
    "dense": {},
    **{variant(name): layer(name) for name in SMALL},
    **{f"{variant(name)}-taught": taught(name) for name in SMALL},
}
MORE = {
    **{f"{variant(name)}-tenth": layer(name, 0.1) for name in (*SMALL, "acdc")},
    "acdc-network": layer("acdc", 0.2, "network"),
    "low-rank-many": layer("low_rank", 20_000, "network"),
    **{f"{variant(name)}-decay": layer(name, substituted_decay="scaled") for name in SMALL[2:]},
    "hashed-again": layer("hashed"),
}


def made_study(
    runs=USUAL,
    datasets=("cifar10",),
    seeds=(0, 1, 2),
    timed=("cifar10",),
    analyses=ANALYSES,
    figures=(),
    **run,
) -> Study:
    """A study of those variants, resolved as the pipeline would; the first is the baseline."""
    study = {
        "title": "A made study",
        "datasets": list(datasets),
        "seeds": list(seeds),
        "run": {
            "network": {"name": "wide_resnet", "depth": 10, "width": 1, "layer": "dense"},
            "strategy": "end_to_end",
            "optimiser": {"name": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.0005},
            "schedule": "cosine",
            "batch_size": BATCH,
            "epochs": EPOCHS,
            "train_images": 500,
            "validation": 0,
            "augmentations": ["random_crop", "horizontal_flip", "cutout"],
            "evaluate": ["train", "test"],
            **run,
        },
        "variants": dict(runs),
        "figures": list(figures),
    }
    if timed:
        study["timing"] = {"datasets": list(timed), "steps": 20}
    found = resolve({"size": "small", "studies": {"substitution": study}}).studies["substitution"]
    return dataclasses.replace(found, analyses=tuple({"name": name} for name in analyses))


class Made:
    """The made values of a study.

    Args:
        study: of `made_study`.
        diverged: (data set, variant, seed) of runs that stop early.
        timed: data sets with a timing job.
        ends: final test accuracy by layer, where another than usual.
        noise: of each seed's accuracy.
        published: whether there are published figures.
    """

    def __init__(
        self, study, diverged=(), timed=("cifar10",), ends=None, noise=0.004, published=True
    ):
        self.study, self.diverged, self.timed = study, set(diverged), timed
        self.noise, self.published = noise, published
        self.ends = {name: its[0] for name, its in LAYERS.items()} | (ends or {})
        self.runs = {variant.name: variant.run for variant in study.variants}
        self.layers = {name: variants.layer(run) for name, run in self.runs.items()}

    def of(self, dataset, name, loss=False):
        """Final accuracies by seed, of those that finished."""
        run, found = self.runs[name], {}
        for seed in self.study.seeds:
            draw = np.random.default_rng(zlib.crc32(f"{dataset} {name} {seed}".encode()))
            end = self.ends[self.layers[name]] + self.noise * draw.standard_normal()
            # The teacher helps all but one, and so does the scaled decay.
            end += 0.02 * bool(run["teacher"]) * (-1 if self.layers[name] == "low_rank" else 1)
            end += 0.03 * (run["substituted_decay"] == "scaled") * (self.layers[name] != "low_rank")
            if (dataset, name, seed) not in self.diverged:
                found[seed] = 2.3 - 2 * end if loss else end
        return found

    def main(self):
        """Rows `dataset, variant, seed, epoch, images, metric, component, value`."""
        for dataset, name in itertools.product(self.study.datasets, self.runs):
            final = self.of(dataset, name)
            for seed, (step, share) in itertools.product(
                self.study.seeds, ((0, 0.0), (20, 0.5), (STEPS, 1.0))
            ):
                lost = seed not in final and step > 0
                accuracy = 0.1 + (final.get(seed, 0.1) - 0.1) * share
                for split in ("train", "test"):
                    place = (dataset, name, seed, step // 10, split)
                    loss = NAN if lost else 2.3 - 2 * accuracy
                    yield (*place, "history_loss", step, loss)
                    yield (*place, "history_accuracy", step, 0.1 if lost else accuracy)

    def pareto(self):
        rows = []
        for dataset, name in itertools.product(self.study.datasets, self.runs):
            run, kind = self.runs[name], self.layers[name]
            network, value = run["network"], self.of(dataset, name)
            _, work, seconds, stored = LAYERS[kind]
            accuracy, loss = (
                mean_interval(list(self.of(dataset, name, q).values())) for q in (False, True)
            )
            budget = NAN if kind == "dense" else float(network.get("budget", 1.0))
            share = 1.0 if kind == "dense" else budget / DENSE if budget > 1 else 0.96 * budget
            timed = dataset in self.timed
            row = {
                "study": self.study.name, "dataset": dataset, "variant": name, "layer": kind, "budget": budget,
                "base": "" if kind == "dense" else network.get("base", "layer"), "reached": share,
                "taught": int(bool(run["teacher"])), "decay": run["substituted_decay"], "n": len(value),
                "diverged": len(self.study.seeds) - len(value), "accuracy": accuracy.mean,
                "accuracy_low": accuracy.low, "accuracy_high": accuracy.high, "loss": loss.mean,
                "parameters": int(DENSE * share), "mult_adds": 1e7 * work, "mult_adds_computed": 1.1e7 * work,
                "stored_bytes": stored * DENSE * share,
                "seconds_forward": seconds / BATCH if timed else NAN,
                "seconds_per_step": 3 * seconds if timed else NAN, "peak_memory_bytes": 5e8,
            }  # fmt: skip
            rows.append(row)
        for row in rows:
            self._fronts(row, rows)
            self._compare(row, rows)
        return rows

    def _fronts(self, row, rows):
        peers = [o for o in rows if (o["dataset"], o["taught"]) == (row["dataset"], row["taught"])]
        for front, cost in (
            ("parameters", "parameters"), ("mult_adds", "mult_adds"), ("seconds", "seconds_forward"),
            ("bytes", "stored_bytes"),
        ):  # fmt: skip
            beaten = any(o["accuracy"] >= row["accuracy"] and o[cost] < row[cost] for o in peers)
            known = not math.isnan(row[cost]) and not math.isnan(row["accuracy"])
            row[f"front_{front}"] = int(known and not beaten)

    def _compare(self, row, rows):
        same = [
            o for o in rows
            if all(o[key] == row[key] for key in ("dataset", "budget", "base", "taught"))
        ]  # fmt: skip
        base = next(
            o
            for o in rows
            if o["variant"] == self.study.baseline and o["dataset"] == row["dataset"]
        )
        others = {
            "baseline": base,
            **{which: next((o for o in same if o["layer"] == which), None) for which in ("narrower", "shallower")},
        }  # fmt: skip
        for which, other in others.items():
            other = None if other is row else other
            name = other["variant"] if other else ""
            mine = self.of(row["dataset"], row["variant"])
            apart = paired_difference(mine, self.of(row["dataset"], name) if name else {})
            row |= {
                which: name, f"{which}_difference": apart.mean, f"{which}_low": apart.low,
                f"{which}_high": apart.high, f"{which}_pairs": apart.n,
                f"{which}_separates": int(separates(apart)),
                f"{which}_seconds": other["seconds_forward"] / row["seconds_forward"] if other else NAN,
            }  # fmt: skip

    def _couples(self, key):
        """Pairs of variants that differ in the teacher (and strategy) or the decay alone."""
        dropped = {"teacher", "strategy"} if key == "teacher" else {key}
        usual = None if key == "teacher" else "full"
        for first, second in itertools.permutations(self.runs, 2):
            a, b = self.runs[first], self.runs[second]
            if a[key] == usual != b[key] and all(a[k] == b[k] for k in a if k not in dropped):
                yield first, second

    def _pairs(self, key, names):
        for dataset, (first, second) in itertools.product(self.study.datasets, self._couples(key)):
            found = [self.of(dataset, name) for name in (first, second)]
            apart = paired_difference(found[1], found[0])
            means = [mean_interval(list(each.values())).mean for each in found]
            yield {
                "study": self.study.name, "dataset": dataset, "layer": self.layers[first],
                names[0]: first, names[1]: second, "pairs": apart.n, f"accuracy_{names[0]}": means[0],
                f"accuracy_{names[1]}": means[1], "difference": apart.mean, "low": apart.low,
                "high": apart.high, "separates": int(separates(apart)),
            }  # fmt: skip

    def teaching(self):
        for row in self._pairs("teacher", ("alone", "taught")):
            loss = paired_difference(
                self.of(row["dataset"], row["taught"], loss=True),
                self.of(row["dataset"], row["alone"], loss=True),
            )
            more = {"loss_difference": loss.mean, "loss_low": loss.low, "loss_high": loss.high}
            yield {**row, "teacher": "dense", **more}

    def decay(self):
        for row in self._pairs("substituted_decay", ("full", "scaled")):
            yield {**row, "taught": 0}

    def speedup(self):
        for dataset, name in itertools.product(self.timed, self.runs):
            _, work, seconds, _ = LAYERS[self.layers[name]]
            real = LAYERS["dense"][2] / seconds
            yield {
                "study": self.study.name, "dataset": dataset, "variant": name, "layer": self.layers[name],
                "taught": int(bool(self.runs[name]["teacher"])), "counted": 1 / work, "real_forward": real,
                "real_forward_low": 0.97 * real, "real_forward_high": 1.03 * real, "real_step": 0.9 * real,
                "slower": int(work < 1 and real < 1),
            }  # fmt: skip

    def repeats(self):
        for dataset, name in itertools.product(self.study.datasets, self.runs):
            values = self.of(dataset, name)
            found = mean_interval(list(values.values()))
            row = {
                "study": self.study.name, "dataset": dataset, "variant": name, "layer": self.layers[name],
                "taught": int(bool(self.runs[name]["teacher"])), "n": found.n, "accuracy": found.mean,
                "sd": found.sd, "range": max(values.values()) - min(values.values()) if values else NAN,
            }  # fmt: skip
            nothing = dict.fromkeys(("pairs", "difference", "low", "high", "separates"), NAN)
            yield {**row, "other": "", **nothing}
            for other in list(self.runs)[list(self.runs).index(name) + 1 :]:
                if self.runs[other] == self.runs[name]:
                    apart = paired_difference(values, self.of(dataset, other))
                    yield {
                        **row, "other": other, "pairs": apart.n, "difference": apart.mean,
                        "low": apart.low, "high": apart.high, "separates": int(separates(apart)),
                    }  # fmt: skip

    def matrix_fit(self):
        for kind, parameters, error in (
            ("dense", 64, 0.0), ("low_rank", 16, 0.6), ("low_rank", 64, 0.101), ("low_rank_svd", 16, 0.59),
            ("low_rank_svd", 64, 0.1), ("hashed", 32, 0.5), ("acdc", 40, 0.7), ("acdc", 128, 0.4),
        ):  # fmt: skip
            yield {
                "study": self.study.name, "layer": kind, "size": parameters, "parameters": parameters,
                "error": error, "low": error - 0.01, "high": error + 0.01, "matrices": 3,
            }  # fmt: skip

    def published_substitution(self):
        rows = (
            ("deficientefficient2018", "hashed", "0.01", 0.298, "hashed-taught", "other settings"),
            ("deficientefficient2018", "low_rank", "s = 0.1", 0.041, "low-rank-taught", "other settings"),
            ("deficientefficient2018", "shuffle", "4", 0.0475, "", "not run"),
            ("acdc2018", "acdc", "12", 0.05, "", "not run"),
        )  # fmt: skip
        for source, kind, setting, error, name, outcome in rows if self.published else ():
            known = name in self.runs
            accuracy = mean_interval(list(self.of("cifar10", name).values())) if known else None
            yield {
                "source": source, "network": "WRN-28-10", "layer": kind, "setting": setting,
                "parameters": 654272, "mult_adds": 5.2e9, "error": error, "teacher": 1, "cutout": 1,
                "decay": "scaled", "epochs": 200, "how": "exact", "note": "",
                "variant": name if known else "", "our_parameters": 23000 if known else NAN,
                "accuracy": accuracy.mean if known else NAN, "low": accuracy.low if known else NAN,
                "high": accuracy.high if known else NAN, "n": accuracy.n if known else NAN,
                "difference": accuracy.mean - 1 + error if known else NAN,
                "differs_in": "network;train_images;epochs" if known else "",
                "outcome": outcome if known else "not run",
            }  # fmt: skip


# Columns of analyses that may have no row.
COLUMNS = {
    "teaching": "study dataset layer alone taught teacher pairs accuracy_alone accuracy_taught difference low high "
    "separates loss_difference loss_low loss_high",
    "decay": "study dataset layer full scaled taught pairs accuracy_full accuracy_scaled difference low high separates",
    "speedup": "study dataset variant layer taught counted real_forward real_forward_low real_forward_high real_step "
    "slower",
    "published_substitution": "source network layer setting parameters mult_adds error teacher cutout decay epochs how "
    "note variant our_parameters accuracy low high n difference differs_in outcome",
}  # fmt: skip


def made_results(root, study, **more) -> Tables:
    """Tables of a study; `more` is that of `Made`."""
    made = Made(study, **more)
    columns = ["dataset", "variant", "seed", "epoch", "images", "metric", "component", "value"]
    frame = pd.DataFrame(list(made.main()), columns=columns)
    frame.insert(0, "study", study.name)
    layout.table(study.name, "", root).parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(layout.table(study.name, "", root), index=False)
    made_files.seal_table(layout.table(study.name, "", root))
    for thing in study.analyses:
        name = thing["name"]
        found = pd.DataFrame(list(getattr(made, name)()))
        if found.empty:
            found = pd.DataFrame(columns=COLUMNS[name].split())
        found.to_csv(layout.table(study.name, name, root), index=False)
        made_files.seal_table(layout.table(study.name, name, root))
    return Tables(study, root)


def made_numbers(root, study, **more) -> dict:
    """What `numbers.json` holds for made results."""
    made_results(root, study, **more)
    made_paper.make_runs(root, study, more.get("diverged", ()))
    return made_paper.gathered(root, study)

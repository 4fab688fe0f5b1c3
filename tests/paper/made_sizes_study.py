"""A results folder of a study of layers that size themselves whose values are made up; nothing is trained.

The main table is made, and the analyses are those of the package, so that their columns are what the text reads.
"""

import dataclasses
import math
import zlib

import made_paper
import numpy as np
import pandas as pd

import made_files
from sidestep import layout, sizing
from sidestep.analyse import analyse_job
from sidestep.config import resolve
from sidestep.paper.parts.resizing_study import ResizingStudy
from sidestep.statistics.intervals import Interval
from sidestep.study import Study
from sidestep.tables import Tables

ANALYSES = (
    *("final_sizes", "start_dependence", "matched_accuracy", "harder_sizes", "neuron_orders"),
    *("order_stability", "late_loss", "switched_off", "resizing_claims", "published_resizing"),
)
# What a difference may be found to be.
NAN = math.nan
UP, DOWN = Interval(5.0, 1.0, 3, 3.0, 7.0), Interval(-5.0, 1.0, 3, -7.0, -3.0)
ACROSS = Interval(1.0, 1.0, 3, -1.0, 3.0)
SINGLE, NONE = Interval(5.0, NAN, 1, NAN, NAN), Interval(NAN, NAN, 0, NAN, NAN)
SPACE = "\u00a0"
WIDTH, EPOCHS, PER_EPOCH, STAGE = 60, 4, 10, "hidden"
RECORDS = (1, 2, 4)
# Neurons of which importances are known, whatever the width: the text sees ranks alone.
RANKED = 20
# Measure → agreement with the exact order, and share of what it loses where neurons go.
MEASURES = {
    "zeroing": (1.0, 0.10), "spread": (0.45, 0.3), "incoming_norm": (0.2, 0.4),
    "outgoing_norm": (0.5, 0.2), "gradient_times_activation": (0.7, 0.15), "fisher": (0.65, 0.18),
    "random": (0.0, 0.7),
}  # fmt: skip
OPEN, L2 = {"gates": {STAGE: "open"}}, {"optimiser": {"weight_decay": 0.001}}
REMOVE = {"name": "rounds", "edit": "remove_dead", "rounds": 2}


def flexible(start, price=1e-3, gate=None, **run):
    """A flexible layer; `gate` has more of its settings."""
    found = {"name": "flexible", "start": start, "price": price, **(gate or {})}
    return {"gates": {STAGE: found}, **run}


def matched(teacher, **run):
    """A plain layer as large as its teacher's has become."""
    return {"gates": {STAGE: {"name": "open", "as_teacher": True}}, "teacher": teacher, **run}


def sparsified(width, price=1e-2, form="strict"):
    """A sparsified layer."""
    gate = {"name": "sparsified", "price": price, "form": form}
    return {"network": {"width": width}, "gates": {STAGE: gate}, "strategy": REMOVE}


def edited(width, edit):
    """A layer whose neurons come and go."""
    strategy = {"name": "rounds", "edit": edit, "rounds": 3, "settle": 0.15}
    return {"network": {"width": width}, **OPEN, "strategy": strategy}


def by_worth(width, price=1e-4):
    """A layer sorted by worth."""
    return edited(width, {"name": "by_worth", "price": price, "most": 0.5})


# The small size of the study.
USUAL = {
    "static": OPEN,
    "flexible-low": flexible(10),
    "flexible-high": flexible(50),
    "flexible-high-matched": matched("flexible-high"),
    "sparsified-low": sparsified(30),
    "sparsified-high": sparsified(60),
    "worth-low": by_worth(8),
    "worth-high": by_worth(60),
}
# With what its sweeps add: every method, more prices, L2, update rules.
ALL = {
    **USUAL,
    "free-0": flexible(0, 0.0),
    "free-low": flexible(10, 0.0),
    "free-high": flexible(50, 0.0),
    **{
        f"free-low-l2-{decay}": flexible(10, 0.0, optimiser={"weight_decay": float(decay)})
        for decay in ("1e-6", "1e-4", "1e-3")
    },
    **{f"flexible-high-{price}": flexible(50, float(price)) for price in ("1e-2", "1e-4", "1e-5")},
    **{
        f"flexible-high-{price}-matched": matched(f"flexible-high-{price}")
        for price in ("1e-2", "1e-4", "1e-5")
    },
    "flexible-high-1e-3-l2": flexible(50, 1e-3, **L2),
    "flexible-high-1e-3-l2-matched": matched("flexible-high-1e-3-l2", **L2),
    "static-l2": {**OPEN, **L2},
    "static-16": {"network": {"width": 16}, **OPEN},
    "static-32": {"network": {"width": 32}, **OPEN},
    "boundary-price": flexible(10, 1e-1, {"price_on": "boundary"}),
    "slope-random": flexible(0, 0.0, {"slope_is": "random"}),
    "slope-journal": flexible(0, 0.0, {"slope": 0.4}),
    "slope-trained": flexible(0, 0.0, {"slope_is": "trainable"}),
    "drawn": flexible(50, 0.0, {"switch": "drawn"}),
    "pretrained": flexible(60, 0.0, strategy={"name": "size_later", "before": 0.5}),
    "size-only": flexible(
        60, 0.0, strategy={"name": "size_later", "before": 0.5, "restart": 10, "then": "size"}
    ),
    "two-phase": flexible(0, 0.0, strategy={"name": "two_phase", "rounds": 2}),
    **{
        f"sparsified-{name}-{price}": sparsified(width, float(price))
        for price in ("1e-1", "1e-3", "1e-4")
        for name, width in (("low", 30), ("high", 60))
    },
    "sparsified-absolute": sparsified(60, form="absolute"),
    **{
        f"worth-{name}-{price}": by_worth(width, float(price))
        for price in ("1e-3", "1e-5")
        for name, width in (("low", 8), ("high", 60))
    },
    "mixture-low": edited(8, "by_mixture"),
    "mixture-high": edited(60, "by_mixture"),
    "long-adam": {**OPEN, "epochs": 40},
    "long-adamax": {**OPEN, "epochs": 40, "optimiser": {"name": "adamax", "lr": 0.002}},
}  # fmt: skip


def made_study(
    runs=USUAL,
    datasets=("mnist", "fashion_mnist"),
    seeds=(0, 1, 2),
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
            "network": {"name": "mlp", "width": WIDTH},
            "optimiser": {"name": "adam", "lr": 0.001},
            "batch_size": 32,
            "epochs": EPOCHS,
            "train_images": 500,
            "validation": 0,
            "evaluate": ["train", "test"],
            "evaluation_images": 300,
            "probes": ["sizes"],
            "records": list(RECORDS),
            **run,
        },
        "variants": dict(runs),
        "figures": list(figures),
    }
    found = resolve({"size": "small", "studies": {"resizing": study}}).studies["resizing"]
    return dataclasses.replace(found, analyses=tuple({"name": name} for name in analyses))


class Made:
    """The made values of a study.

    Args:
        study: of `made_study`.
        diverged: (data set, variant, seed) of runs whose loss is not finite at half of their steps.
        kept: method → the share of the start that its size keeps.
        noise: of each seed's size, as a share, and of its accuracy.
        better: method → how much its accuracy is above a static one's of its size.
        drawn: share of their initial size that weights beyond the boundary have, without L2 and with it.
        exact: what the exact order keeps more than usual.
        pull: gradient of the loss by a boundary, in nats.
        worth_on_harder: how much larger layers sorted by worth are on the second data set.
    """

    def __init__(
        self,
        study,
        diverged=(),
        kept=None,
        noise=0.01,
        better=None,
        drawn=(1.0, 0.01),
        exact=0.0,
        pull=-1e-3,
        worth_on_harder=1.3,
    ):
        self.study, self.diverged, self.noise = study, set(diverged), noise
        self.kept = {"flexible": 0.7, "sparsified": 0.3, "by_worth": 0.1} | (kept or {})
        self.better = {"flexible": -0.02} | (better or {})
        self.drawn, self.exact, self.pull = drawn, exact, pull
        self.worth_on_harder = worth_on_harder
        self.runs = {variant.name: variant.run for variant in study.variants}

    def size(self, dataset, name):
        """The mean size at the end."""
        run = self.runs[name]
        method = sizing.method(run)
        if method == "matched":
            return round(self.size(dataset, run["teacher"]))
        start, price = sizing.start(run), sizing.price(run)
        hard = dataset != self.study.datasets[0]
        if method == "static":
            return start
        if method == "flexible_boundary_price":
            return 0.4
        if method == "flexible_drawn":
            return start
        own = 5.0 * -math.log10(max(price, 1e-6)) * (0.6 if sizing.decay(run) else 1.0)
        if hard:
            own *= {"by_worth": self.worth_on_harder, "sparsified": 1.3}.get(method, 0.8)
        kept = self.kept.get(method, 0.5)
        return (1 - kept) * own + kept * start

    def accuracy(self, dataset, name):
        """The mean test accuracy at the end."""
        better = self.better.get(sizing.method(self.runs[name]), 0.0)
        hard = 0.1 * (dataset != self.study.datasets[0])
        return 0.97 - hard - 0.5 / (5 + max(self.size(dataset, name), 0.5)) + better

    def rows(self):
        """`dataset, variant, seed, epoch, images, metric, component, value`."""
        for dataset in self.study.datasets:
            for name, run in self.runs.items():
                for seed in self.study.seeds:
                    draw = np.random.default_rng(zlib.crc32(f"{dataset} {name} {seed}".encode()))
                    lost = (dataset, name, seed) in self.diverged
                    for row in self._run(dataset, name, run, draw, lost=lost):
                        yield (dataset, name, seed, *row)

    def _run(self, dataset, name, run, draw, *, lost):
        method, last = sizing.method(run), PER_EPOCH * run["epochs"]
        still = method in sizing.STILL
        size = self.size(dataset, name)
        size = round(size) if still else size * (1 + self.noise * draw.standard_normal())
        soft = sizing.gate(run).get("name") == "flexible"
        there = WIDTH if soft else max(1, round(size))
        for metric, value in (
            ("parameters", 795 * there + 10), ("mult_adds_forward_per_image", 794 * there),
            ("stored_bytes", 3180 * there + 40), ("seconds_train", 10.0 + draw.random()),
        ):  # fmt: skip
            yield run["epochs"], "", metric, NAN, float(value)
        end = self.accuracy(dataset, name) + 0.2 * self.noise * draw.standard_normal()
        begin = size if still else sizing.start(run)
        for step in range(0, (last // 2 if lost else last) + 1, PER_EPOCH // 2):
            share, epoch = step / last, step // PER_EPOCH
            accuracy = 0.1 + (end - 0.1) * min(1.0, 2 * share)
            for images, more in (("train", 0.01), ("test", 0.0)):
                loss = NAN if lost and step == last // 2 else 3 * (1 - accuracy - more)
                # Adam's training loss jumps now and then.
                jumps = images == "train" and step % 45 == 40 and run["optimiser"]["name"] == "adam"
                yield epoch, images, "history_loss", step, loss * (3 if jumps else 1)
                yield epoch, images, "history_accuracy", step, accuracy + more
            if run["gates"]:
                now = begin + (size - begin) * share
                found = {"size": now, "neurons": there, "scale": now}
                found |= {"boundary": now - 0.5 if now > 0.5 else -3.0} if soft else {}
                for probe, value in found.items():
                    yield epoch, "", f"probe_{probe}.{STAGE}", step, float(value)
            if soft:
                pull = self.pull * (1 + 0.1 * draw.random())
                yield epoch, "train", f"probe_boundary_gradient.{STAGE}", step, pull
        if not lost:
            yield from self._neurons(run, size, there, end, draw, soft=soft)

    def _neurons(self, run, size, there, accuracy, draw, *, soft):
        if soft:
            scales = 1 / (1 + np.exp(np.clip(np.arange(there) - size, -30, 30)))
            first = 0.5 / math.sqrt(there)
            beyond = self.drawn[sizing.decay(run) > 0]
            weights = first * np.where(scales > 0.5, 3.0, beyond) * (1 + 0.01 * draw.random(there))
            for metric, values in (("gate_scale", scales), ("gate_outgoing", weights)):
                for neuron, value in enumerate(values.tolist()):
                    yield run["epochs"], "", metric, neuron, value
        count = min(there, RANKED)
        worth = draw.exponential(size=count)
        for epoch in run["records"]:
            for measure in [name for name in MEASURES if name != "random"]:
                spread = (1.2 - MEASURES[measure][0]) / epoch
                values = worth * np.exp(spread * draw.normal(size=count))
                for neuron, value in enumerate(values.tolist()):
                    yield epoch, "train", f"importance_{measure}", neuron, value
        for measure, (agreement, worse) in MEASURES.items():
            if measure not in ("zeroing", "random"):
                value = agreement + 0.02 * draw.standard_normal()
                yield run["epochs"], "train", f"rank_correlation_{measure}", NAN, value
            area = accuracy - worse + 0.003 * draw.standard_normal()
            area += self.exact * (measure == "zeroing")
            yield run["epochs"], "test", f"area_kept_{measure}", NAN, area


def made_results(root, study, **more) -> Tables:
    """Tables of a study; `more` is that of `Made`."""
    columns = ["dataset", "variant", "seed", "epoch", "images", "metric", "component", "value"]
    frame = pd.DataFrame(list(Made(study, **more).rows()), columns=columns)
    frame.insert(0, "study", study.name)
    layout.table(study.name, "", root).parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(layout.table(study.name, "", root), index=False)
    made_files.seal_table(layout.table(study.name, "", root))
    for thing in study.analyses:
        name = thing["name"]
        analyse_job(study, name, layout.table(study.name, name, root), root)
    return Tables(study, root)


def study_of(root, runs=USUAL, **more) -> ResizingStudy:
    """A study's tables as the section reads them; `more` is that of `Made`."""
    return ResizingStudy(made_results(root, made_study(runs), **more))


def made_numbers(root, study, **more) -> dict:
    """What `numbers.json` holds for made results."""
    made_results(root, study, **more)
    made_paper.make_runs(root, study, more.get("diverged", ()))
    return made_paper.gathered(root, study)

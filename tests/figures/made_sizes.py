"""Made studies of networks that size themselves, with every row that their figures read."""

import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from sidestep import registry, sizing
from sidestep.study import Study, Variant
from sidestep.tables import Tables

PER_EPOCH, EPOCHS = 20, 8
RECORDS = (1, 2, 4, 6, 8)
STAGE, WIDTH = "hidden", 200
# Neurons of which importances are known, whatever the width: figures see ranks and curves alone.
RANKED = 30
ANALYSES = (*("final_sizes", "matched_accuracy", "neuron_orders", "order_stability", "late_loss"),)
# Measure → agreement with the exact one, and share of accuracy that is lost where neurons go.
MEASURES = {
    "zeroing": (1.0, 0.10), "spread": (0.45, 0.3), "incoming_norm": (0.2, 0.4),
    "outgoing_norm": (0.5, 0.2), "gradient_times_activation": (0.7, 0.15), "fisher": (0.65, 0.18),
    "random": (0.0, 0.7),
}  # fmt: skip
Row = tuple[Any, ...]
Run = dict[str, Any]


def run(width: int = WIDTH, gate: dict[str, Any] | None = None, **changes: Any) -> Run:
    """A resolved run of a plain layer, or of a gated one; `decay` is the optimiser's."""
    return {
        "network": {"name": "mlp", "width": width},
        "gates": {} if gate is None else {STAGE: gate},
        "strategy": {"name": "end_to_end"},
        "optimiser": {"name": "adam", "lr": 0.001, "weight_decay": changes.pop("decay", 0.0)},
        "schedule": {"name": "constant"},
        "batch_size": 128,
        "epochs": EPOCHS,
        "train_images": None,
        "records": list(RECORDS),
        "evaluate": ["train", "test"],
        "probes": [{"name": "sizes"}],
        "normalisation": "unit",
        "augmentations": [],
        "precision": "float32",
        "teacher": None,
        "substituted_decay": "full",
        **changes,
    }


def flexible(start: float, price: float = 1e-5, **changes: Any) -> Run:
    """A flexible layer; settings of its gate are in `gate`."""
    gate = {"name": "flexible", "start": start, "price": price, **changes.pop("gate", {})}
    return run(gate=gate, **changes)


def matched(teacher: str, **changes: Any) -> Run:
    """A plain layer as large as its teacher's has become."""
    return run(gate={"name": "open", "as_teacher": True}, teacher=teacher, **changes)


def sparsified(width: int, price: float = 1e-4, **gate: Any) -> Run:
    """A sparsified layer whose dead neurons are removed."""
    strategy = {"name": "rounds", "edit": {"name": "remove_dead"}, "rounds": 4}
    return run(width, {"name": "sparsified", "price": price, **gate}, strategy=strategy)


def edited(edit: dict[str, Any], width: int) -> Run:
    """A layer whose neurons come and go between rounds."""
    return run(width, {"name": "open"}, strategy={"name": "rounds", "edit": edit, "rounds": 4})


def by_worth(width: int, price: float = 1e-3) -> Run:
    """One whose neurons are sorted by worth."""
    return edited({"name": "by_worth", "price": price}, width)


ADAMAX = {"name": "adamax", "lr": 0.002}
DECAY = {"decay": 0.001}
# Nine variants, the small size of the study.
USUAL = {
    "static-200": run(),
    "static-50": run(50),
    "static-200-adamax": run(optimiser=ADAMAX),
    "flexible-0": flexible(0.0),
    "flexible-150": flexible(150.0),
    "flexible-150-matched": matched("flexible-150"),
    "sparsified-200": sparsified(200),
    "by-worth-20": by_worth(20),
    "by-worth-200": by_worth(200),
}
# Each method in two variants at most.
FEW = {
    **{name: its for name, its in USUAL.items() if name not in ("static-50", "sparsified-200")},
    "flexible-150-again": USUAL["flexible-150"],
}
STARTS = (0.0, 50.0, 100.0, 150.0, 200.0)
PRICES = (1e-2, 1e-3, 3e-4, 1e-4)
# Its full size: every method, and more prices and starts.
LARGE = {
    "static-200": run(),
    **{f"static-{width}": run(width) for width in (10, 25, 50, 100, 400)},
    "static-200-adamax": run(optimiser=ADAMAX),
    "static-200-sgd": run(optimiser={"name": "sgd", "lr": 0.1}),
    **{f"flexible-{start:g}": flexible(start) for start in STARTS},
    **{f"flexible-{start:g}-decay": flexible(start, **DECAY) for start in STARTS},
    **{f"flexible-100-price-{price:g}": flexible(100.0, price, **DECAY) for price in PRICES},
    "flexible-100-matched": matched("flexible-100"),
    "flexible-100-decay-matched": matched("flexible-100-decay", **DECAY),
    "flexible-0-free": flexible(0.0, 0.0),
    "flexible-0-random-slope": flexible(0.0, 0.0, gate={"slope_is": "random"}),
    "flexible-0-trainable-slope": flexible(0.0, 0.0, gate={"slope_is": "trainable"}),
    "flexible-100-drawn": flexible(100.0, 0.0, gate={"switch": "drawn"}),
    "flexible-100-boundary-price": flexible(100.0, gate={"price_on": "boundary"}),
    "flexible-100-two-phase": flexible(100.0, strategy={"name": "two_phase", "rounds": 4}),
    "flexible-deep": run(
        network={"name": "mnist_cnn"},
        gates={name: {"name": "flexible", "start": 50.0, "price": 1e-5} for name in ("conv1", "dense")},
    ),
    "flexible-pretrained": flexible(200.0, strategy={"name": "size_later", "before": 0.2}),
    "flexible-size-only": flexible(
        200.0, strategy={"name": "size_later", "before": 0.5, "then": "size"}
    ),
    **{f"sparsified-{width}": sparsified(width) for width in (100, 200, 400)},
    **{f"sparsified-200-price-{price:g}": sparsified(200, price) for price in (1e-2, 1e-3, 1e-5)},
    "sparsified-200-absolute": sparsified(200, form="absolute"),
    "sparsified-200-matched": matched("sparsified-200"),
    **{f"by-mixture-{width}": edited({"name": "by_mixture"}, width) for width in (20, 200)},
    **{f"by-worth-{width}": by_worth(width) for width in (20, 100, 200)},
    "by-worth-100-price-0.0001": by_worth(100, 1e-4),
    "by-worth-100-matched": matched("by-worth-100"),
}  # fmt: skip


def tables(
    variants: dict[str, Run] | None = None,
    *,
    datasets: tuple[str, ...] = ("mnist", "fashion_mnist"),
    seeds: tuple[int, ...] = (0, 1, 2),
    diverged: tuple[tuple[str, int], ...] = (),
) -> Tables:
    """A study; its `diverged` runs (variant, seed) stop after a third of their steps."""
    runs = USUAL if variants is None else variants
    study = Study(
        name="resizing", title="made", datasets=datasets, seeds=seeds,
        variants=tuple(Variant(name, {}, its) for name, its in runs.items()),
        baseline=next(iter(runs)), timing_datasets=(), timing_steps=20, metrics=(),
        group_metrics=(), figures=(), analyses=tuple({"name": name} for name in ANALYSES),
    )  # fmt: skip
    rows: list[Row] = []
    for dataset in datasets:
        for name, described in runs.items():
            for seed in seeds:
                noise = np.random.default_rng(zlib.crc32(f"{dataset} {name} {seed}".encode()))
                short, hard = (name, seed) in diverged, dataset != datasets[0]
                for row in _run(described, runs, noise, hard=hard, short=short):
                    rows.append(("resizing", dataset, name, str(seed), *row))
    columns = ["study", "dataset", "variant", "seed", "epoch", "images", "metric"]
    made = Tables(study, _read={"": pd.DataFrame(rows, columns=[*columns, "component", "value"])})
    for name in ANALYSES:
        made._read[name] = registry.load("analyses", name).analyse(made)
    return made


def _end(its: Run, runs: dict[str, Run], *, hard: bool) -> float:
    """The size to which a layer comes, in neurons."""
    method, begin, price = sizing.method(its), sizing.start(its), sizing.price(its)
    if method == "matched":
        return _end(runs[its["teacher"]], runs, hard=hard)
    cheap = -math.log10(max(price, 1e-7))
    match method:
        case "static":
            return begin
        case "flexible_boundary_price":
            return 0.4
        case "flexible_drawn":
            return begin
        case "sparsified" | "sparsified_absolute":
            return min(begin, (1.3 if hard else 1.0) * (12 * cheap**1.6 + 0.1 * begin))
        case "by_mixture":
            return 45.0
        case "by_worth":
            return (1.5 if hard else 1.0) * 9 * cheap
    most = 60 if sizing.decay(its) else 110
    return (0.85 if hard else 1.0) * (most * min(1.0, cheap / 5) ** 2 + 0.6 * begin)


def _run(its: Run, runs: dict[str, Run], noise: Any, *, hard: bool, short: bool) -> Iterator[Row]:
    """Epoch, images, metric, component and value of one run."""
    end = _end(its, runs, hard=hard)
    end = round(end) if sizing.method(its) in sizing.STILL else end + noise.normal(0, 0.03 * end)
    flexible_layer = sizing.gate(its).get("name") == "flexible"
    there = WIDTH if flexible_layer else max(1, round(end))
    for metric, value in (
        ("parameters", 795 * there + 10), ("mult_adds_forward_per_image", 794 * there),
        ("stored_bytes", 3180 * there + 40), ("seconds_train", 20 + there / 10 + noise.random()),
    ):  # fmt: skip
        yield EPOCHS, "", metric, math.nan, float(value)
    errors = (0.11 if hard else 0.017) * (1 + 9 / max(end, 2)) * (1 + 0.04 * noise.normal())
    yield from _history(its, errors, noise, short=short)
    begin = end if sizing.method(its) in sizing.STILL else sizing.start(its)
    for stage in its["gates"]:
        for step in _steps(short=short):
            size = end + (begin - end) * math.exp(-4 * step / (PER_EPOCH * EPOCHS))
            found = {"size": size, "neurons": float(there), "scale": 0.9 * size}
            for name, value in found.items():
                yield step // PER_EPOCH, "", f"probe_{name}.{stage}", step, value
    # Neurons are looked at in networks of one hidden layer.
    if short or its["network"]["name"] != "mlp":
        return
    if flexible_layer:
        factors = 1 / (1 + np.exp(np.clip(np.arange(WIDTH) - end, -30, 30)))
        beyond = 0.02 if sizing.decay(its) else 1.0
        level = 0.5 / math.sqrt(WIDTH)
        weights = level * (beyond + 3 * factors) * (1 + 0.1 * noise.normal(size=WIDTH))
        for metric, values in (("gate_scale", factors), ("gate_outgoing", weights)):
            for neuron, value in enumerate(values.tolist()):
                yield EPOCHS, "", metric, neuron, value
    yield from _orders(there, 1 - errors, noise)


def _steps(*, short: bool) -> list[int]:
    """Steps of the evaluations, two in an epoch."""
    last = PER_EPOCH * EPOCHS
    found = list(range(0, last + 1, PER_EPOCH // 2))
    return [step for step in found if not short or step <= last / 3]


def _history(its: Run, errors: float, noise: Any, *, short: bool) -> Iterator[Row]:
    """Losses and accuracies; Adam's training loss jumps now and then."""
    steps = _steps(short=short)
    adam = its["optimiser"]["name"] == "adam"
    for step in steps:
        left = math.exp(-10 * step / (PER_EPOCH * EPOCHS))
        share = 1 - errors - (0.9 - errors) * left
        low = max(2.3 * left**1.3, 2e-4) * (1 + 0.2 * noise.random())
        low *= 6.0 if adam and noise.random() < 0.15 else 1.0
        for images, loss, accuracy in (
            ("train", low, min(share + 0.6 * errors, 1.0)),
            ("test", 3 * (1 - share), share),
        ):
            stop = short and step == steps[-1]
            epoch = step // PER_EPOCH
            yield epoch, images, "history_loss", step, math.nan if stop else loss
            yield epoch, images, "history_accuracy", step, 0.1 if stop else accuracy


def _orders(width: int, accuracy: float, noise: Any) -> Iterator[Row]:
    """Importances of neurons at every recorded epoch, and what their orders keep."""
    count = min(width, RANKED)
    worth = noise.exponential(size=count)
    for epoch in RECORDS:
        for measure in [name for name in MEASURES if name != "random"]:
            spread = (1.2 - MEASURES[measure][0]) / epoch
            values = worth * np.exp(spread * noise.normal(size=count))
            for neuron, value in enumerate(values.tolist()):
                yield epoch, "train", f"importance_{measure}", neuron, value
    kept = sorted({0, *(int(1.5**power) for power in range(20) if 1.5**power < width), width})
    for measure, (agreement, worse) in MEASURES.items():
        if measure not in ("zeroing", "random"):
            value = agreement + 0.05 * noise.normal()
            yield EPOCHS, "train", f"rank_correlation_{measure}", math.nan, value
        shares = [0.1 + (accuracy - 0.1) * (k / width) ** worse for k in kept]
        for k, share in zip(kept, shares, strict=True):
            yield EPOCHS, "test", f"accuracy_kept_{measure}", k, share * (1 - 0.01 * noise.random())
            yield EPOCHS, "test", f"loss_kept_{measure}", k, 3 * (1 - share)
        yield EPOCHS, "test", f"area_kept_{measure}", math.nan, float(np.mean(shares[1:]))

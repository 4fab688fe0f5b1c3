"""How large each network has become, what it reaches and what it costs."""

from typing import Any

import pandas as pd

from sidestep import sizing
from sidestep.analyses.shared.finals import finals, mean, spread
from sidestep.analyses.shared.sizes import lasts, objectives, sizes, start
from sidestep.tables import Tables

# Columns that are means over seeds → metrics of the study's table.
COSTS = {
    "parameters": "parameters",
    "mult_adds": "mult_adds_forward_per_image",
    "stored_bytes": "stored_bytes",
    "seconds": "seconds_train",
}
COLUMNS = [
    *("study", "dataset", "variant", "method", "stage", "start", "price", "decay"),
    *("n", "diverged", "size", "size_low", "size_high", "neurons", "scale"),
    *("accuracy", "accuracy_low", "accuracy_high", "train_accuracy", "loss", "train_loss"),
    *("objective", "objective_low", "objective_high", *COSTS),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set and variant.

    Columns: `study`, `dataset`, `variant`; `method` by which its size comes about, `stage`, the first gated one (empty
    if there is none), `start`, the size from which it starts in neurons (empty if that is decided by another
    variant), `price` of a used neuron (nats, 0 for none) and weight `decay` (`sidestep.sizing`). At the last
    evaluation, over the `n` seeds that finished (`diverged`, those that did not), of the first gated stage, in neurons:
    the `size`, neurons used, with its 95 % t interval (`size_low`, `size_high`); `neurons` that are there; `scale`, the
    sum of the absolute factors. A static layer without a gate uses all its neurons at a factor of 1.

    Test `accuracy` with its interval (`accuracy_low`, `accuracy_high`), `train_accuracy`, test `loss` and
    `train_loss` (nats); `objective`, test loss plus price times size, of all gated stages, with its interval
    (`objective_low`, `objective_high`), empty without a price. Costs, as the network is built, switched off neurons
    included: `parameters`, `mult_adds` of one image, `stored_bytes`, and `seconds` of training by the clock of the
    training jobs, which run side by side.
    """
    study, ends = tables.study, finals(tables)
    known, paid = sizes(tables, ends), objectives(tables, ends)
    costs = lasts(tables, ends, COSTS.values())
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for variant in study.variants:
            name, run = variant.name, variant.run
            its, accuracy = known[dataset, name], ends.of(dataset, name, "test", "accuracy")
            row: dict[str, Any] = {
                "study": study.name,
                "dataset": dataset,
                "variant": name,
                "method": sizing.method(run),
                "stage": sizing.stage(run),
                "start": start(run),
                "price": sizing.price(run),
                "decay": sizing.decay(run),
                "n": len(accuracy),
                "diverged": ends.diverged(dataset, name),
                **spread(its["size"], "size"),
                "neurons": mean(its["neurons"])["mean"],
                "scale": mean(its["scale"])["mean"],
                **spread(accuracy, "accuracy"),
                "loss": mean(ends.of(dataset, name, "test", "loss"))["mean"],
                **spread(paid.get((dataset, name), {}), "objective"),
            }
            for quantity in ("accuracy", "loss"):
                of_train = ends.of(dataset, name, "train", quantity)
                row[f"train_{quantity}"] = mean(of_train)["mean"]
            for column, metric in COSTS.items():
                row[column] = mean(costs.get((dataset, name, metric), {}))["mean"]
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)

"""How the networks of a study were trained, for the paragraph on its experiment."""

from collections.abc import Iterable
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.words import dataset_name
from sidestep.study import Study

CITED = {
    "adam": "Adam @kingma2015adam",
    "adamw": "AdamW @loshchilov2019decoupled",
    "adamax": "AdaMax @kingma2015adam",
    "sgd": "stochastic gradient descent",
}
NETWORKS = {
    "mlp": "fully connected networks of one hidden ReLU layer",
    "mnist_cnn": "the convolutional network of the TensorFlow tutorial on layers",
}
DATASET_KEYS = {
    "mnist": "@lecun1998gradient",
    "fashion_mnist": "@xiao2017fashion",
    "cifar10": "@krizhevsky2009learning",
    "digits": "@alpaydin1998optical",
}


def setup(study: Study) -> dict[str, str]:
    """How the variants of a study are trained; where they differ, everything that one of them has."""
    runs = [variant.run for variant in study.variants]
    kept = sorted({epoch for run in runs for epoch in run["records"]})
    networks = _distinct(run["network"]["name"] for run in runs)
    images = _distinct((run.get("train_images"), run["validation"]) for run in runs)
    return {
        "datasets": f.listed(
            [f"{dataset_name(d)} {DATASET_KEYS.get(d, '')}".strip() for d in study.datasets]
        ),
        "network": f.listed([NETWORKS.get(name, f"networks `{name}`") for name in networks], "or"),
        "seeds": f.plural(len(study.seeds), "seed"),
        "runs": f.count(len(study.seeds) * len(study.datasets) * len(study.variants)),
        "epochs": _either(f.plural(run["epochs"], "epoch") for run in runs),
        "records": f"epoch{'s' * (len(kept) > 1)} {f.listed([f.count(each) for each in kept])}",
        "optimiser": _either(
            CITED.get(run["optimiser"]["name"], f"`{run['optimiser']['name']}`") for run in runs
        ),
        "learning_rate": _either(f.setting(run["optimiser"].get("lr")) for run in runs),
        "batch_size": _either(f.count(run["batch_size"]) for run in runs),
        "training_images": " ".join(say.training_images(*each) for each in images),
        "normalisation": "Fashion-MNIST is normalised by the constants of MNIST, as in the journal."
        if "fashion_mnist" in study.datasets
        else "Inputs are normalised by constants of the data set.",
    }


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def _either(texts: Iterable[str]) -> str:
    return f.listed(_distinct(texts), "or")

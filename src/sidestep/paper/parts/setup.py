"""How the networks of a study were trained, for the paragraph on its experiment."""

import math

from sidestep.config import Study
from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.words import dataset_name

CITED = {
    "adam": "Adam @kingma2015adam",
    "adamw": "AdamW @loshchilov2019decoupled",
    "adamax": "AdaMax @kingma2015adam",
    "sgd": "stochastic gradient descent",
}
NETWORKS = {"mlp": "fully connected networks of one hidden ReLU layer"}
DATASET_KEYS = {
    "mnist": "@lecun1998gradient",
    "fashion_mnist": "@xiao2017fashion",
    "cifar10": "@krizhevsky2009learning",
    "digits": "@alpaydin1998optical",
}


def setup(study: Study) -> dict[str, str]:
    """What all variants of a study share, as its first one has it."""
    run = study.variants[0].run
    optimiser = run["optimiser"]
    kept = [f.count(epoch) for epoch in run["records"]]
    return {
        "datasets": f.listed(
            [f"{dataset_name(d)} {DATASET_KEYS.get(d, '')}".strip() for d in study.datasets]
        ),
        "network": NETWORKS.get(run["network"]["name"], f"networks `{run['network']['name']}`"),
        "seeds": f.plural(len(study.seeds), "seed"),
        "runs": f.count(len(study.seeds) * len(study.datasets) * len(study.variants)),
        "epochs": f.plural(run["epochs"], "epoch"),
        "records": f"epoch{'s' * (len(kept) > 1)} {f.listed(kept)}",
        "optimiser": CITED.get(optimiser["name"], f"`{optimiser['name']}`"),
        "learning_rate": f.significant(optimiser.get("lr", math.nan), 1),
        "batch_size": f.count(run["batch_size"]),
        "training_images": say.training_images(run.get("train_images"), run["validation"]),
        "normalisation": "Fashion-MNIST is normalised by the constants of MNIST, as in the journal."
        if "fashion_mnist" in study.datasets
        else "Inputs are normalised by constants of the data set.",
    }

"""Shared by all tests: deterministic property tests, one torch thread, made data."""

import hypothesis
import pytest

hypothesis.settings.register_profile("sidestep", derandomize=True, deadline=None)
hypothesis.settings.load_profile("sidestep")


@pytest.fixture(autouse=True)
def _one_thread():
    """Results must not depend on how many cores the machine has."""
    import torch

    torch.set_num_threads(1)
    # A job sets it for its own process, and hypothesis wants numbers as the standard has them.
    torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """The file of the embedded `digits` data, fetched as the pipeline does."""
    from sidestep.data.fetch import fetch

    path = tmp_path_factory.mktemp("data") / "digits.safetensors"
    fetch("digits", path, None, lambda _: None)
    return path


@pytest.fixture
def run():
    """A resolved run that takes a fraction of a second."""
    return {
        "study": "width",
        "dataset": "digits",
        "variant": "width-8",
        "seed": 3,
        "network": {"name": "mlp", "width": 8},
        "gates": {},
        "resample": False,
        "subset": None,
        "member": 0,
        "outputs": [],
        "strategy": {"name": "end_to_end"},
        "optimiser": {"name": "adam", "lr": 0.001},
        "schedule": {"name": "constant"},
        "batch_size": 64,
        "epochs": 3,
        "records": [1, 3],
        "train_images": None,
        "validation": 0,
        "evaluate": ["train", "test"],
        "evaluations": 1,
        "evaluation_images": None,
        "probes": [],
        "normalisation": "unit",
        "augmentations": [],
        "precision": "float32",
        "teacher": None,
        "substituted_decay": "full",
        "device": "cpu",
        "threads": 1,
    }

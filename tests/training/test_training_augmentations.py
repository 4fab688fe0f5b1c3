"""Augmentations, normalisation and precision: what a training step sees, and how it computes."""

import numpy as np
import pytest
import torch

from sidestep import registry
from sidestep.augmentations import horizontal_flip, random_crop
from sidestep.building import dataset_of
from sidestep.data.load import load, normalise
from sidestep.files import read_json
from sidestep.training.job import run_job
from sidestep.training.loop import train
from sidestep.training.setup import make_task
from sidestep.training.state import Progress

CPU = torch.device("cpu")
BLACK = torch.tensor([-1.0, -2.0, -3.0])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", registry.names("augmentations"))
def test_augmentations_keep_shape_and_input_and_follow_the_generator(name):
    augment = registry.load("augmentations", name).augment
    images = torch.rand(40, 3, 9, 12)
    before = images.clone()
    first, again = (augment(images, generator(1), BLACK) for _ in range(2))
    assert first.shape == images.shape and first.dtype == images.dtype
    assert torch.equal(first, again) and torch.equal(images, before)
    assert not torch.equal(first, augment(images, generator(2), BLACK))
    assert not torch.equal(first, images)


def test_a_crop_is_a_window_of_the_padded_image_and_each_image_has_its_own():
    images = torch.rand(200, 3, 6, 5)
    found = random_crop.augment(images, generator(), BLACK, padding=2).numpy()
    places = []
    for image, crop in zip(images.numpy(), found, strict=True):
        padded = np.broadcast_to(BLACK.numpy()[:, None, None], (3, 10, 9)).copy()
        padded[:, 2:8, 2:7] = image
        places += [
            (top, left)
            for top in range(5)
            for left in range(5)
            if np.array_equal(padded[:, top : top + 6, left : left + 5], crop)
        ]
    assert len(places) == 200, "each crop is one window"
    assert set(places) == {(top, left) for top in range(5) for left in range(5)}


def test_a_flip_mirrors_about_half_of_the_images_from_left_to_right():
    images = torch.rand(400, 3, 4, 5)
    found = horizontal_flip.augment(images, generator(), BLACK)
    mirrored = [bool((a == b.flip(2)).all()) for a, b in zip(found, images, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(found, images, strict=True)]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True))
    assert 160 < sum(mirrored) < 240
    assert torch.equal(horizontal_flip.augment(images, generator(), BLACK, probability=0.0), images)


@pytest.mark.parametrize(("how", "low", "high"), [("none", 0.0, 1.0), ("symmetric", -1.0, 1.0)])
def test_normalisations_put_black_and_white_where_they_say(run, how, low, high):
    dataset = dataset_of({**run, "dataset": "cifar10", "normalisation": how})
    pixels = torch.tensor([0, 255], dtype=torch.uint8).expand(1, 3, 1, 2)
    expected = torch.tensor([low, high]).expand(1, 3, 1, 2)
    assert torch.allclose(normalise(pixels, dataset), expected)


def test_the_usual_normalisation_gives_zero_mean_and_unit_variance(run, digits):
    images = normalise(load(digits)["train"].images, dataset_of(run))
    assert float(images.mean()) == pytest.approx(0.0, abs=0.01)
    assert float(images.std()) == pytest.approx(1.0, abs=0.01)


AUGMENTED = [{"name": "random_crop", "padding": 1}, {"name": "horizontal_flip"}]


def test_padding_is_black_in_the_normalised_images(run, digits):
    crop = [{"name": "random_crop", "padding": 8}]
    task = make_task({**run, "augmentations": crop, "normalisation": "symmetric"}, digits, CPU)
    batch = task.batch(torch.arange(64))
    shown = task.augmented(batch, 0).images
    # Digits lie on black, so that a window of image and border has nothing darker than black.
    assert float(shown.min()) == -1.0 and not torch.equal(shown, batch.images)


def test_every_variant_and_every_visit_of_a_step_sees_the_same_augmented_batch(run, digits):
    described = {**run, "augmentations": AUGMENTED}
    mine = make_task(described, digits, CPU)
    other = make_task({**described, "network": {"name": "mlp", "width": 3}}, digits, CPU)
    batch = mine.batch(mine.chosen(mine.order(0), 0))
    first = mine.augmented(batch, 5).images
    assert torch.equal(first, other.augmented(batch, 5).images)
    assert not torch.equal(first, mine.augmented(batch, 6).images)
    assert torch.equal(mine.augmented(batch, 5).labels, batch.labels)


def test_a_killed_augmented_run_ends_with_the_bytes_of_an_undisturbed_one(run, digits, tmp_path):
    run = {**run, "augmentations": AUGMENTED}
    from sidestep import entries

    def job(folder, **more):
        run_job(run, "", entries.train(run), digits, folder, **{"say": lambda _: None, **more})

    def kill(line):
        if line.startswith("epoch 2/"):
            raise InterruptedError

    job(tmp_path / "whole")
    keep = tmp_path / "keep.safetensors"
    with pytest.raises(InterruptedError):
        job(tmp_path / "x", keep=keep, checkpoint_seconds=0, say=kill)
    job(tmp_path / "resumed", keep=keep)
    whole, resumed = (tmp_path / n / "model.safetensors" for n in ("whole", "resumed"))
    assert whole.read_bytes() == resumed.read_bytes()
    assert read_json(tmp_path / "whole" / "summary.json")["status"] == "finished"


def test_outputs_of_frozen_stages_are_not_kept_when_no_image_comes_twice(run, digits):
    strategy = {"name": "blockwise", "signal": {"name": "sub_model"}}
    for augmentations in ([], AUGMENTED):
        task = make_task({**run, "strategy": strategy, "augmentations": augmentations}, digits, CPU)
        phase, begin, end = task.spans[1]
        planned, _ = task.prepare(phase)
        assert task.caches(phase, begin, end, planned) == (not augmentations)


def test_bfloat16_computes_the_steps_in_fewer_bits_and_keeps_float32_weights(run, digits):
    found = {}
    for precision in ("float32", "bf16"):
        task = make_task(
            {**run, "precision": precision, "optimiser": {"name": "adam", "lr": 0.01}}, digits, CPU
        )
        progress = Progress()
        train(task, progress, after_chunk=lambda *_: None, after_mark=lambda *_: None)
        found[precision] = task.network.state_dict()
        assert all(value.dtype == torch.float32 for value in found[precision].values())
        assert [row.accuracy for row in progress.rows if row.split == "test"][-1] > 0.5
    for key, value in found["float32"].items():
        assert not torch.equal(value, found["bf16"][key])
        assert torch.allclose(value, found["bf16"][key], atol=0.1)

"""The loop: order, clock, records, resumption, divergence, and the files of a run."""

import csv
import itertools
import json
import time

import pytest
import torch

from sidestep import entries, fingerprint
from sidestep.contract import Objective, Phase
from sidestep.errors import UserError
from sidestep.files import read_json, sha256
from sidestep.runs import check
from sidestep.signals.true_loss import TrueLoss
from sidestep.training import checkpoint
from sidestep.training.job import run_job
from sidestep.training.loop import phase_ends, train
from sidestep.training.setup import make_task
from sidestep.training.state import Progress

CPU = torch.device("cpu")


def quiet(*_):
    pass


def job(run, digits, folder, **more):
    run_job(run, "", entries.train(run), digits, folder, say=more.pop("say", quiet), **more)


def history(folder):
    with (folder / "history.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(run, digits, tmp_path):
    for name in ("a", "b"):
        job(run, digits, tmp_path / name)
    job({**run, "seed": 4}, digits, tmp_path / "c")
    assert history(tmp_path / "a") == history(tmp_path / "b") != history(tmp_path / "c")
    for name in ("model", "records"):
        file = f"{name}.safetensors"
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_history_has_a_row_per_evaluation_and_split(run, digits, tmp_path):
    job(run, digits, tmp_path)
    rows = history(tmp_path)
    assert [(row["epoch"], row["split"]) for row in rows] == [
        ("0", "train"),
        ("0", "test"),
        *itertools.chain.from_iterable(
            ((str(e), "batch"), (str(e), "train"), (str(e), "test")) for e in (1, 2, 3)
        ),
    ]
    # 1,500 training images in batches of 64: 24 steps an epoch.
    assert [row["step"] for row in rows if row["split"] == "test"] == ["0", "24", "48", "72"]
    assert float(rows[-1]["loss"]) < float(rows[1]["loss"])


def test_a_run_killed_at_any_epoch_ends_with_the_bytes_of_an_undisturbed_one(run, digits, tmp_path):
    job(run, digits, tmp_path / "whole")

    class KilledError(Exception):
        pass

    for epoch in (1, 2):
        keep, said = tmp_path / f"{epoch}.safetensors", []

        def kill(line, epoch=epoch):
            if line.startswith(f"epoch {epoch + 1}/"):
                raise KilledError

        with pytest.raises(KilledError):
            job(run, digits, tmp_path / "x", keep=keep, checkpoint_seconds=0, say=kill)
        job(run, digits, tmp_path / str(epoch), keep=keep, say=said.append)
        assert said[0].startswith(f"resumed after step {24 * epoch} of 72")
        assert history(tmp_path / str(epoch)) == history(tmp_path / "whole")
        for name in ("model", "records"):
            file = f"{name}.safetensors"
            mine, whole = tmp_path / str(epoch) / file, tmp_path / "whole" / file
            assert mine.read_bytes() == whole.read_bytes()
        assert not keep.exists()


def _damaged(path):
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)


def _truncated(path):
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("harm", "reason"), [(_damaged, "damaged"), (_truncated, "damaged"), (None, "other code")]
)
def test_a_checkpoint_that_is_damaged_or_of_another_run_is_refused_and_said_so(
    run, digits, tmp_path, harm, reason
):
    keep, said = tmp_path / "keep.safetensors", []
    task = make_task(run, digits, CPU)
    identity = {
        "run": run,
        "fingerprint": fingerprint.of(entries.train(run)),
        "data": read_json(digits.with_suffix(".digest.json")),
        "teacher": None,
    }
    if harm is None:
        identity["fingerprint"] = "of yesterday"
    checkpoint.save(keep, identity, Progress(step=24), task.network, [], task.optimiser)
    if harm:
        harm(keep)
    job(run, digits, tmp_path / "run", keep=keep, say=said.append)
    assert "training starts over" in said[0] and reason in said[0]
    job(run, digits, tmp_path / "plain")
    assert history(tmp_path / "run") == history(tmp_path / "plain")


def test_a_hostile_pickle_as_a_checkpoint_is_only_refused(run, digits, tmp_path):
    import pickle

    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "was here"), "w"))

    keep = tmp_path / "keep.safetensors"
    keep.write_bytes(pickle.dumps(Hostile()))
    job(run, digits, tmp_path / "run", keep=keep)
    assert not (tmp_path / "was here").exists()


def test_divergence_is_a_result(run, digits, tmp_path):
    wild = {**run, "optimiser": {"name": "sgd", "lr": 1e30}}
    said = []
    job(wild, digits, tmp_path, say=said.append)
    summary = read_json(tmp_path / "summary.json")
    assert summary["status"] == "diverged"
    assert summary["diverged_at_step"] == 24
    assert said[-1].endswith("diverged")
    assert len(history(tmp_path)) == 5


def test_the_clock_counts_training_only(run, digits):
    task = make_task(run, digits, CPU)
    progress, slept = Progress(), 0.05

    def sleep(*_):
        time.sleep(slept)

    began = time.perf_counter()
    train(task, progress, after_chunk=sleep, after_mark=sleep)
    elapsed = time.perf_counter() - began
    # Six pauses lie inside the loop; none of them may be on the clock.
    assert progress.seconds <= elapsed - 6 * slept


def test_variants_with_one_seed_see_one_order_and_share_initial_weights(run, digits):
    other = {**run, "optimiser": {"name": "sgd", "lr": 0.1}}
    wider = {**run, "network": {"name": "mlp", "width": 16}}
    first, second, third = (make_task(r, digits, CPU) for r in (run, other, wider))
    for name, value in first.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name])
    for epoch in range(2):
        assert torch.equal(first.order(epoch), third.order(epoch))
    assert not torch.equal(first.order(0), first.order(1))
    assert sorted(first.order(0).tolist()) == list(range(1500))


def test_phases_in_turn_share_the_steps_and_each_moves_its_own_stages(run, digits):
    task = make_task(run, digits, CPU)
    hidden = task.network[0].state_dict()
    before = {name: value.clone() for name, value in hidden.items()}
    only_last = Phase("last", (Objective(TrueLoss(), 1, 1),), share=0.5)
    both = Phase("both", (Objective(TrueLoss(), 0, 1),), share=0.5)
    frozen = type(task)(**{**task.__dict__, "phases": (only_last, both)})
    seen = []

    def look(progress, _):
        same = all(torch.equal(before[n], v) for n, v in task.network[0].state_dict().items())
        seen.append((progress.step, same))

    train(frozen, Progress(), after_chunk=look, after_mark=quiet)
    assert [step for step, _ in seen] == [24, 36, 48, 72]
    assert [same for _, same in seen] == [True, True, False, False]


@pytest.mark.parametrize(
    ("shares", "steps", "ends"),
    [((1.0,), 7, [7]), ((0.5, 0.5), 7, [4, 7]), ((1 / 3, 1 / 3, 1 / 3), 100, [33, 67, 100])],
)
def test_phases_end_where_their_shares_say(shares, steps, ends):
    assert phase_ends([Phase("p", (), share) for share in shares], steps) == ends


def test_shares_that_do_not_add_up_are_refused():
    with pytest.raises(ValueError, match=r"add up to 0\.8"):
        phase_ends([Phase("p", (), 0.4), Phase("q", (), 0.4)], 10)


def test_summary_names_every_file_and_its_counts_are_the_closed_forms(run, digits, tmp_path):
    job(run, digits, tmp_path)
    summary = read_json(tmp_path / "summary.json")
    files = {path.name for path in tmp_path.iterdir()} - {"summary.json"}
    assert set(summary["files"]) == files
    assert all(sha256(tmp_path / name) == digest for name, digest in summary["files"].items())
    assert summary["parameters"] == 64 * 8 + 8 + 8 * 10 + 10
    assert summary["mult_adds_forward_per_image"] == 64 * 8 + 8 * 10
    # Forward; weight gradients of both layers; the hidden layer's gradient of the second.
    assert summary["mult_adds_per_training_step"] == {"all": 64 * (2 * 64 * 8 + 3 * 8 * 10)}
    assert summary["stored_bytes"] == 4 * summary["parameters"]


def test_readers_refuse_a_run_that_was_changed_is_missing_or_is_anothers(run, digits, tmp_path):
    job(run, digits, tmp_path)
    today = fingerprint.of(entries.train(run))
    assert check(tmp_path, run, today)["status"] == "finished"
    with pytest.raises(UserError, match="another config"):
        check(tmp_path, {**run, "seed": 5}, today)
    with pytest.raises(UserError, match="other code"):
        check(tmp_path, run, "0" * 16)
    (tmp_path / "history.csv").write_text("step\n")
    with pytest.raises(UserError, match=r"history\.csv was changed"):
        check(tmp_path, run, today)
    (tmp_path / "history.csv").unlink()
    with pytest.raises(UserError, match=r"history\.csv is missing"):
        check(tmp_path, run, today)
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        check(tmp_path, run, today)


def test_code_that_changed_since_planning_is_refused(run, digits, tmp_path):
    with pytest.raises(UserError, match="the code changed"):
        run_job(run, "0" * 16, entries.train(run), digits, tmp_path, say=quiet)


def test_a_gpu_that_is_absent_is_named(run, digits, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="no such device"):
        job({**run, "device": "cuda"}, digits, tmp_path)


def test_the_status_file_follows_the_job(run, digits, tmp_path):
    status = tmp_path / "status.json"
    job(run, digits, tmp_path / "run", status=status)
    facts = json.loads(status.read_text())
    assert (facts["state"], facts["epoch"], facts["epochs"]) == ("finished", 3, 3)
    with pytest.raises(UserError):
        job({**run, "device": "nowhere"}, digits, tmp_path / "run", status=status)
    assert json.loads(status.read_text())["state"] == "failed"


@pytest.mark.parametrize(("images", "batch_size"), [(129, 64), (64, 1)])
def test_a_batch_of_one_image_is_refused_where_there_is_batch_normalisation(
    run, digits, images, batch_size
):
    network = {"name": "basic_cnn", "channels": 2, "hidden": 4}
    lonely = {**run, "network": network, "train_images": images, "batch_size": batch_size}
    with pytest.raises(UserError, match="at least two images in every batch"):
        make_task(lonely, digits, CPU)
    make_task({**lonely, "network": run["network"]}, digits, CPU)
    make_task({**lonely, "train_images": 130, "batch_size": 64}, digits, CPU)

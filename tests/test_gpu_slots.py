"""GPUs of one machine: each job gets one of its own, and nobody's lock outlives its process."""

import multiprocessing.pool
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from sidestep import device, fingerprint, gpu_slots

GPUS = ["GPU-a", "GPU-b", "GPU-c"]
HOLD = """
import sys, time
from pathlib import Path
from sidestep.gpu_slots import try_claim
slot = try_claim(sys.argv[2:], Path(sys.argv[1]))
print(slot.index, flush=True)
time.sleep(600)
"""


def hold(folder, gpus=GPUS):
    """Another process that holds a GPU until it is ended, and the index that it got."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), *gpus], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    index = int(process.stdout.readline())
    process.stdout.close()
    return process, index


def end(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_every_claim_is_another_gpu_until_none_is_left(tmp_path):
    slots = [gpu_slots.try_claim(GPUS, tmp_path) for _ in GPUS]
    assert [slot.index for slot in slots if slot] == [0, 1, 2]
    assert gpu_slots.try_claim(GPUS, tmp_path) is None
    slots[1].free()
    again = gpu_slots.try_claim(GPUS, tmp_path)
    assert again is not None and again.index == 1
    for slot in (slots[0], slots[2], again):
        slot.free()


def test_only_gpus_that_are_listed_are_given_out(tmp_path):
    slots = [gpu_slots.try_claim(["GPU-c"], tmp_path) for _ in range(2)]
    assert slots[0] is not None and slots[1] is None
    # By whatever number another job sees it, it is taken.
    other = gpu_slots.try_claim(["GPU-c", "GPU-a"], tmp_path)
    assert other is not None and other.index == 1
    slots[0].free()
    other.free()


def test_a_killed_process_leaves_its_gpu_to_the_next(tmp_path):
    process, index = hold(tmp_path, ["GPU-a"])
    try:
        assert index == 0
        assert gpu_slots.try_claim(["GPU-a"], tmp_path) is None
    finally:
        end(process)
    slot = gpu_slots.claim(["GPU-a"], tmp_path, look_again=0.01)
    assert slot.index == 0
    slot.free()


def test_a_claim_waits_for_the_first_that_is_free(tmp_path):
    held = [hold(tmp_path, ["GPU-a", "GPU-b"])[0] for _ in range(2)]
    try:
        with multiprocessing.pool.ThreadPool(1) as pool:
            waiting = pool.apply_async(gpu_slots.claim, (["GPU-a", "GPU-b"], tmp_path, 0.01))
            with pytest.raises(multiprocessing.TimeoutError):
                waiting.get(0.3)
            end(held[1])
            slot = waiting.get(10)
        assert slot.index == 1
        slot.free()
    finally:
        for process in held:
            end(process)


def test_locks_are_the_users_own_and_on_the_machine_itself(monkeypatch, tmp_path):
    monkeypatch.setattr(gpu_slots.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = gpu_slots.lock_folder()
    assert folder.parent == tmp_path and str(os.getuid()) in folder.name
    slot = gpu_slots.try_claim(GPUS, folder)
    assert slot is not None and folder.stat().st_mode & 0o077 == 0
    slot.free()


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine whose number of GPUs the test says; the GPU that was made current is noted."""

    def make(count):
        noted = []
        monkeypatch.setattr(device, "_SLOT", [])
        monkeypatch.setattr(gpu_slots, "lock_folder", lambda: tmp_path)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        properties = [SimpleNamespace(uuid=gpu) for gpu in GPUS[:count]]
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: properties[index])
        monkeypatch.setattr(torch.cuda, "set_device", noted.append)
        return noted

    yield make
    for slot in device._SLOT:
        slot.free()


@pytest.mark.parametrize("name", ["cuda", "auto"])
def test_a_job_takes_the_gpu_that_no_other_job_has_and_keeps_it(machine, tmp_path, name):
    process, index = hold(tmp_path)
    try:
        assert index == 0
        current = machine(3)
        assert device.resolve(name) == torch.device("cuda")
        assert device.resolve(name) == torch.device("cuda")
        assert current == [1]
    finally:
        end(process)


def test_a_single_gpu_is_shared_and_a_cpu_job_takes_none(machine, tmp_path):
    assert machine(1) == device._SLOT == []
    assert device.resolve("cuda") == torch.device("cuda")
    current = machine(3)
    assert device.resolve("cpu") == torch.device("cpu")
    assert current == device._SLOT == []
    assert list(tmp_path.iterdir()) == []


def test_how_gpus_are_shared_cannot_make_a_result_stale():
    assert "sidestep.gpu_slots" not in fingerprint.closure(frozenset({"sidestep.device"}))

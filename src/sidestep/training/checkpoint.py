"""Checkpoints: everything a killed job needs to end with the bytes of one that was never killed.

A checkpoint is a safetensors file (no pickle, so a hostile one can only be refused) whose header
carries the run's config, the code's fingerprint, the history, a digest of the tensors and one of all that.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from sidestep import surgery
from sidestep.files import canonical_json, write_with
from sidestep.training.optimiser import Optimiser
from sidestep.training.state import HistoryRow, ProbeRow, Progress


class RefusedError(Exception):
    """A checkpoint that cannot be gone on from; the text says why."""


def save(
    path: Path,
    identity: Mapping[str, Any],
    progress: Progress,
    network: nn.Module,
    signals: Sequence[nn.Module],
    optimiser: Optimiser,
) -> None:
    """Write a checkpoint atomically.

    Args:
        path: the file.
        identity: what the run is: its config, fingerprint and data digest.
        progress: how far it is.
        network: its weights and buffers are kept.
        signals: likewise.
        optimiser: its state is kept.
    """
    tensors = {"generator": torch.get_rng_state()}
    tensors |= {f"network/{name}": value for name, value in network.state_dict().items()}
    for index, signal in enumerate(signals):
        tensors |= {f"signal/{index}/{n}": value for n, value in signal.state_dict().items()}
    tensors |= {f"optimiser/{name}": value for name, value in optimiser.tensors().items()}
    for epoch, record in progress.records.items():
        tensors |= {f"record/{epoch}/{name}": value for name, value in record.items()}
    if torch.cuda.is_available():
        tensors["generator_cuda"] = torch.cuda.get_rng_state()
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    head = {
        "identity": canonical_json(identity),
        "step": progress.step,
        "seconds": progress.seconds,
        "rows": [dataclasses.asdict(row) for row in progress.rows],
        "readings": [dataclasses.asdict(row) for row in progress.readings],
        "costs": progress.costs,
        "tensors": _digest(tensors),
    }
    text = json.dumps(head)
    metadata = {"head": text, "digest": _of_text(text)}
    write_with(path, lambda temporary: save_file(tensors, temporary, metadata))


def restore(
    path: Path,
    identity: Mapping[str, Any],
    network: nn.Sequential,
    signals: Sequence[nn.Module],
    optimiser: Optimiser,
) -> Progress:
    """Put a checkpoint's state into the network, signals, optimiser and generators.

    Raises:
        RefusedError: the file is damaged, or belongs to another run, other code or other data; nothing
            has been changed then.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            text, digest = metadata["head"], metadata["digest"]
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise RefusedError(f"is damaged ({error})") from error
    if digest != _of_text(text):
        raise RefusedError("is damaged (its header does not have the digest that it names)")
    head = json.loads(text)
    if head.get("identity") != canonical_json(identity):
        raise RefusedError("was written by another config, other code or other data")
    if head.get("tensors") != _digest(tensors):
        raise RefusedError("is damaged (its tensors do not have the digest that its header names)")

    def part(prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

    surgery.restore(network, part("network/"))
    for index, signal in enumerate(signals):
        signal.load_state_dict(part(f"signal/{index}/"))
    optimiser.restore(part("optimiser/"))
    torch.set_rng_state(tensors["generator"])
    if torch.cuda.is_available() and "generator_cuda" in tensors:
        torch.cuda.set_rng_state(tensors["generator_cuda"])
    records: dict[int, dict[str, Tensor]] = {}
    for key, value in part("record/").items():
        epoch, _, name = key.partition("/")
        records.setdefault(int(epoch), {})[name] = value
    rows = [HistoryRow(**row) for row in head["rows"]]
    readings = [ProbeRow(**row) for row in head["readings"]]
    return Progress(head["step"], head["seconds"], rows, readings, records, head["costs"])


def _of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, shapes, types and bytes, in order of names."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name]
        total.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
        total.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()

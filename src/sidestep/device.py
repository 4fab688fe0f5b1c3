"""Where tensors live, and how a job is made repeatable there."""

import torch

from sidestep import gpu_slots
from sidestep.errors import UserError

# The GPU that this process has for itself, once it asked for one.
_SLOT: list[gpu_slots.Slot] = []


def resolve(name: str) -> torch.device:
    """The device of a config's `device` key.

    Where this process sees several NVIDIA GPUs, it gets one that no other job has, and waits for it
    if it must; with `CUDA_VISIBLE_DEVICES` it sees those that are listed.

    Args:
        name: `auto` (a GPU if there is one), `cpu`, `cuda` or `mps`.

    Raises:
        UserError: the device is absent.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((device for device, there in present.items() if there), "cpu")
    if not present.get(name, name == "cpu"):
        raise UserError(
            f"run.device is '{name}' but this machine has no such device; allowed here: "
            + ", ".join(["auto", "cpu", *(device for device, there in present.items() if there)])
        )
    if name == "cuda":
        _take_one_gpu()
    return torch.device(name)


def _take_one_gpu() -> None:
    """Make one GPU the current one, that of all tensors on `cuda`; a single GPU is shared as before."""
    count = torch.cuda.device_count()
    if count < 2 or _SLOT:
        return
    names = [str(torch.cuda.get_device_properties(index).uuid) for index in range(count)]
    _SLOT.append(gpu_slots.claim(names, gpu_slots.lock_folder()))
    torch.cuda.set_device(_SLOT[0].index)


def make_repeatable(threads: int, precision: str = "float32") -> None:
    """Fix what could change the bits of a result: threads, the choice of kernels, their precision.

    Args:
        threads: of torch.
        precision: `tf32` lets an NVIDIA GPU round the factors of products to 10 bits of mantissa,
            which torch would otherwise allow for convolutions but not for matrix products.
    """
    torch.set_num_threads(threads)
    # Moments of neurons that were switched off decay to numbers too small for the normal format, with
    # which CPUs compute several times slower; they are taken for 0.
    torch.set_flush_denormal(True)
    # What `torch.use_deterministic_algorithms` does, without its import of the compiler (1.5 s).
    torch._C._set_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def synchronise(device: torch.device) -> None:
    """Wait until the device has done all work that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()

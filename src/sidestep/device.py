"""Where tensors live, and how a job is made repeatable there."""

import torch

from sidestep.errors import UserError


def resolve(name: str) -> torch.device:
    """The device of a config's `device` key.

    Args:
        name: `auto` (a GPU if there is one), `cpu`, `cuda` or `mps`.

    Raises:
        UserError: the device is absent.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next((device for device, there in present.items() if there), "cpu"))
    if not present.get(name, name == "cpu"):
        raise UserError(
            f"run.device is '{name}' but this machine has no such device; allowed here: "
            + ", ".join(["auto", "cpu", *(device for device, there in present.items() if there)])
        )
    return torch.device(name)


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

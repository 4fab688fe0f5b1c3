"""A program: download the files of a torchvision dataset into a folder, still packed.

    python torchvision_files.py MNIST folder

It runs in a process of its own, so that a time limit can end it and torchvision is imported
nowhere else. Only torchvision's addresses, MD5 digests and downloader are used: it would unpack and
unpickle with fewer checks than ours.
"""

import socket
import sys
from typing import Any

SECONDS_SILENCE = 10.0


def import_torchvision() -> Any:
    """The module `torchvision.datasets`, also beside a torch that torchvision was not built for."""
    try:
        from torchvision import datasets
    except RuntimeError as error:
        # Wheels built against CUDA torch register no operators beside a CPU-only torch, and the
        # import stops at the first that is missing. Downloads need none of them.
        if "torchvision::nms" not in str(error):
            raise
        import torch

        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            schema = f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            library.define(schema)
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        from torchvision import datasets
    return datasets


def download(name: str, folder: str) -> None:
    """Bring the files of the class `name` into `folder`; any error means: not to be had."""
    datasets = import_torchvision()
    known = getattr(datasets, name)
    if hasattr(known, "resources"):
        for file, md5 in known.resources:
            _first_mirror(datasets.utils.download_url, known.mirrors, folder, file, md5)
    else:
        datasets.utils.download_url(known.url, folder, known.filename, known.tgz_md5)


def _first_mirror(download_url: Any, mirrors: list[str], folder: str, file: str, md5: str) -> None:
    for position, mirror in enumerate(mirrors, start=1):
        try:
            download_url(f"{mirror}{file}", folder, file, md5)
            return
        # Whatever is wrong with one mirror, an answer that is no HTTP among it, the next may do.
        except Exception:
            if position == len(mirrors):
                raise
    raise RuntimeError(f"no address is known for {file}")


if __name__ == "__main__":
    socket.setdefaulttimeout(SECONDS_SILENCE)
    try:
        download(*sys.argv[1:])
    except Exception as error:
        sys.exit(f"error: {' '.join(str(error).split()) or type(error).__name__}")

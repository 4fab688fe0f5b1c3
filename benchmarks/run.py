"""All benchmarks: ratios within this one run, medians of several repeats, the machine named.

python benchmarks/run.py [training] [blockwise] [measuring] [mixtures] [startup] [decoupled] [layers]
[resizing] [evolution] [scaling]
"""

import importlib
import os
import sys
from pathlib import Path

for library in ("OPENBLAS", "MKL", "OMP"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import torch  # noqa: E402

from sidestep.hardware import processor  # noqa: E402

ALL = (
    "training",
    "blockwise",
    "measuring",
    "mixtures",
    "startup",
    "decoupled",
    "layers",
    "resizing",
    "evolution",
    "scaling",
)


def main(chosen: list[str]) -> int:
    """Run the chosen benchmarks and print a line each; 1 if one misses its bound."""
    sys.path.insert(0, str(Path(__file__).parent))
    print(f"{processor()}, {os.cpu_count()} cores, torch {torch.__version__}", flush=True)
    missed = 0
    for name in chosen or ALL:
        for result in importlib.import_module(name).run():
            print(result.line(), flush=True)
            missed += not result.fine
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""`python -m sidestep`."""

import gc

from sidestep.cli import main

if __name__ == "__main__":
    try:
        main()
    finally:
        # Before it exits Python would look through all objects once more for what can be freed: with torch's that is
        # a third of a second of every job, for memory that the system takes back anyway.
        gc.freeze()

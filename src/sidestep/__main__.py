"""`python -m sidestep`."""

from sidestep.cli import main

if __name__ == "__main__":
    main()

"""Results of studies that are dear to make, made once for all files that look at them."""

import made_sizes_study as made
import pytest

from sidestep.paper import resizing


@pytest.fixture(scope="session")
def usual_sizes(tmp_path_factory):
    """The small size of the resizing study: three methods from two starts each, one matched layer."""
    return made.made_results(tmp_path_factory.mktemp("usual"), made.made_study())


@pytest.fixture(scope="session")
def told_sizes(usual_sizes):
    return resizing.numbers(usual_sizes)


@pytest.fixture(scope="session")
def all_sizes(tmp_path_factory):
    """The resizing study with its sweeps: every method, one run diverged."""
    root = tmp_path_factory.mktemp("every")
    lost = [("mnist", "worth-low", 1)]
    return made.made_results(root, made.made_study(made.ALL), diverged=lost)


@pytest.fixture(scope="session")
def told_all_sizes(all_sizes):
    return resizing.numbers(all_sizes)

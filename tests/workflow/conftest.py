"""The tiny paper, built once."""

import shutil

import pytest
from project import Project, copy_project


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The finished tiny paper; tests may look at it and must not change it."""
    project = copy_project(tmp_path_factory.mktemp("built"))
    project.run()
    return project


@pytest.fixture
def finished(built, tmp_path):
    """A copy of the finished project, times of files and Snakemake's records included."""
    folder = tmp_path / "project"
    shutil.copytree(built.folder, folder, symlinks=True)
    return Project(folder)


@pytest.fixture
def fresh(tmp_path):
    """The project before anything was run."""
    return copy_project(tmp_path)

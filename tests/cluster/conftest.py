"""A real Slurm for the tests, and a small project that is run on it."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from cluster_project import copy_cluster_project

HERE = Path(__file__).parent


def free_ports(count):
    """The first of so many ports in a row that nothing listens on."""
    for first in range(27817, 29000, count):
        try:
            for port in range(first, first + count):
                with socket.socket() as tried:
                    tried.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")


@pytest.fixture(scope="session")
def slurm():
    """The environment of a process that is to use our Slurm; it is stopped after the tests."""
    # Munge wants every user to reach its socket, by a short path; pytest's folders are private and deep.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    try:
        started = subprocess.run(
            [HERE / "start-slurm", folder],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "SLURM_TEST_PORT": str(free_ports(5))},
        )
        assert started.returncode == 0, started.stderr
        ((conf, programs),) = re.findall(
            r"^export SLURM_CONF=(\S+) PATH=(\S+?):", started.stdout, re.M
        )
        yield {**os.environ, "SLURM_CONF": conf, "PATH": f"{programs}:{os.environ['PATH']}"}
    finally:
        subprocess.run([HERE / "stop-slurm", folder], timeout=60, check=True)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def local(tmp_path_factory):
    """The small project, run to its end on this machine without Slurm."""
    project = copy_cluster_project(tmp_path_factory.mktemp("local"), dict(os.environ))
    project.run(*project.targets, "--cores", "2")
    return project


@pytest.fixture
def project(slurm, tmp_path):
    """The small project before anything was run, to be run on Slurm."""
    fresh = copy_cluster_project(tmp_path, slurm)
    yield fresh
    fresh.close()

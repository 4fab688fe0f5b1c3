"""The paper on a real Slurm: jobs die in every way, Snakemake too, and the tables are those of a local run."""

import csv
import re

import pytest
from cluster_project import SLURM, ClusterProject, wait_until

pytestmark = pytest.mark.cluster
# What a table says of the machine instead of the networks.
OF_THE_MACHINE = ("seconds", "memory", "time")


def rows(project, name):
    """A table without the rows that measure time or memory."""
    with (project.folder / f"results/tables/{name}.csv").open() as file:
        return [
            row
            for row in csv.DictReader(file)
            if not any(word in row.get("metric", "") for word in OF_THE_MACHINE)
        ]


def training(project: ClusterProject):
    """Number → facts of the jobs that train now and have a checkpoint to go on from."""
    return {
        number: facts
        for number, facts in project.jobs().items()
        if facts["state"] == "RUNNING" and "train" in comment(project, number)
    }


def comment(project: ClusterProject, number: str) -> str:
    return project.command("squeue", "-h", "-j", number, "-o", "%k")


def checkpoints(project: ClusterProject):
    return list((project.folder / "results/checkpoints").rglob("seed*.safetensors"))


def training_logs(project: ClusterProject) -> str:
    logs = (project.folder / "results/logs/train_network").rglob("*.log")
    return "\n".join(path.read_text() for path in logs)


def test_what_dies_goes_on_and_the_tables_are_those_of_a_local_run(project, local):
    first = project.start(*SLURM, *project.targets)
    wait_until("six runs have checkpoints", lambda: len(checkpoints(project)) == 6)
    jobs = training(project)
    assert len(jobs) == 3 and len({facts["node"] for facts in jobs.values()}) == 3, jobs
    assert all(int(f["cpus"]) == 2 and f["limit"] == "30:00" for f in jobs.values()), jobs
    shown = project.status()
    assert "0/6 runs" in shown and "6 running" in shown
    assert re.search(r"running  digits/width-4/seed0: epoch \d", shown)

    # A node dies: Slurm itself puts its job back into the queue. Another job is cancelled: Snakemake
    # sends it again, with twice the time and memory.
    (on_node, node), (cancelled, before) = ((n, jobs[n]) for n in sorted(jobs)[:2])
    project.command("scontrol", "update", f"NodeName={node['node']}", "State=DOWN", "Reason=test")
    project.command("scancel", cancelled)
    wait_until("the job is back", lambda: project.jobs()[on_node]["state"] != "RUNNING", 30)
    project.command("scontrol", "update", f"NodeName={node['node']}", "State=RESUME")
    wait_until("sent again", lambda: project.jobs().keys() - jobs.keys())
    (again,) = (project.jobs()[n] for n in project.jobs().keys() - jobs.keys())
    assert again["limit"] == "1:00:00" and before["limit"] == "30:00", again
    assert int(again["memory"][:-1]) == 2 * int(before["memory"][:-1])

    # Snakemake is killed: what it sent lives on, until it is cancelled.
    project.kill(first)
    assert any(facts["state"] == "RUNNING" for facts in project.jobs().values())
    assert "cancelling" in project.command("profiles/slurm/cancel")
    left = {facts["state"] for facts in project.jobs().values()}
    assert left.isdisjoint({"RUNNING", "PENDING", "COMPLETING"}), left
    assert "running" not in project.status()

    project.run(*SLURM, "--unlock")
    project.run(*SLURM, *project.targets)
    assert training_logs(project).count("resumed after step") >= 1
    assert "6/6 runs" in project.status()
    for name in ("width", "width_summary", "width_trends"):
        here, there = rows(local, name), rows(project, name)
        assert here and here == there, name
    for path in (local.folder / "results/runs").rglob("model.safetensors"):
        other = project.folder / path.relative_to(local.folder)
        assert path.read_bytes() == other.read_bytes(), path

"""The paper on a real Slurm: jobs die in every way, Snakemake too, and the tables are those of a local run."""

import csv
import re

import pytest
from cluster_project import GENERIC, SLURM

pytestmark = pytest.mark.cluster
FIRST = "results/runs/width/digits/width-4/seed0"
TABLES = ("width", "width_summary")
# What a table says of the machine instead of the networks.
OF_THE_MACHINE = ("seconds", "memory")


def rows(project, name):
    """A table without the rows that measure time or memory."""
    with (project.folder / f"results/tables/{name}.csv").open() as file:
        return [
            row
            for row in csv.DictReader(file)
            if not any(word in row.get("metric", "") for word in OF_THE_MACHINE)
        ]


def assert_same_results(project, local):
    """Equal tables, time and memory aside, and networks of equal bytes."""
    for name in TABLES:
        here, there = rows(local, name), rows(project, name)
        assert here and here == there, name
    models = list((local.folder / "results/runs").rglob("model.safetensors"))
    assert len(models) == 6
    for path in models:
        other = project.folder / path.relative_to(local.folder)
        assert path.read_bytes() == other.read_bytes(), path


def checkpoints(project):
    return list((project.folder / "results/checkpoints").rglob("seed*.safetensors"))


def training(project):
    """Number → facts of the Slurm jobs that train now."""
    jobs = project.jobs().items()
    return {n: job for n, job in jobs if job["state"] == "RUNNING" and "train_net" in job["what"]}


def resumed(project):
    logs = (project.folder / "results/logs/train_network").rglob("*.log")
    return sum("resumed after step" in path.read_text() for path in logs)


def test_what_dies_goes_on_and_the_tables_are_those_of_a_local_run(project, local):
    first = project.start(*project.targets, *SLURM)
    project.wait_until("three runs have checkpoints", lambda: len(checkpoints(project)) == 3)
    jobs = training(project)
    # Two runs share each, one after the other; a CPU each, on whichever nodes are free.
    assert len(jobs) == 3, project.jobs()
    assert all((job["cpus"], job["limit"]) == ("1", "30:00") for job in jobs.values()), jobs
    shown = project.status()
    assert "0/6 runs" in shown and "3 running" in shown
    assert re.search(r"running  digits/width-\d+/seed\d: epoch \d+", shown)

    # A job is cancelled: Snakemake sends it again, with twice the time and memory.
    (on_node, node), (cancelled, before) = sorted(jobs.items())[:2]
    project.command("scancel", cancelled)
    # A node dies under another: Slurm itself puts it back into the queue.
    dead = ("scontrol", "update", f"NodeName={node['node']}")
    project.command(*dead, "State=DOWN", "Reason=test")
    project.wait_until(
        "put back into the queue", lambda: project.jobs()[on_node]["state"] != "RUNNING"
    )
    project.wait_until("sent again", lambda: training(project).keys() - jobs.keys())
    (again,) = (job for number, job in training(project).items() if number not in jobs)
    assert again["limit"] == "1:00:00", again
    assert int(again["memory"].removesuffix("M")) == 2 * int(before["memory"].removesuffix("M"))
    project.wait_until("both went on from their checkpoints", lambda: resumed(project) >= 2)

    # Snakemake is killed: what it sent lives on, until it is cancelled.
    project.kill(first)
    assert any(job["state"] == "RUNNING" for job in project.jobs().values())
    assert "cancelling" in project.command("profiles/slurm/cancel")
    left = {job["state"] for job in project.jobs().values()}
    assert left.isdisjoint({"RUNNING", "PENDING", "COMPLETING"}), left
    assert " running" not in project.status()

    project.run("--unlock", *SLURM)
    project.run(*project.targets, *SLURM)
    shown = project.status()
    assert "6/6 runs" in shown and "6 finished" in shown
    assert_same_results(project, local)


def test_a_gpu_is_asked_for_and_a_failure_names_its_logs(project):
    said = project.run(
        f"{FIRST}/summary.json",
        *SLURM,
        *("--retries", "0", "--slurm-partition-config", "partitions.yaml"),
        *("--slurm-init-seconds-before-status-checks", "10"),
        config=("cluster.yaml", "batches.yaml", "gpu.yaml"),
        fails=True,
    )
    ((number, job),) = project.jobs().items()
    assert (job["partition"], job["state"]) == ("gpu", "FAILED")
    assert "gpu:1" in project.command("scontrol", "show", "job", number)
    # Batches of seeds share a job of Slurm's with others.
    assert "train_train_seeds_0_1_2" in job["what"], job
    # The rule's own log and that of Slurm, by name, and what the first says.
    assert "results/logs/train_network/width/digits/width-4/train_seeds_0_1_2.log" in said
    assert re.search(rf"results/logs/slurm/\S+/{number}\.log", said)
    assert "run.device is 'cuda' but this machine has no such device" in said
    assert "1 failed" in project.status()


def test_another_scheduler_is_served_by_its_own_commands(project, local):
    """Here a job trains all seeds of a width, and the local run one seed a job."""
    project.run(*project.targets, *GENERIC, config=("cluster.yaml", "batches.yaml"))
    jobs = project.jobs()
    assert {job["state"] for job in jobs.values()} == {"COMPLETED"}
    assert {job["name"] for job in jobs.values()} == {"sidestep"}
    # One job of both widths' training, one of measures, one of timing, one of tables and figures.
    assert len(jobs) == 4, jobs
    assert_same_results(project, local)


# A shell that dies of the signal to stop, and a child of it that does not.
STUBBORN = """#!/bin/bash
python3 -c 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)'
"""


def test_a_cancelled_job_leaves_no_process_behind(project):
    (project.folder / "stubborn").write_text(STUBBORN)
    words = ("--parsable", "--job-name", "sidestep", "--output", "/dev/null")
    number = project.command("sbatch", *words, "stubborn").strip()
    project.wait_for("it runs", lambda: len(project.processes()) == 2)
    assert f"cancelling {number}" in project.command("profiles/slurm/cancel")
    assert project.processes() == []


def test_slurm_is_asked_whether_it_would_take_what_the_head_of_the_profile_says(project):
    def answer(*words):
        asked = project.command("sh", "-c", 'profiles/slurm/try "$@" 2>&1 || true', "sh", *words)
        assert project.jobs() == {}
        return asked

    head = project.folder / "profiles/slurm/config.yaml"
    text = head.read_text()
    assert "in partition cpu" in answer()
    assert "in partition gpu" in answer("--partition", "gpu", "--gres", "gpu:1")
    assert "Requested node configuration is not available" in answer("--mem", "640000")
    head.write_text(text.replace("# slurm_partition: my_partition", 'slurm_partition: "nowhere"'))
    assert "invalid partition specified: nowhere" in answer()
    head.write_text(re.sub("^cores: 4", "cores: 64", text, flags=re.MULTILINE))
    assert "More processors requested than permitted" in answer()

"""Profiles: what Snakemake is told on one machine and on clusters fits the rules that there are."""

import io
import re

import pytest
import yaml
import yte
from project import ROOT

CLUSTERS = ("slurm", "generic")
# The rules without a fixed name: one for each batch of seeds.
BATCHES = "batches of seeds"


def profile(name):
    text = (ROOT / f"profiles/{name}/config.yaml").read_text()
    return yte.process_yaml(io.StringIO(text), require_use_yte=True)


def rules():
    """Every rule's text by its name, but for those that only collect files."""
    found = {}
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for part in re.split(r"^(?= *rule\b.*:$)", path.read_text(), flags=re.MULTILINE):
            if name := re.match(r" *rule ?(\w*):", part):
                found[name[1] or BATCHES] = part
    return found


def local_rules():
    block = (ROOT / "Snakefile").read_text().split("localrules:\n")[1].split("\n\n")[0]
    return {name.strip(" ,") for name in block.splitlines()}


def sent():
    return {name: text for name, text in rules().items() if name not in local_rules()}


def test_every_job_that_is_sent_asks_for_memory_and_for_time_that_grow():
    assert {"train_network", BATCHES, "measure_variant", "plot_figure"} <= sent().keys()
    for name, text in sent().items():
        assert re.search(r"mem_mb=doubling\(\d+\)", text), name
        assert re.search(
            r"runtime=doubling\(\d+( \* len\(BATCH\.datasets\) \* len\(BATCH\.seeds\))?\)", text
        ), name


def test_what_needs_the_internet_stays_on_the_machine_where_snakemake_runs():
    assert "fetch_data" in local_rules()


def group(rule):
    found = re.search(r'^ +group:\n +shared\("(\w+)"\)$', rules()[rule], re.MULTILINE)
    return found and found[1]


def test_every_job_that_is_sent_shares_a_job_of_the_scheduler():
    assert all(group(name) for name in sent())
    assert not any(group(name) for name in local_rules() & rules().keys())
    # A batch of seeds goes where single ones go.
    assert group(BATCHES) == group("train_network")


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_cluster_says_how_many_share_a_job(name):
    groups = {group(rule) for rule in sent()}
    # Tables and figures of a study hang together anyway.
    assert profile(name)["group-components"].keys() == groups - {"draw"}


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_cluster_sends_again_what_failed_and_leaves_threads_to_the_rules(name):
    settings = profile(name)
    assert settings["retries"] >= 1 and settings["cores"] >= 1
    # It would win over every rule's threads.
    assert "cpus_per_task" not in settings["default-resources"]
    # Rules with retries of their own would be tried again inside a job of the scheduler.
    assert not any(re.search(r"^    retries:", text, re.MULTILINE) for text in rules().values())


@pytest.mark.parametrize(("visible", "gpus"), [("0", 1), ("2,3", 2), ("0,1,2,3", 4)])
def test_one_machine_starts_no_more_gpu_jobs_than_it_may_use_gpus(monkeypatch, visible, gpus):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert f"gpu={gpus}" in profile("default")["resources"]


def test_without_a_gpu_a_job_that_insists_on_one_still_starts_to_say_so(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "exclusive=1" in profile("default")["resources"]
    (limit,) = (word for word in profile("default")["resources"] if word.startswith("gpu="))
    assert int(limit.removeprefix("gpu=")) >= 1


def test_what_users_must_say_themselves_is_at_the_head_of_the_profile():
    text = (ROOT / "profiles/slurm/config.yaml").read_text()
    head = text.split("# ----\n")[0]
    for word in ("slurm_account", "slurm_partition"):
        assert word in head and text.count(word) == 1
    assert "slurm_account" not in yaml.safe_load(text)["default-resources"]

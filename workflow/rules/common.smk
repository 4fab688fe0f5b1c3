"""What the rules share: the checked config, fingerprints of code, and paths as patterns."""

import contextlib
import functools
import json
import os
import shlex
import sqlite3
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# Jobs run the very code that is planned with, whatever else is installed.
SOURCE = str(Path(workflow.basedir) / "src")
sys.path.insert(0, SOURCE)
shell.prefix(
    f"export PYTHONPATH={shlex.quote(SOURCE)}${{{{PYTHONPATH:+:$PYTHONPATH}}}}; "
)

from sidestep import config as sidestep_config
from sidestep import config_files
from sidestep import (
    captions,
    entries,
    fingerprint,
    layout,
    planned,
    runs,
    seals,
    settings,
)
from sidestep.errors import UserError
from sidestep.files import canonical_json, read_json
from sidestep.study import ANY

RUN = "{study}/{dataset}/{variant}/seed{seed}"
CELL = "{study}/{dataset}/{variant}"

# Where several jobs share one of Slurm's, they take turns in it (profiles/slurm); nothing else has this resource. It is
# said here since inside of that job, where Snakemake asks Slurm for a part of it, there is no profile.
workflow.register_resource("turn", 1)


def checked_config():
    """The resolved config; every fault of it is told in one message, before any job runs."""
    try:
        # The file that is laid over the others comes first in Snakemake's list.
        files = [config_files.read_file(Path(path)) for path in workflow.configfiles]
        like = functools.reduce(config_files.merge, reversed(files), {})
        where = ", ".join(str(path) for path in workflow.configfiles)
        return sidestep_config.resolve(config_files.ordered(config, like), where)
    except UserError as error:
        raise WorkflowError(str(error))


@functools.cache
def code_file(modules):
    """What a fingerprint is made of, as an input: it says which module changed."""
    return str(planned.write("code", fingerprint.text(modules)))


def doubling(amount):
    """A resource of a job (memory in MB, time in minutes) that doubles with every attempt."""
    return lambda wildcards, attempt: amount * 2 ** (attempt - 1)


def gpus(*runs):
    """How many GPUs a job with these runs asks for: those that may do without one do."""
    return int(any(run["device"] == "cuda" for run in runs))


def published_file(analysis):
    """The published figures that an analysis reads: a table of its name, if there is one."""
    path = Path("paper") / f"{analysis}.csv"
    return [str(path)] if path.exists() else []


def study_of(wildcards):
    return CONFIG.every_study[wildcards.study]


def variant_of(wildcards):
    return study_of(wildcards).variant(wildcards.variant)


def asked_of(wildcards, datasets, seeds):
    """The inputs of a training job besides its data: its config and its code, and the teachers of its runs."""
    study, variant = wildcards.study, wildcards.variant
    files = run_files(study, datasets[0], variant)
    teacher = variant_of(wildcards).run["teacher"]
    if not teacher:
        return files
    folders = [
        layout.run(study, dataset, teacher, seed)
        for dataset in datasets
        for seed in seeds
    ]
    return {**files, "teachers": [str(folder / "summary.json") for folder in folders]}


@functools.cache
def run_files(study, dataset, variant):
    """What planning writes for the training jobs of a variant on a data set; which seeds they train is theirs to say."""
    run = CONFIG.every_study[study].run(dataset, variant, 0)
    return {
        "run": str(planned.write("run", canonical_json(run))),
        "code": code_file(job_entries(study, dataset, variant)),
    }


@functools.cache
def task_files(study, dataset, variant):
    """What planning writes for a measuring job."""
    task = CONFIG.every_study[study].measure_task(dataset, variant)
    return {
        "task": str(planned.write("task", canonical_json(task))),
        "code": code_file(entries.measure(task)),
    }


@functools.cache
def train_entries(study, dataset, variant):
    """The entries of a variant's runs on a data set, which no seed changes."""
    found = CONFIG.every_study[study]
    return entries.train(found.run(dataset, variant, found.seeds[0]))


@functools.cache
def job_entries(study, dataset, variant):
    """The entries of the training job that makes a variant's runs on a data set, perhaps on others too."""
    together = CONFIG.every_study[study].together(dataset)
    return frozenset().union(
        *(train_entries(study, other, variant) for other in together)
    )


def batch_name(batch):
    """What the rule that trains a batch is called, such as `train_seeds_0_1_2`."""
    words = ["train", *(name for name in batch.datasets if name != ANY)]
    first, last = batch.seeds[0], batch.seeds[-1]
    words.append("seeds" if len(batch.seeds) > 1 else "seed")
    if len(batch.seeds) > 5 and list(batch.seeds) == list(range(first, last + 1)):
        words += [first, "to", last]
    else:
        words += batch.seeds
    return "_".join(map(str, words))


def shared(group):
    """The group of a rule, whose jobs share one of the scheduler's; none on one machine, where each would be shown as
    a group of its own."""
    return group if workflow.nodes else None


def batch_words(batch):
    """The seeds of a batch as a job's message names them."""
    return f"seed{'s' * (len(batch.seeds) > 1)} {', '.join(map(str, batch.seeds))}"


def measures_of(study):
    """The summaries of what is measured on a study's variants, if anything is."""
    return [
        str(layout.measures(study.name, dataset, variant.name) / "summary.json")
        for dataset in study.datasets
        for variant in study.variants
        if study.measured
    ]


@functools.cache
def runs_of(name):
    """The summaries of a study's runs."""
    study = CONFIG.every_study[name]
    return [
        f"results/runs/{name}/{dataset}/{variant.name}/seed{seed}/summary.json"
        for dataset in study.datasets
        for variant in study.variants
        for seed in study.seeds
    ]


def timings_of(study):
    """The timings of a study's steps."""
    return [str(layout.timing(study.name, name)) for name in study.timing_datasets]


def digests_of(study):
    """The files of digests of a study's data sets."""
    return [
        str(layout.data(name).with_suffix(".digest.json")) for name in study.datasets
    ]


def read_by_analysis(wildcards):
    """What an analysis reads of its study; one that reads no table need not wait for it."""
    study, kinds = study_of(wildcards), settings.reads(wildcards.analysis)
    found = [str(layout.table(study.name, ""))] if "table" in kinds else []
    if "runs" in kinds:
        found += runs_of(study.name)
    if "data" in kinds:
        found += digests_of(study)
        found += [ancient(str(layout.data(name))) for name in study.datasets]
    return found


def all_tables():
    """Every table, with the file of its digest."""
    return [
        str(path)
        for study in CONFIG.studies.values()
        for name in ("", *(thing["name"] for thing in study.analyses))
        for table in (layout.table(study.name, name),)
        for path in (table, seals.beside(table))
    ]


def timing_entries(wildcards):
    return entries.timing(study_of(wildcards).timed_runs(wildcards.dataset).values())


def planned_study(study):
    """The resolved study as a file: too long for a command line once it has thousands of runs."""
    return planned_study_of(study.name)


@functools.cache
def planned_study_of(name):
    study = CONFIG.every_study[name]
    return str(planned.write("study", json.dumps(study.to_json(), sort_keys=True)))


def study_file(wildcards):
    return planned_study(study_of(wildcards))


@functools.cache
def planned_config():
    """The merged config as it was given, which the report's own Snakemake reads."""
    return str(planned.write("config", json.dumps(config, sort_keys=True)))


def numbers_entries(config):
    figures = [
        thing["name"] for study in config.studies.values() for thing in study.figures
    ]
    return entries.numbers(config.studies, figures)


def all_figures(*suffixes):
    return [
        str(layout.figure(study.name, thing["name"], suffix))
        for study in CONFIG.studies.values()
        for thing in study.figures
        for suffix in suffixes or ("svg",)
    ]


def prepare_plan(config):
    """Write every planned file before Snakemake looks at what files there are."""
    try:
        write_plan(config)
    except OSError as error:
        # A full disk, a folder that may not be written: told in a sentence, as jobs do.
        where = f" ({error.filename})" if error.filename else ""
        raise WorkflowError(
            f"the plan cannot be written: {error.strerror or error}{where}"
        )


def write_plan(config):
    """Every file of the plan, on the machine that plans."""
    fingerprint.REMEMBERED.load(layout.sources())
    if not workflow.is_main_process:
        # A job on another machine finds the plan written, and must not make anything stale.
        return
    for study in config.every_study.values():
        planned_study(study)
        for dataset in study.datasets:
            code_file(entries.timing(study.timed_runs(dataset).values()))
            for variant in study.variants:
                if dataset == study.together(dataset)[0]:
                    run_files(study.name, dataset, variant.name)
                if study.measured:
                    task_files(study.name, dataset, variant.name)
        for thing in study.analyses:
            code_file(entries.analyse(study, thing["name"]))
        for thing in study.figures:
            code_file(entries.plot(thing["name"]))
    code_file(entries.tabulate())
    code_file(numbers_entries(config))
    planned_config()
    fingerprint.REMEMBERED.save(layout.sources())
    if not recorded():
        mark_stale_runs(config)


def recorded():
    """Whether Snakemake has records of what made the results, in files or in its own database."""
    if workflow.workflow_settings.persistence_backend.name == "FILE":
        return any(Path(".snakemake/metadata").glob("*"))
    # Of a database elsewhere nothing is known: runs are looked at, which is slower and not wrong.
    path = Path(".snakemake/metadata.db")
    if workflow.workflow_settings.persistence_backend_db_url or not path.exists():
        return False
    with contextlib.closing(sqlite3.connect(path)) as database:
        try:
            return bool(
                database.execute("SELECT 1 FROM snakemake_metadata LIMIT 1").fetchall()
            )
        except sqlite3.Error:
            return False


def mark_stale_runs(config):
    """Without Snakemake's records, only files' times tell what is stale: make them tell the truth.

    A run that other code or another config made is older than no input of it, if those were there before. The file of
    its config is touched then, so that the variant's runs are made anew.
    """
    for study in config.every_study.values():
        if not layout.runs(study.name).exists():
            continue
        for run in study.runs():
            place = [run[key] for key in ("study", "dataset", "variant", "seed")]
            folder = layout.run(*place)
            try:
                summary = read_json(folder / "summary.json")
                made_by = summary["fingerprint"]
                made_from = (folder / "config.json").read_text().strip()
            except (OSError, ValueError, KeyError, TypeError):
                continue
            modules = train_entries(*place[:3])
            teacher = run["teacher"]
            if (
                made_by != fingerprint.of(modules)
                or made_from != canonical_json(run)
                or (
                    teacher
                    and summary.get("teacher") != runs.teacher_today(folder, teacher)
                )
            ):
                first = study.together(run["dataset"])[0]
                os.utime(run_files(study.name, first, run["variant"])["run"])

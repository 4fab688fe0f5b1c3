"""Every file of a finished paper damaged: the stages that read it name it and refuse, or none reads it."""

import fnmatch
import json
import os
import random
import re
import shlex
import shutil
import sys
import time
from pathlib import Path

import pytest

from faults import FULL, SEED, held, sample
from paper import changed
from sidestep import cli, entries, fingerprint, layout, planned
from sidestep.config import load
from sidestep.files import canonical_json

REMEMBERED = "plan/sources.json"
# What no stage reads, or can do without, and why that is right.
EXEMPT = {
    "paper.pdf": "the end of the pipeline",
    "data/*.source.json": "a note for people: where the arrays came from; their digests are checked",
    "status/*": "what a job says of itself; only `status` shows it",
    "logs/*": "for people; Snakemake shows a failed job's",
    "plan/config-*.json": "planning, which writes a damaged one anew, is what gives it to the report",
    REMEMBERED: "planning and jobs drop it if it is damaged, and find out anew",
}
DAMAGES = ("truncated", "flipped", "emptied", "deleted", "replaced")
# Files that are open for reading while this is a set.
OPENED: set[str] | None = None


def _watch(event, arguments):
    if event == "open" and OPENED is not None and isinstance(arguments[0], str):
        mode = arguments[1]
        if mode is None or not set(mode) & set("wxa"):
            OPENED.add(arguments[0])


sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def _signals(monkeypatch):
    """Commands are called in this process; its signals stay ours."""
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)


@pytest.fixture(scope="module")
def whole(undisturbed, tmp_path_factory):
    """A copy whose files are damaged and mended."""
    folder = tmp_path_factory.mktemp("whole") / "paper"
    shutil.copytree(undisturbed.folder, folder, symlinks=True)
    return folder


@pytest.fixture(scope="module")
def readers(whole, tmp_path_factory):
    """File of the results → commands that read it and cannot do without; none refuses what is whole."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli.signal, "signal", lambda *_: None)
        for words in commands(whole, tmp_path_factory.mktemp("scratch")):
            for name in read_by(words, whole / "results") - {REMEMBERED}:
                found.setdefault(name, []).append(words)
    return found


def read_by(words, results):
    """Files of the results that a command opens to read, and did not write.

    What Typst and safetensors read does not show, so that it has to be checked before, in Python.
    """
    global OPENED
    OPENED, begun = set(), time.time()
    try:
        cli.main(words)
    finally:
        opened, OPENED = OPENED, None
    paths = (Path(path) for path in opened if Path(path).is_relative_to(results))
    return {
        str(path.relative_to(results))
        for path in paths
        if path.is_file() and path.stat().st_mtime < begun
    }


def commands(folder, scratch):
    """What the rules run, every stage of every study; of equal jobs of training, one."""
    config, results = load(folder / "config.yaml"), folder / "results"
    root = ["--root", str(results)]

    def output(name):
        return [*root, "--output", str(scratch / name)]

    studies = {json.loads(p.read_text())["name"]: str(p) for p in results.glob("plan/study-*.json")}

    def code(entries):
        return ["--code", str(planned.write("code", fingerprint.text(entries), results))]

    def told(kind, value):
        return f"@{planned.write(kind, canonical_json(value), results)}"

    for study in config.studies.values():
        place = ["--study", studies[study.name]]
        for dataset in study.datasets:
            run, seeds = study.run(dataset, study.baseline, 0), ["--seeds", str(study.seeds[0])]
            words = ["train", "--run", told("run", run), *seeds, *code(entries.train(run))]
            yield [*words, *output("run")]
            for variant in study.variants if study.measured else ():
                task = study.measure_task(dataset, variant.name)
                words = ["measure", "--task", told("task", task), *code(entries.measure(task))]
                yield [*words, *output("measures")]
        for dataset in study.timing_datasets:
            yield ["time", dataset, *place, *output("timing.json")]
        yield ["tabulate", *place, *output("table.csv")]
        for thing in study.analyses:
            yield ["analyse", thing["name"], *place, *output("table.csv")]
        for thing in study.figures:
            yield ["plot", thing["name"], *place, *root]
            yield ["verify", str(layout.figure(study.name, thing["name"], "svg", results))]
    yield ["numbers", "--study", *studies.values(), "--size", config.size, *output("numbers.json")]
    yield ["typeset", "--source", str(folder / "paper/paper.typ"), *output("paper.pdf")]


def files(results):
    return sorted(str(p.relative_to(results)) for p in results.rglob("*") if p.is_file())


def exempt(name):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in EXEMPT)


def damage(path, how, generator):
    """Damage a file; False if it says the same as before."""
    content = path.read_bytes()
    if how == "deleted":
        path.unlink()
        return True
    if how == "truncated":
        new = content[: len(content) // 2]
    elif how == "flipped":
        at = generator.randrange(len(content))
        new = content[:at] + bytes([content[at] ^ 1 << generator.randrange(8)]) + content[at + 1 :]
    elif how == "emptied":
        new = b""
    else:
        new = generator.choice(others_like(path)).read_bytes()
    path.write_bytes(new)
    return not alike(path.name, content, new)


def others_like(path):
    """Other files that say something else: another run's, else another table's, else any of the kind or place."""
    results = next(folder for folder in path.parents if folder.name == "results")
    place = results / path.relative_to(results).parts[0]
    names = (path.name, f"*{path.suffix}")
    for found in (*map(place.rglob, names), results.rglob(names[1]), path.parent.iterdir()):
        content = path.read_bytes()
        different = [p for p in sorted(found) if p.is_file() and p.read_bytes() != content]
        if different:
            return different
    raise AssertionError(f"nothing to put in the place of {path}")


def alike(name, old, new):
    """Whether a changed JSON file says what it said: `1e-05` and `1E-05` are one number."""
    if not name.endswith(".json") or name.startswith("study-"):
        return old == new
    try:
        return json.loads(old) == json.loads(new)
    except ValueError:
        return False


def refused(words, capsys):
    """What a command says when it refuses; empty if it took what it was given."""
    try:
        cli.main(words)
    except SystemExit as end:
        said = capsys.readouterr().err
        assert end.code == 2 and said.startswith("error: "), (shlex.join(words), end.code, said)
        return said
    return ""


def named(path, said):
    """Whether a message names the file, or one of those with which it belongs together."""
    together = {path}
    if path.parts[-6] == "runs" or path.parts[-5] == "measures":
        if path.name == "summary.json":
            # Another run's whole summary shows by the first file that it does not fit.
            together.add(path.parent)
    else:
        together |= {path.with_name(path.name.split(".")[0] + suffix) for suffix in BESIDE}
    # Typst names files from the paper's folder.
    results = next(folder for folder in path.parents if folder.name == "results")
    return any(str(file.relative_to(results.parent)) in said for file in together)


BESIDE = (".csv", ".svg", ".png", ".sha256", ".safetensors", ".digest.json")


def test_every_file_is_read_by_a_stage_or_exempt(whole, readers):
    known = files(whole / "results")
    unread = {name for name in known if name not in readers and not exempt(name)}
    # Of equal jobs of training, one was called; so their configs and code.
    for pattern in ("plan/run-*", "plan/code-*"):
        assert fnmatch.filter(readers, pattern)
        unread -= set(fnmatch.filter(unread, pattern))
    # Tables for people alone: a summary, and those of a study that has no section and no figure.
    ends = {"tables/layerwise_summary", "tables/graphs_summary", "tables/graphs_population"}
    assert unread == {f"{name}{suffix}" for name in ends for suffix in (".csv", ".sha256")}
    assert not {name for name in readers if exempt(name)}
    for pattern in (*EXEMPT, "runs/*", "data/*", "measures/*", "timing/*", "figures/*", "tables/*"):
        assert fnmatch.filter(known, pattern), f"no file is {pattern}"


def test_whoever_reads_a_damaged_file_names_and_refuses_it(whole, readers, capsys):
    generator = random.Random(SEED)
    for name, how in sample([(name, how) for name in sorted(readers) for how in DAMAGES], 150):
        path = whole / "results" / name
        # All bits of a file are alike to a digest; a few of them are tried.
        for _ in range(4 if FULL and how == "flipped" else 1):
            with changed(path):
                if not damage(path, how, generator):
                    continue
                for words in readers[name]:
                    said = refused(words, capsys)
                    assert said, f"{name} {how}: taken by {shlex.join(words)[:300]}"
                    assert named(path, said), f"{name} {how}: {said}"
                    held(f"a file {how}: its reader names and refuses it")


@pytest.mark.parametrize("how", DAMAGES)
def test_what_is_remembered_of_sources_is_dropped_when_it_is_damaged(whole, how):
    generator = random.Random(SEED)
    path = whole / "results/plan/sources.json"
    for _ in range(20 if how == "flipped" else 1):
        with changed(path):
            assert damage(path, how, generator)
            found = fingerprint.Remembered()
            found.load(path)
            assert not found.facts
            held("what is remembered of sources damaged: dropped")


@pytest.mark.parametrize("how", DAMAGES)
def test_status_takes_no_damaged_file(whole, capsys, how):
    generator = random.Random(SEED)
    words = ["status", "--config", str(whole / "config.yaml"), "--root", str(whole / "results")]
    cell = ("layerwise", "digits", "adam", 0, whole / "results")
    for path in (layout.status(*cell), layout.run(*cell) / "summary.json"):
        for _ in range(40 if how == "flipped" else 1):
            with changed(path):
                assert damage(path, how, generator) or how == "flipped"
                cli.main(words)
                said = capsys.readouterr().out
                assert re.search(r"layerwise .* (4/4 runs|3/4 runs .*3 finished)", said), said
                held("a damaged status or summary: `status` goes on")


# A file of each kind, with the outputs of the stages after its own, which are made again.
TABLES = ("tables/layerwise*", "figures/*/*", "numbers.json", "paper.pdf")
STORIES = {
    "data/digits.safetensors": ("runs/layerwise/*/*/*/summary.json", *TABLES),
    "data/wine.digest.json": ("runs/graphs/*/*/*/summary.json", "tables/graphs*", "numbers.json"),
    "runs/layerwise/digits/adam/seed0/model.safetensors": ("measures/*/*/adam/*", *TABLES),
    "runs/layerwise/digits/adam/seed0/summary.json": TABLES,
    "runs/layerwise/digits/sub-model/seed1/history.csv": TABLES,
    "runs/graphs/wine/random/seed1/outputs.safetensors": ("tables/graphs_population.*",),
    "runs/graphs/wine/random-2/seed0/provenance.json": ("tables/graphs.*", "numbers.json"),
    "tables/layerwise.provenance.json": ("numbers.json", "paper.pdf"),
    "measures/layerwise/digits/adam/metrics.csv": TABLES,
    "timing/layerwise/digits.json": TABLES,
    "tables/layerwise.csv": ("tables/layerwise_*", "figures/*/*", "numbers.json"),
    "tables/layerwise.sha256": ("tables/layerwise_summary.csv",),
    "tables/layerwise_timeline.csv": ("figures/*/*", "numbers.json"),
    "figures/layerwise/loss_against_time.svg": ("paper.pdf",),
    "figures/layerwise/loss_against_time.sha256": ("paper.pdf",),
    "numbers.json": ("paper.pdf",),
}
# Each file with some damage, and each damage several times.
TOLD = [(name, DAMAGES[at % 5]) for at, name in enumerate(STORIES)]
TOLD += [(name, DAMAGES[(at + 2) % 5]) for at, name in enumerate(STORIES)]


@pytest.mark.parametrize(("name", "how"), sample(TOLD, 2))
def test_doing_what_is_told_and_plain_snakemake_finish_the_paper(finished, undisturbed, name, how):
    path = finished.results / name
    damage(path, how, random.Random(SEED))
    for pattern in STORIES[name]:
        for output in finished.results.glob(pattern):
            if output != path:
                output.unlink()
    code, said = finished.run()
    if code:
        assert not (finished.results / "paper.pdf").exists() or "paper.pdf" not in STORIES[name]
        told = set(re.findall(r"^error: .*: delete (\S+) and run again$", said, re.MULTILINE))
        assert told, said[-6000:]
        for one in told:
            target = finished.folder / one
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
        finished.finish()
    else:
        # Snakemake saw that it was gone, and made it anew with the others.
        assert how == "deleted", said[-6000:]
    finished.equals(undisturbed)
    held("a damaged file: mended by doing what is told, then plain snakemake")


def test_lost_tables_and_figures_are_made_again(finished, undisturbed):
    lost = [*finished.results.glob("tables/*"), *finished.results.glob("figures/*/*")]
    for path in sample(lost, 5):
        path.unlink()
    finished.finish()
    assert all(path.exists() for path in lost)
    finished.equals(undisturbed)
    held("lost tables and figures: made again by plain snakemake", len(lost))


def test_damage_that_nothing_reads_leaves_the_paper_as_it_was(finished, undisturbed):
    """Times as they were: Snakemake sees nothing, does nothing, and the paper is the right one."""
    for name in files(finished.results):
        path = finished.results / name
        if name.startswith(("runs/", "tables/", "measures/")):
            facts = path.stat()
            path.write_bytes(path.read_bytes()[:-1])
            os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert "Nothing to be done" in finished.finish()
    paper = finished.results / "paper.pdf"
    assert paper.read_bytes() == (undisturbed.results / "paper.pdf").read_bytes()
    held("damage that nothing reads: the paper stays")


def test_a_damaged_plan_is_written_anew_and_reruns_nothing(finished, undisturbed):
    plans = sorted(finished.results.glob("plan/*-*.json"))
    for at, path in enumerate(plans):
        damage(path, DAMAGES[at % 4], random.Random(SEED))
    assert "Nothing to be done" in finished.finish()
    for path in plans:
        assert path.read_bytes() == (undisturbed.results / "plan" / path.name).read_bytes()
    held("a damaged plan: written anew", len(plans))

"""Every file of a finished paper damaged: the next stage that reads it names it and refuses, or nothing reads it."""

import fnmatch
import json
import os
import random
import re
import shlex
import shutil

import pytest

from faults import FULL, SEED, held, sample
from paper import changed
from sidestep import cli, fingerprint, layout, seals
from sidestep.config import load
from sidestep.files import canonical_json

# What no stage reads, and why that is right.
EXEMPT = {
    "paper.pdf": "the end of the pipeline",
    "data/*.source.json": "a note for people: where the arrays came from; their digests are checked",
    "status/*": "what a job said of itself; only `status` shows it, and it takes no damaged one",
    "logs/*": "for people; Snakemake shows a failed job's",
    "plan/code-*.json": "an input by its name and time alone; written anew if it is not what it should be",
    "plan/config-*.json": "likewise; only `snakemake report` is given it, which shows it and takes nothing from it",
}
DAMAGES = ("truncated", "flipped", "emptied", "deleted", "replaced")


@pytest.fixture(scope="module")
def whole(undisturbed, tmp_path_factory):
    """A copy whose files are damaged and mended, and a folder for whatever a reader might write."""
    folder = tmp_path_factory.mktemp("whole") / "paper"
    shutil.copytree(undisturbed.folder, folder, symlinks=True)
    return folder


@pytest.fixture(autouse=True)
def _back(monkeypatch):
    """Commands are called in this process, as a job calls them; its signals and remembered facts stay ours."""
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)


def files(folder):
    results = folder / "results"
    return sorted(str(p.relative_to(results)) for p in results.rglob("*") if p.is_file())


def exempt(name):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in EXEMPT)


def commands(folder, name, scratch):
    """The commands, as the rules print them, of every stage that reads a file of the results."""
    config = load(folder / "config.yaml")
    root = ["--root", str(folder / "results")]
    plan = folder / "results/plan"
    studies = {
        study.name: next(
            str(path)
            for path in plan.glob("study-*.json")
            if path.name == name.split("/")[-1]
            or json.loads(path.read_text())["name"] == study.name
        )
        if not name.startswith("plan/")
        else str(folder / "results" / name)
        for study in config.studies.values()
    }

    def train(study):
        run = study.run(study.datasets[0], study.baseline, 0)
        return ["train", "--run", canonical_json(run), *root, "--output", str(scratch / "run")]

    def measure(study, variant):
        task = study.measure_task(study.datasets[0], variant)
        out = ["--output", str(scratch / "measures")]
        return ["measure", "--task", canonical_json(task), *root, *out]

    def of_study(command, study, *words, out="table.csv"):
        place = ["--study", studies[study.name], *root, "--output", str(scratch / out)]
        return [command, *words, *place]

    def numbers():
        out = ["--size", config.size, *root, "--output", str(scratch / "numbers.json")]
        return ["numbers", "--study", *studies.values(), *out]

    def time(study):
        out = ["--study", studies[study.name], *root, "--output", str(scratch / "timing.json")]
        return ["time", study.datasets[0], *out]

    paper = ["typeset", "--source", str(folder / "paper/paper.typ"), *root]
    paper += ["--output", str(scratch / "paper.pdf")]
    kind, _, rest = name.partition("/")
    if kind == "data":
        (study,) = (s for s in config.studies.values() if rest.split(".")[0] in s.datasets)
        found = [train(study)]
        if study.measured:
            found += [measure(study, study.baseline), time(study)]
        return [*found, numbers()] if rest.endswith(".json") else found
    if kind == "runs":
        study = config.studies[rest.split("/")[0]]
        _, _, variant, _, file = rest.split("/")
        found = [of_study("tabulate", study)]
        if study.measured:
            found.insert(0, measure(study, variant))
        if file in ("summary.json", "provenance.json"):
            found.append(numbers())
        if file == "outputs.safetensors":
            found.append(of_study("analyse", study, "population"))
        return found
    if kind == "measures":
        return [of_study("tabulate", config.studies[rest.split("/")[0]])]
    if kind == "timing":
        return [of_study("tabulate", config.studies[rest.split("/")[0]]), numbers()]
    if kind == "tables":
        name, analysis = rest.split(".")[0].partition("_")[::2]
        study = config.studies[name]
        # The paper has a section of one of the two studies; what its figure draws is in the timeline.
        found = [numbers()] if study.name == "layerwise" else []
        if analysis == "":
            found.append(of_study("analyse", study, "summary"))
        if analysis == "timeline":
            found = [of_study("plot", study, t["name"], out="figure") for t in study.figures]
        return found
    if kind == "figures":
        return [paper]
    if name == "numbers.json":
        return [paper]
    if name.startswith("plan/study-"):
        (study,) = (s for s in config.studies.values() if PLANNED[name] == s.name)
        every = [of_study("tabulate", study), of_study("analyse", study, "summary"), numbers()]
        return every + [of_study("plot", study, t["name"], out="figure") for t in study.figures]
    return []


# Planned file → its study; kept apart, since the file may be damaged.
PLANNED: dict[str, str] = {}


def damage(path, how, generator):
    """Damage a file; False if that changes nothing of it or cannot be done."""
    content = path.read_bytes()
    if how == "truncated":
        new = content[: len(content) // 2]
    elif how == "flipped":
        at = generator.randrange(len(content))
        new = content[:at] + bytes([content[at] ^ 1 << generator.randrange(8)]) + content[at + 1 :]
    elif how == "emptied":
        new = b""
    elif how == "deleted":
        path.unlink()
        return True
    else:
        # Another file of the kind: another run's, another study's, another figure's.
        top = path
        while top.parent.name != "results":
            top = top.parent
        others = [p for p in sorted(top.rglob(f"*{path.suffix}")) if p.read_bytes() != content]
        near = [p for p in others if p.name == path.name] or others
        if not near:
            return False
        new = generator.choice(near).read_bytes()
    path.write_bytes(new)
    return new != content


def refused(words, capsys):
    """What a command says when it refuses; None if it took what it was given."""
    try:
        cli.main(words)
    except SystemExit as end:
        assert end.code in (1, 2), (shlex.join(words), end.code)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return said.err
    return None


def test_every_file_is_read_by_a_stage_or_exempt(whole, tmp_path):
    remember(whole)
    unread = {
        name
        for name in files(whole)
        if not exempt(name) and name != "plan/sources.json" and not commands(whole, name, tmp_path)
    }
    # Analyses of studies without a section of their own, which end with their tables, as here.
    assert {name.split("/")[1].split(".")[0] for name in unread} == {
        "graphs_population",
        "graphs_summary",
    }
    for name in (*EXEMPT, "runs/*", "data/*", "measures/*", "timing/*", "figures/*", "tables/*"):
        assert fnmatch.filter(files(whole), name), f"no file is {name}"


def remember(folder):
    for path in (folder / "results/plan").glob("study-*.json"):
        PLANNED[f"plan/{path.name}"] = json.loads(path.read_text())["name"]


def damaged_files(folder):
    return [(n, how) for n in files(folder) if not exempt(n) for how in DAMAGES]


def test_readers_take_what_is_whole(whole, tmp_path, capsys):
    """No reader refuses for another reason than the damage."""
    remember(whole)
    words = {tuple(w) for n in files(whole) if not exempt(n) for w in commands(whole, n, tmp_path)}
    for one in sorted(words):
        assert refused([*one], capsys) is None, shlex.join(one)


def test_whoever_reads_a_damaged_file_names_and_refuses_it(whole, tmp_path, capsys):
    remember(whole)
    generator = random.Random(SEED)
    by_damage = dict.fromkeys(DAMAGES, 0)
    cases = damaged_files(whole)
    for name, how in sample(cases, 60):
        path = whole / "results" / name
        readers = commands(whole, name, tmp_path)
        if name == "plan/sources.json" or not readers:
            continue
        # All bits of a file are alike to a digest; a few of them are tried.
        for _ in range(5 if FULL and how == "flipped" else 1):
            with changed(path):
                if not damage(path, how, generator):
                    continue
                for words in readers:
                    said = refused(words, capsys)
                    assert said, f"{name} {how}: taken by {shlex.join(words[:4])}"
                    assert named(path, said), f"{name} {how}: {said}"
                    by_damage[how] += 1
    for how, count in by_damage.items():
        held(f"a file {how}: its reader refuses", count)


def named(path, said):
    """Whether a message names the file, or the one beside it that says what it should be."""
    beside = {path, seals.beside(path), path.with_suffix(".digest.json")}
    if path.name.endswith(".digest.json"):
        beside.add(path.with_name(path.name.replace(".digest.json", ".safetensors")))
    if path.suffix == ".sha256" or path.parent.parent.name == "figures":
        beside |= {path.with_suffix(suffix) for suffix in (".csv", ".svg", ".png", ".sha256")}
    if path.name == "summary.json":
        # Another run's whole summary shows by the files that it names.
        beside.add(path.parent)
    return any(str(file) in said for file in beside)


def test_what_is_remembered_of_sources_is_dropped_when_it_is_damaged(whole):
    generator = random.Random(SEED)
    path = whole / "results/plan/sources.json"
    for how in DAMAGES[:4]:
        for _ in range(20 if how == "flipped" else 1):
            with changed(path):
                damage(path, how, generator)
                found = fingerprint.Remembered()
                found.load(path)
                assert not found.facts
                held("what is remembered of sources damaged: dropped")


def mended(paper, undisturbed, path):
    """Plain Snakemake, doing what its jobs' messages say to do, until the paper is finished."""
    for _ in range(3):
        code, said = paper.run()
        if code == 0:
            paper.equals(undisturbed)
            return
        paper.nothing_wrong_but(path)
        told = re.findall(r"^error: .*?: delete (\S+?)(?: and (\S+))? and run again", said, re.M)
        assert "error:" in said and named(path, said), said[-4000:]
        for one in {part for parts in told for part in parts if part}:
            target = paper.folder / one
            if one == "both":
                for each in (path, path.with_suffix("").with_suffix(".safetensors")):
                    each.unlink(missing_ok=True)
                path.with_suffix(".digest.json").unlink(missing_ok=True)
            elif target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)
    raise AssertionError(f"{path}: not mended by what it was told\n{said[-6000:]}")


HEALED = [
    "runs/layerwise/digits/adam/seed0/model.safetensors",
    "runs/graphs/wine/random/seed1/summary.json",
    "tables/layerwise.csv",
    "data/digits.safetensors",
    "measures/layerwise/digits/adam/metrics.csv",
    "timing/layerwise/digits.json",
    "tables/layerwise_timeline.csv",
    "figures/layerwise/loss_against_time.svg",
    "numbers.json",
    "runs/graphs/wine/random/seed0/outputs.safetensors",
    "runs/layerwise/digits/sub-model/seed1/summary.json",
    "data/wine.digest.json",
]


@pytest.mark.parametrize("name", sample(HEALED, 3))
def test_plain_snakemake_mends_the_paper_as_it_is_told(finished, undisturbed, name):
    """Damaged, and the next stages asked for again."""
    path = finished.results / name
    damage(path, "flipped", random.Random(SEED))
    # What reads the file is to be made again.
    for reader in next_of(name):
        for found in finished.results.glob(reader):
            found.unlink()
    (finished.results / "paper.pdf").unlink(missing_ok=True)
    mended(finished, undisturbed, path)
    held("a damaged file: mended by doing what is told, then plain snakemake")


def next_of(name):
    """Outputs of the stages after a file's own, so that they are made again."""
    stages = ["data", "runs", "measures", "tables", "figures", "numbers.json"]
    kind = name.split("/")[0]
    later = stages[stages.index("measures" if kind == "timing" else kind) + 1 :]
    if name.startswith("tables/") and "_" not in name:
        later = ["tables/*_*", *later]
    patterns = {
        "runs": "runs/**/summary.json",
        "measures": "measures/**/summary.json",
        "tables": "tables/*",
        "figures": "figures/**/*.*",
    }
    return [patterns.get(stage, stage) for stage in later]


def test_without_a_stage_that_reads_it_damage_leaves_the_paper_as_it_was(finished, undisturbed):
    """Times as they were: Snakemake sees nothing, does nothing, and the paper is the right one."""
    for name in files(finished.folder):
        path = finished.results / name
        if name.startswith(("runs/", "tables/", "measures/")) and path.suffix in (
            ".csv",
            ".safetensors",
        ):
            facts = path.stat()
            damage(path, "truncated", random.Random(SEED))
            os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert "Nothing to be done" in finished.finish()
    paper = (finished.results / "paper.pdf").read_bytes()
    assert paper == (undisturbed.results / "paper.pdf").read_bytes()
    held("damage that nothing reads: the paper stays")


def test_status_takes_no_damaged_file(whole, capsys):
    config = str(whole / "config.yaml")
    place = layout.status("layerwise", "digits", "adam", 0, whole / "results")
    summary = layout.run("layerwise", "digits", "adam", 0, whole / "results") / "summary.json"
    for path in (place, summary):
        for how in DAMAGES[:4]:
            with changed(path):
                damage(path, how, random.Random(SEED))
                cli.main(["status", "--config", config, "--root", str(whole / "results")])
                assert "layerwise" in capsys.readouterr().out
                held("a damaged status or summary: `status` goes on")

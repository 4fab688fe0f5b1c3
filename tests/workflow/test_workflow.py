"""Snakemake on the tiny paper: it builds, rests, and repeats exactly what went stale."""

import csv
import json
import re
import shutil
import signal
import subprocess
import sys

import pytest
import typst
from project import environment

from sidestep import seals
from sidestep.files import read_json

pytestmark = pytest.mark.workflow
RUN = "results/runs/width/digits/width-8/seed0"


def table(project, name="width"):
    with (project.folder / f"results/tables/{name}.csv").open() as file:
        return list(csv.DictReader(file))


def test_one_command_makes_the_paper_and_every_file_that_it_promises(built):
    results = built.folder / "results"
    assert (results / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert read_json(results / "numbers.json")["size"] == "tiny"
    for name in ("config.json", "history.csv", "model.safetensors", "summary.json"):
        assert (built.folder / RUN / name).is_file()
    figures = {path.stem for path in (results / "figures/width").glob("*.svg")}
    assert figures and figures == {p.stem for p in (results / "figures/width").glob("*.csv")}


def test_nothing_to_do_afterwards(built):
    assert built.planned() == {}


def test_a_diverged_run_is_in_the_table_and_stopped_nothing(built):
    rows = [row for row in table(built) if row["metric"] == "diverged"]
    assert {row["variant"] for row in rows if float(row["value"])} == {"wild"}
    assert len(rows) == 8
    told = read_json(built.folder / "results/numbers.json")["reproducibility"]["runs_sentence"]
    assert "wild" in told


def test_whether_a_run_diverged_is_in_the_table_of_a_study_that_measures_nothing(built):
    rows = table(built, "decoupled")
    told = {(row["variant"], row["seed"]) for row in rows if row["metric"] == "diverged"}
    assert told == {(row["variant"], row["seed"]) for row in rows if row["seed"]}
    assert all(row["value"] == "0" for row in rows if row["metric"] == "diverged")


def test_the_summary_has_paired_differences_to_the_baseline(built):
    rows = {
        (row["variant"], row["metric"], row["epoch"]): row
        for row in table(built, "width_summary")
        if row["images"] == "test"
    }
    base, other = (rows[v, "accuracy", "2"] for v in ("width-16", "width-4"))
    assert float(base["difference"]) == 0.0
    assert float(other["difference"]) == pytest.approx(float(other["mean"]) - float(base["mean"]))
    assert int(float(other["n"])) == 2


def test_an_analysis_that_reads_data_alone_waits_for_no_training(fresh):
    boosting, scores = (
        f"results/tables/evolution_{name}.csv" for name in ("boosting", "final_scores")
    )
    assert fresh.planned(boosting) == {"fetch_data": 1, "analyse_study": 1}
    assert {"train_seeds_0_1", "tabulate_study"} <= fresh.planned(scores).keys()


def test_editing_a_figure_redraws_that_figure_and_the_paper(finished):
    finished.edit("figures/dead_neurons.py", "def draw(", "UNUSED = 1\n\n\ndef draw(")
    assert finished.planned() == {"plot_figure": 1, "gather_numbers": 1, "typeset_paper": 1}


def test_editing_the_strategy_retrains_and_a_comment_does_not(finished):
    finished.edit("strategies/end_to_end.py", "signal = true", "# a comment\n    signal = true")
    assert finished.planned() == {}
    finished.edit("strategies/end_to_end.py", "first=0", "first=1 - 1")
    planned = finished.planned()
    jobs, every = finished.jobs(strategy="end_to_end"), finished.jobs()
    assert finished.to_train() == jobs < every
    assert ("width/digits/width-8", (0,)) in jobs and ("layerwise/digits/adam", (0, 1)) in jobs
    assert {("layerwise/digits/sub-model", (0, 1))} <= every - jobs
    assert planned["train_network"] + planned["train_seeds_0_1"] == len(jobs)
    assert planned["time_training"] == 4  # every study has it as its baseline
    assert "fetch_data" not in planned


def test_editing_a_signal_retrains_what_learned_from_it(finished):
    finished.edit("signals/similarity_matching.py", "1e-8", "2e-8")
    assert finished.to_train() == {("layerwise/digits/similarity", (0, 1))}


def test_one_lost_summary_trains_the_seeds_of_its_job_again(finished):
    lost = {"layerwise/digits/similarity": (0, 1), "width/digits/width-8": (0,)}
    wanted = []
    for cell, seeds in lost.items():
        (finished.folder / f"results/runs/{cell}/seed{seeds[-1]}/summary.json").unlink()
        # Snakemake misses no file that nothing is to be made from.
        wanted.append(f"results/measures/{cell}/summary.json")
        (finished.folder / wanted[-1]).unlink()
    assert finished.to_train(*wanted) == set(lost.items())
    # Without Snakemake's records too.
    shutil.rmtree(finished.folder / ".snakemake")
    assert finished.to_train(*wanted) == set(lost.items())


def test_a_seed_that_was_finished_before_its_job_failed_is_not_trained_again(fresh, built):
    cell = "layerwise/digits/similarity"
    goal = f"results/runs/{cell}/seed1/summary.json"
    # A folder stands where a file of the second seed has to go.
    wrong = fresh.folder / f"results/runs/{cell}/seed1/model.safetensors"
    wrong.mkdir(parents=True)
    code, output = fresh.run(goal, check=False)
    assert code == 1 and "Is a directory" in output
    first = fresh.folder / f"results/runs/{cell}/seed0"
    assert (first / "model.safetensors").exists() and not (first / "summary.json").exists()
    assert (fresh.folder / f"results/checkpoints/{cell}/seed0.done.json").exists()
    told = fresh.command("status", "--config", "config.yaml", "tiny.yaml").stdout
    assert "failed   digits/similarity/seed1: IsADirectoryError" in told
    wrong.rmdir()
    before = (first / "model.safetensors").stat().st_mtime_ns
    fresh.run(goal)
    assert (first / "model.safetensors").stat().st_mtime_ns == before
    log = fresh.folder / f"results/logs/train_network/{cell}/train_seeds_0_1.log"
    assert log.read_text().startswith("digits, seed 0 was finished by an earlier job")
    assert not list((fresh.folder / "results/checkpoints").rglob("*.json"))
    assert fresh.to_train(goal) == set()
    for seed in (0, 1):
        mine, other = (
            project.folder / f"results/runs/{cell}/seed{seed}/model.safetensors"
            for project in (fresh, built)
        )
        assert mine.read_bytes() == other.read_bytes()


def test_a_search_chooses_for_every_variant_and_the_paper_does_not_wait_for_it(built, fresh):
    assert not (built.folder / "results/runs/layerwise-search").exists()
    planned = fresh.planned("search")
    searched = fresh.jobs("layerwise") | fresh.jobs("decoupled")
    # One seed, so that no job has several; students are not searched for.
    assert planned["train_network"] == len(searched) + 6
    assert {"train_seeds_0_1", "measure_variant", "typeset_paper"}.isdisjoint(planned)
    fresh.run("results/tables/layerwise-search_choice.csv")
    rows = table(fresh, "layerwise-search_choice")
    assert {row["of"] for row in rows if row["chosen"] == "1"} == {row["of"] for row in rows}
    assert all(row["lr"] == "0.01" and float(row["mean"]) > 0 for row in rows)


def test_students_are_stale_when_their_teacher_is(finished):
    folder = "results/runs/substitution/digits"
    names = {path.name for path in (finished.folder / folder).iterdir()}
    students = {name for name in names if name.endswith("-taught")}
    assert len(students) == 5
    stale = {(f"substitution/digits/{name}", (0, 1)) for name in {"dense", *students}}
    # Its networks are made anew.
    assert finished.to_train("--forcerun", f"{folder}/dense/seed0/summary.json") == stale
    # It is to be trained otherwise.
    config = finished.folder / "tiny.yaml"
    begin = "  substitution:\n"
    changed = f"{begin}    variants: {{dense: {{optimiser: {{lr: 0.05}}}}}}\n"
    config.write_text(config.read_text().replace(begin, changed))
    assert finished.to_train() == stale


def test_editing_a_metric_measures_again_and_trains_nothing(finished):
    finished.edit("metrics/dead_neurons.py", "<= 0", "< 1e-9")
    planned = finished.planned()
    assert planned["measure_variant"] == 4  # the study that has the metric
    assert finished.to_train() == set()


def test_editing_how_data_are_fetched_retrains_nothing(finished):
    finished.edit("data/fetch.py", "def fetch(", "UNUSED = 1\n\n\ndef fetch(")
    assert finished.to_train() == set()


def test_the_abstract_leaves_room_for_text_on_the_first_page(built):
    ends = typst.query(
        str(built.folder / "paper/paper.typ"),
        "<front>",
        field="value",
        one=True,
        root=str(built.folder),
        sys_inputs={"results": "/results"},
        ignore_system_fonts=True,
    )
    assert 0.2 < float(ends) < 0.7


def test_editing_the_text_typesets_only(finished):
    source = finished.folder / "paper/paper.typ"
    source.write_text(source.read_text() + "\n// another line\n")
    assert finished.planned() == {"typeset_paper": 1}


def test_one_more_seed_trains_that_seed_only(finished):
    config = finished.folder / "tiny.yaml"
    before = finished.jobs()
    config.write_text(config.read_text().replace("seeds: [0, 1]", "seeds: [0, 1, 2]"))
    # Of every study, whether its jobs train one seed or two.
    added = {(cell, (2,)) for cell, _ in before}
    assert finished.to_train() == added == finished.jobs() - before
    planned = finished.planned()
    assert planned["train_network"] == 4 and planned["train_seed_2"] == len(added) - 4


def test_commands_stay_short_however_many_seeds_there_are(fresh):
    """A system takes no argument above 128 KiB: a job's config comes in a file."""
    config = fresh.folder / "tiny.yaml"
    few = config.read_text()
    goal = "results/measures/width/digits/width-8/summary.json"
    longest = []
    for seeds in (range(2), range(200)):
        config.write_text(few.replace("seeds: [0, 1]", f"seeds: {list(seeds)}"))
        said = fresh.run("--dry-run", "--printshellcmds", goal)[1]
        commands = [line for line in said.splitlines() if "python -m sidestep" in line]
        assert len([line for line in commands if " measure " in line]) == 1
        longest.append(max(map(len, commands)))
    # A seed's number is up to three digits long, and a log's name holds it.
    assert longest[1] <= longest[0] + 20 < 600


def test_jobs_that_train_on_several_data_sets(fresh):
    """One job, and what makes one of its runs stale makes all of them stale, with records or without."""
    config = fresh.folder / "tiny.yaml"
    begin = "  evolution:\n    datasets: [digits]\n"
    several = "  evolution:\n    datasets: [wine, digits, diabetes]\n    datasets_per_job: 2\n"
    assert begin in config.read_text()
    config.write_text(config.read_text().replace(begin, several))
    names = ("wine", "digits", "diabetes")
    folders = [f"results/runs/evolution/{name}/mlp/seed1" for name in names]
    wanted = [f"{folder}/summary.json" for folder in folders]
    pair, other = {("evolution/wine+digits/mlp", (0, 1))}, {("evolution/diabetes/mlp", (0, 1))}
    assert fresh.to_train(*wanted) == pair | other
    fresh.run(*wanted)
    assert fresh.planned(*wanted) == {}
    assert all((fresh.folder / folder / "model.safetensors").exists() for folder in folders)
    fresh.edit("datasets/wine.py", "\nDATASET", "\nUNUSED = 1\nDATASET")
    assert fresh.to_train(*wanted) == pair
    shutil.rmtree(fresh.folder / ".snakemake")
    assert fresh.to_train(*wanted) == pair


def test_without_snakemakes_records_what_is_fresh_stays_and_what_is_stale_is_caught(finished):
    shutil.rmtree(finished.folder / ".snakemake")
    assert finished.planned() == {}
    finished.edit("strategies/end_to_end.py", "first=0", "first=1 - 1")
    assert finished.to_train() == finished.jobs(strategy="end_to_end")


def test_without_records_going_back_to_older_code_is_caught_too(finished):
    cell = "layerwise/digits/similarity"
    for folder in (RUN, f"results/runs/{cell}/seed1"):
        summary = finished.folder / folder / "summary.json"
        facts = read_json(summary)
        # As if this run alone had been made by other code, and the code then went back.
        seals.write(summary, {**facts, "fingerprint": "0" * 16})
    shutil.rmtree(finished.folder / ".snakemake")
    stale = {("width/digits/width-8", (0,)), (cell, (0, 1))}
    assert stale <= finished.to_train() < finished.jobs()


def test_a_table_is_never_made_from_a_stale_run(finished):
    summary = finished.folder / RUN / "summary.json"
    seals.write(summary, {**read_json(summary), "fingerprint": "0" * 16})
    (finished.folder / "results/tables/width.csv").unlink()
    studies = (finished.folder / "results/plan").glob("study-*.json")
    (study,) = (path for path in studies if read_json(path)["name"] == "width")
    done = finished.command("tabulate", "--study", str(study), check=False)
    assert done.returncode == 2
    assert "other code" in done.stderr and "seed0" in done.stderr
    assert not (finished.folder / "results/tables/width.csv").exists()


def test_a_damaged_network_is_named_and_never_measured(finished):
    model = finished.folder / RUN / "model.safetensors"
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    model.write_bytes(data)
    shutil.rmtree(finished.folder / "results/measures/width/digits/width-8")
    (finished.folder / "results/tables/width.csv").unlink()
    code, output = finished.run("results/tables/width.csv", check=False)
    assert code == 1
    assert "model.safetensors was changed since it was written" in output
    assert "Traceback" not in output


def test_figures_are_redrawn_without_training_when_only_pictures_are_lost(finished):
    shutil.rmtree(finished.folder / "results/figures")
    planned = finished.planned("figures")
    assert set(planned) == {"plot_figure"}


def test_the_report_holds_every_figure_with_its_caption(finished):
    finished.run("report")
    html = (finished.folder / "results/report.html").read_text()
    assert "dead_neurons" in html and len(html) > 100_000


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_a_job_killed_in_mid_epoch_ends_with_the_bytes_of_one_left_alone(built, tmp_path, seeds):
    run = read_json(built.folder / RUN / "config.json")
    longer = json.dumps({**run, "epochs": 12, "records": [3, 12]})
    data = built.folder / "results/data/digits.safetensors"
    words = ["train", "--run", longer, "--data", str(data), "--checkpoint-seconds", "0"]
    words += ["--seeds", *map(str, seeds)]

    def start(root):
        return subprocess.Popen(
            [sys.executable, "-m", "sidestep", *words, "--root", str(root)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    alone = start(tmp_path / "alone")
    alone.communicate()
    killed = start(tmp_path / "killed")
    assert killed.stdout is not None
    begun = 0
    for line in killed.stdout:
        begun += line.startswith("epoch 5/")
        if begun == len(seeds):
            killed.send_signal(signal.SIGKILL)
            break
    killed.wait()
    killed.stdout.close()
    folders = {seed: f"runs/width/digits/width-8/seed{seed}" for seed in seeds}
    summaries = [tmp_path / "killed" / folder / "summary.json" for folder in folders.values()]
    assert [path.exists() for path in summaries] == [seed != seeds[-1] for seed in seeds]
    for path in summaries:
        path.unlink(missing_ok=True)  # as Snakemake does
    again = start(tmp_path / "killed")
    said, _ = again.communicate()
    assert again.returncode == 0
    assert re.search(r"resumed after step \d+ of 288", said)
    assert said.count("was finished by an earlier job") == len(seeds) - 1

    def history(root, folder):
        with (root / folder / "history.csv").open() as file:
            return [{**row, "seconds": ""} for row in csv.DictReader(file)]

    for folder in folders.values():
        assert history(tmp_path / "killed", folder) == history(tmp_path / "alone", folder)
        for name in ("model.safetensors", "records.safetensors"):
            mine, other = (tmp_path / root / folder / name for root in ("killed", "alone"))
            assert mine.read_bytes() == other.read_bytes()


def test_a_plan_that_cannot_be_written_is_one_sentence(fresh):
    """Of every kind of planned file; a folder in its place is what even an administrator cannot write."""
    fresh.run("-n", "--quiet", "rules")
    first = {path.name.split("-")[0]: path for path in (fresh.folder / "results/plan").glob("*-*")}
    assert len(first) > 4
    for path in first.values():
        text = path.read_bytes()
        path.unlink()
        path.mkdir()
        code, output = fresh.run("-n", check=False)
        path.rmdir()
        path.write_bytes(text)
        assert code != 0 and "Traceback" not in output
        said = f"the plan cannot be written: Is a directory ({path.relative_to(fresh.folder)})"
        assert said in output.replace("\n", " ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("studies: {width: {run: {epochs: 0}}}", "run.epochs is 0 but must be at least 1"),
        ("studies: {width: {metrics: [spred]}}", "did you mean 'spread'?"),
        ("sise: 3", "did you mean 'size'?"),
        ("studies: {width: {seeds: [1, 1]}}", "lists 1 twice"),
        ("size: a\nsize: b", "the name 'size' is given twice"),
    ],
)
def test_a_bad_config_is_one_sentence_before_any_job(fresh, text, words):
    (fresh.folder / "bad.yaml").write_text(text)
    code, output = fresh.run(check=False, config="bad.yaml")
    assert code == 1
    assert words in output and "bad.yaml" in output
    assert "Traceback" not in output
    assert not (fresh.folder / "results/runs").exists()


def test_status_counts_the_runs(built):
    done = built.command("status", "--config", "config.yaml", "tiny.yaml")
    assert "8/8 runs" in done.stdout
    assert "6 finished, 2 diverged" in done.stdout


def test_the_same_paper_twice_is_the_same_file(finished):
    before = (finished.folder / "results/paper.pdf").read_bytes()
    (finished.folder / "results/paper.pdf").unlink()
    finished.command("typeset")
    assert (finished.folder / "results/paper.pdf").read_bytes() == before

"""Networks that predict a number, members of a population, kept outputs, and the probes of graphs."""

import csv

import numpy as np
import pytest
import torch
from made_jobs import CPU, done, job
from safetensors.torch import load_file
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from torch.nn import functional

from sidestep import targets
from sidestep.config import load as load_config
from sidestep.contract import Batch, Model
from sidestep.data.fetch import fetch
from sidestep.edits import by_worth, evolve
from sidestep.errors import UserError
from sidestep.files import read_json
from sidestep.graphs.gain import gains, held_out_gains
from sidestep.graphs.graph import Column, Op
from sidestep.graphs.growing import growing
from sidestep.graphs.importance import for_classes
from sidestep.graphs.mutation import Mutation
from sidestep.networks import equal_mlp, evolving, linear
from sidestep.probes import graph, inference
from sidestep.training.editing import Surgery
from sidestep.training.evaluation import evaluate
from sidestep.training.setup import make_task

NETWORK = {"name": "evolving", "size": 4, "operations": ["add", "multiply"]}
EVOLVE = {"name": "evolve", "prunes": 1, "adds": 3}


@pytest.fixture(scope="session")
def diabetes(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "diabetes.safetensors"
    fetch("diabetes", path, None, lambda _: None)
    return path


@pytest.fixture
def number_run(run):
    return {
        **run,
        "dataset": "diabetes",
        "network": {"name": "linear"},
        "optimiser": {"name": "adam", "lr": 0.05},
        "resample": True,
        "validation": 0.2,
        "epochs": 4,
        "records": [4],
    }


def evolves(run, **edit):
    thing = {"name": "rounds", "edit": {**EVOLVE, **edit}, "rounds": 4, "settle": 0.25}
    return {**run, "network": NETWORK, "strategy": thing}


def test_losses_errors_and_r2_are_the_textbooks():
    torch.manual_seed(0)
    said, labels = torch.randn(30, 2, dtype=torch.float64), torch.randn(30, 2, dtype=torch.float64)
    assert targets.loss(said, labels) == pytest.approx(float(functional.mse_loss(said, labels)))
    rows = targets.loss(said, labels, "none")
    assert rows.shape == (30,) and targets.loss(said, labels, "sum") == pytest.approx(
        float(rows.sum())
    )
    assert targets.explained(said, labels) == pytest.approx(r2_score(labels, said))
    assert np.isnan(targets.explained(said, torch.ones(30, 2)))
    classes = torch.randint(2, (30,))
    given = said.clone().requires_grad_()
    for held, factor in ((labels, 2 / 2), (classes, 1.0)):
        (gradient,) = torch.autograd.grad(targets.loss(given, held, "sum"), given)
        assert torch.allclose(gradient, factor * targets.errors(said, held))


def test_a_linear_network_finds_the_least_squares(number_run, diabetes):
    described = {**number_run, "epochs": 150, "records": [150], "schedule": {"name": "cosine"}}
    task, progress = done(described, diabetes)
    train, test = task.splits["train"], task.evaluated["test"]
    exact = LinearRegression().fit(train.images.flatten(1), train.labels)
    ours = evaluate(task.network, test)
    assert ours.accuracy is None
    assert ours.r2 == pytest.approx(exact.score(test.images.flatten(1), test.labels), abs=0.01)
    last = [row for row in progress.rows if row.split == "train"][-1]
    residual = exact.predict(train.images.flatten(1)) - train.labels.numpy()
    assert last.loss == pytest.approx(float((residual**2).mean()), rel=0.01)


def test_a_run_of_numbers_writes_r2_and_what_it_said(number_run, diabetes, tmp_path):
    described = {
        **evolves(number_run),
        "outputs": ["validation", "test"],
        "probes": [{"name": "graph"}],
    }
    job(described, diabetes, tmp_path)
    with (tmp_path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    scored = [row for row in rows if row["split"] == "test"]
    assert scored and all(row["r2"] and not row["accuracy"] for row in scored)
    summary = read_json(tmp_path / "summary.json")
    assert set(summary["final"]["test"]) == {"loss", "r2"}
    kept = load_file(tmp_path / "outputs.safetensors")
    assert kept["test_outputs"].shape == kept["test_labels"].shape == (110, 1)
    assert targets.explained(kept["test_outputs"], kept["test_labels"]) == pytest.approx(
        summary["final"]["test"]["r2"]
    )
    assert "outputs.safetensors" in summary["files"]
    job({**described, "evaluation_images": 40}, diabetes, tmp_path / "few")
    few = load_file(tmp_path / "few" / "outputs.safetensors")
    assert few["test_outputs"].shape == (40, 1)
    score = read_json(tmp_path / "few" / "summary.json")["final"]["test"]["r2"]
    assert targets.explained(few["test_outputs"], few["test_labels"]) == pytest.approx(score)
    job({**described, "outputs": []}, diabetes, tmp_path / "none")
    assert not (tmp_path / "none" / "outputs.safetensors").exists()


def test_what_learns_from_classes_refuses_a_number(number_run, diabetes):
    blocks = {"name": "blockwise", "order": "together", "signal": {"name": "sub_model"}}
    described = {**number_run, "network": {"name": "mlp", "width": 4}, "strategy": blocks}
    with pytest.raises(UserError, match="learns from classes, but dataset 'diabetes' has a number"):
        make_task(described, diabetes, CPU)
    model = Model(evolving.build((3, 1, 1), 1), ((3, 1, 1), (3,), (1,)), 1, "number")
    with pytest.raises(UserError):
        by_worth.check(model)
    cropped = {**number_run, "augmentations": [{"name": "random_crop"}]}
    with pytest.raises(UserError, match="needs images, which dataset 'diabetes' has not"):
        make_task(cropped, diabetes, CPU)


def test_seeds_draw_their_own_rows_and_members_share_them(number_run, diabetes):
    def rows(**changes):
        return make_task({**number_run, **changes}, diabetes, CPU)

    first, other, member = rows(), rows(seed=9), rows(member=1)
    test = "test"
    assert not torch.equal(first.splits[test].images, other.splits[test].images)
    assert torch.equal(first.splits[test].images, member.splits[test].images)
    assert not torch.equal(first.order(0), member.order(0))
    weights = [next(task.network.parameters()) for task in (first, member)]
    assert not torch.equal(*weights)
    assert rows(member=2).seed != member.seed != first.seed == number_run["seed"]


def test_validation_images_are_there_for_an_edit_alone(number_run, diabetes):
    assert "validation" in make_task(evolves(number_run), diabetes, CPU).splits
    assert "validation" not in make_task(number_run, diabetes, CPU).splits
    told = "validation is 0"
    with pytest.raises(UserError, match=told):
        make_task({**evolves(number_run, judge="validation"), "validation": 0}, diabetes, CPU)


def columns_of(count=120, numbers=False, seed=1):
    torch.manual_seed(seed)
    columns = torch.randn(count, 4, dtype=torch.float64)
    product = columns[:, 0] * columns[:, 1]
    labels = product[:, None].float() if numbers else (product > 0).long()
    return columns, labels


PRODUCT = Mutation(Op("multiply", (Column(0), Column(1))), ())
SUM = Mutation(Op("add", (Column(2), Column(3))), ())


def test_the_gain_of_a_number_is_that_of_the_best_line():
    columns, labels = columns_of(numbers=True)
    outputs = 0.3 * torch.randn(120, 1, dtype=torch.float64)
    found = gains(columns, [PRODUCT, SUM], outputs, labels)
    left = (labels - outputs).numpy()[:, 0]
    for gain, (a, b, op) in zip(found, ((0, 1, np.multiply), (2, 3, np.add)), strict=True):
        x = op(columns[:, a].numpy(), columns[:, b].numpy())
        x = x - x.mean()
        slope = (x @ left) / (x @ x)
        # The bias is not moved beside it.
        best = (left**2).mean() - ((left - slope * x) ** 2).mean()
        assert float(gain) == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("numbers", [False, True])
def test_held_out_gains_are_the_loss_before_and_after_that_step(numbers):
    columns, labels = columns_of(numbers=numbers)
    outputs = 0.1 * torch.randn(120, 1 if numbers else 2, dtype=torch.float64)
    parts = columns[:80], columns[80:]
    found = held_out_gains(
        parts, [PRODUCT, SUM], (outputs[:80], outputs[80:]), (labels[:80], labels[80:])
    )
    x = columns[:, 0] * columns[:, 1]
    apart = x - x[:80].mean()
    error = targets.errors(outputs[:80], labels[:80])
    step = -(1 if numbers else 2) * (apart[:80] @ error / 80) / apart[:80].square().mean()
    before = targets.loss(outputs[80:], labels[80:])
    after = targets.loss(outputs[80:] + apart[80:, None] * step, labels[80:])
    assert float(found[0]) == pytest.approx(float(before - after), rel=1e-6)
    assert found[0] > found[1]
    if numbers:
        # On the rows that the step was made for, it brings what is promised.
        same = held_out_gains(parts[:1] * 2, [PRODUCT], (outputs[:80],) * 2, (labels[:80],) * 2)
        promised = gains(parts[0], [PRODUCT], outputs[:80], labels[:80])
        assert float(same) == pytest.approx(float(promised), rel=1e-6)


@pytest.mark.parametrize("numbers", [False, True])
def test_a_judge_lets_nothing_in_that_held_out_images_do_not_gain_by(numbers, run, digits):
    """Labels that say nothing: what fits the training rows is no gain on others."""
    described = {**evolves(run), "validation": 0.2, "train_images": 200}
    task = make_task(described, digits, CPU)
    layer = next(iter(growing(task.network).values()))
    torch.manual_seed(0)
    train, held = task.splits["train"], task.splits["validation"]

    def noise(batch):
        labels = (
            torch.randn(len(batch.labels), 10) if numbers else torch.randint(10, batch.labels.shape)
        )
        return Batch(batch.images, labels)

    place = (task.seed, 1, False, task.optimiser)
    before = len(layer.graph.ops)
    editing = Surgery(task.network, noise(train), noise(held), *place)
    evolve.edit(editing, prunes=0, adds=12, judge="validation")
    came = len(layer.graph.ops) - before
    evolve.edit(editing, prunes=0, adds=12, judge="training")
    assert came < 12 == len(layer.graph.ops) - before - came


def test_what_evolves_by_validation_learns_a_number(number_run, diabetes):
    described = evolves(number_run, judge="validation", candidates=4, by="loss")
    task, progress = done({**described, "epochs": 8}, diabetes)
    assert progress.diverged_at is None
    scores = [row.r2 for row in progress.rows if row.split == "test"]
    assert scores[-1] > 0.2
    again, _ = done({**described, "epochs": 8}, diabetes)
    for mine, other in zip(
        task.network.state_dict().values(), again.network.state_dict().values(), strict=True
    ):
        assert torch.equal(mine, other)


def test_an_equal_perceptron_has_no_more_parameters_and_one_more_neuron_would():
    for inputs, classes, operations, share in (
        (13, 3, 60, 0.3),
        (64, 10, 60, 0.3),
        (10, 1, 40, 0.0),
    ):
        paid = (inputs + operations + 1) * classes + round(share * operations)
        net = equal_mlp.build((inputs, 1, 1), classes, operations=operations, constants=share)
        count = sum(parameter.numel() for parameter in net.parameters())
        assert count <= paid < count + inputs + 1 + classes
    tiny = equal_mlp.build((50, 1, 1), 2, operations=1, constants=0.0)
    assert tiny.hidden.linear.out_features == 1


def test_the_probe_of_graphs_says_what_the_graph_is(run, digits):
    task = make_task({**evolves(run), "train_images": 200}, digits, CPU)
    task.network.eval()
    found = {
        (r.stage, r.name): r.value for r in graph.probe(task.view(task.prepare(task.phases[0])[0]))
    }
    layer = next(iter(growing(task.network).values()))
    assert found["graph", "operations"] == 4 == len(layer.graph.ops)
    assert found["graph", "depth"] == max(layer.graph.levels)
    assert found["graph", "leaves"] == sum(layer.graph.leaves)
    assert found["graph", "constants"] == layer.graph.constants
    total = sum(parameter.numel() for parameter in task.network.parameters())
    assert found["graph", "parameters"] == total
    weight = task.network.output.linear.weight.detach()
    with torch.no_grad():
        columns = task.network.graph(task.splits["train"].images)
    each = for_classes(columns, weight)
    assert found["graph", "importance_inputs"] == pytest.approx(float(each[:64].sum()))
    assert found["graph", "importance_operations"] == pytest.approx(float(each[64:].sum()))
    assert found["graph", "importance_most"] == pytest.approx(float(each[64:].max()))
    plain = make_task(run, digits, CPU)
    said = list(graph.probe(plain.view(plain.prepare(plain.phases[0])[0])))
    assert [(r.stage, r.name) for r in said] == [("hidden", "parameters")]


def test_the_probe_of_inference_leaves_the_network_alone(run, digits):
    task = make_task({**run, "train_images": 40}, digits, CPU)
    before = {name: value.clone() for name, value in task.network.state_dict().items()}
    view = task.view(task.prepare(task.phases[0])[0])
    said = list(inference.probe(view, images=(1, 100), repeats=3))
    assert [reading.name for reading in said] == ["seconds_1", "seconds_100"]
    assert all(reading.value > 0 and reading.stage == "output" for reading in said)
    for name, value in task.network.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_linear_network_is_one_stage():
    names = [name for name, _ in linear.build((3, 2, 2), 5).named_children()]
    assert names == list(linear.STAGES)


def test_a_config_of_shares_is_checked(tmp_path):
    text = """
size: x
studies:
  evolution:
    title: x
    datasets: [wine]
    seeds: [0]
    run: {network: linear, epochs: 1, validation: 0, outputs: [validation]}
    variants: {linear: {}}
"""
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"outputs has 'validation' but run.validation is 0"):
        load_config(path)
    path.write_text(text.replace("validation: 0,", "validation: 0.25,"))
    (study,) = load_config(path).studies.values()
    assert study.variants[0].run["validation"] == 0.25

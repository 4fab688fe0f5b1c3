"""The metric of neurons' importance against the network itself with neurons switched off."""

import itertools
import math
from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.nn import functional

from sidestep.data.load import load, normalise, split
from sidestep.datasets.digits import DATASET
from sidestep.errors import UserError
from sidestep.importance import MEASURES, PROXIES
from sidestep.measuring.snapshot import Library, Snapshot, geometric_grid
from sidestep.metrics import neuron_importance
from sidestep.metrics.neuron_importance import ORDERS, area, kendall
from sidestep.networks import mlp, mnist_cnn

WIDTH = 20


class Gate(nn.Module):
    """Multiplies each neuron's output by a number of its own."""

    def __init__(self, factors):
        super().__init__()
        self.register_buffer("factors", factors)

    def forward(self, hidden):
        return hidden * self.factors


@pytest.fixture(scope="module")
def parts(digits):
    return split(load(digits), 300)


def taught(parts, width=WIDTH):
    """A network taught a little, one neuron killed."""
    torch.manual_seed(width)
    network = mlp.build(DATASET.shape, DATASET.classes, width=width)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    images, labels = normalise(parts["train"].images, DATASET), parts["train"].labels
    for _ in range(40):
        optimiser.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        optimiser.step()
    with torch.no_grad():
        network[0].linear.bias[0] = -1e3
    return network.eval()


def snapshot_of(network, parts, splits=("train", "validation", "test"), last=True, seed=0):
    given = {name: parts[name] for name in splits}
    return Snapshot(network, 3, last, seed, Library(DATASET, given), tuple(splits))


@pytest.fixture
def snapshot(parts):
    return snapshot_of(taught(parts), parts)


def table(rows):
    """Rows by metric: component → value, and the splits seen."""
    found, splits = {}, {}
    for row in rows:
        found.setdefault(row.metric, {})[row.component] = row.value
        splits.setdefault(row.metric, set()).add(row.images)
    return found, splits


def score(snapshot, images, kept, count=None):
    """Loss and accuracy over a split of the network whose other neurons give 0, float64."""
    x = snapshot.library.normalised(images)[:count].double()
    labels = snapshot.labels(images)[:count]
    mask = torch.zeros(WIDTH, dtype=torch.float64)
    mask[list(kept)] = 1
    output = snapshot.network[1].linear
    with torch.no_grad():
        hidden = snapshot.network[0](x.float()).double() * mask
        logits = hidden @ output.weight.double().T + output.bias.double()
    accuracy = float((logits.argmax(1) == labels).double().mean())
    return float(functional.cross_entropy(logits, labels)), accuracy


@pytest.mark.parametrize(("images", "count"), [("train", 2000), ("validation", 100)])
def test_zeroing_is_the_increase_of_the_networks_loss(snapshot, images, count):
    found, splits = table(neuron_importance.measure(snapshot, images=images, count=count))
    whole = score(snapshot, images, range(WIDTH), count)[0]
    assert list(found["importance_zeroing"]) == list(range(WIDTH))
    for neuron, value in found["importance_zeroing"].items():
        kept = set(range(WIDTH)) - {neuron}
        assert value == pytest.approx(score(snapshot, images, kept, count)[0] - whole, abs=1e-6)
    for name in MEASURES:
        assert len(found[f"importance_{name}"]) == WIDTH
        assert splits[f"importance_{name}"] == {images}
    for name in ("zeroing", "spread", "gradient_times_activation", "fisher"):
        assert found[f"importance_{name}"][0] == 0.0


def test_norms_are_those_of_the_two_layers(snapshot):
    found, _ = table(neuron_importance.measure(snapshot))
    hidden = snapshot.network[0].linear.weight.detach()
    output = snapshot.network[1].linear.weight.detach()
    for neuron in range(WIDTH):
        assert found["importance_incoming_norm"][neuron] == pytest.approx(
            float(hidden[neuron].norm()), rel=1e-5
        )
        assert found["importance_outgoing_norm"][neuron] == pytest.approx(
            float(output[:, neuron].norm()), rel=1e-5
        )


@pytest.mark.parametrize("name", MEASURES)
def test_what_an_order_keeps_is_the_network_without_the_other_neurons(snapshot, name):
    found, splits = table(neuron_importance.measure(snapshot))
    importance = found[f"importance_{name}"]
    order = sorted(range(WIDTH), key=lambda neuron: -importance[neuron])
    accuracies, losses = found[f"accuracy_kept_{name}"], found[f"loss_kept_{name}"]
    assert list(accuracies) == list(losses) == list(geometric_grid(WIDTH, 1.5))
    for k in accuracies:
        loss, accuracy = score(snapshot, "test", order[:k])
        assert losses[k] == pytest.approx(loss, rel=1e-5)
        # Another order of sums may tip one image that lies on a boundary.
        assert accuracies[k] == pytest.approx(accuracy, abs=1.5 / len(snapshot.labels("test")))
    assert splits[f"accuracy_kept_{name}"] == splits[f"loss_kept_{name}"] == {"test"}
    assert list(found[f"area_kept_{name}"]) == [None]


def test_all_orders_meet_where_nothing_and_where_everything_is_kept(snapshot):
    found, _ = table(neuron_importance.measure(snapshot))
    seen = snapshot.score("test")
    for name in ORDERS:
        losses = found[f"loss_kept_{name}"]
        assert losses[0] == found["loss_kept_zeroing"][0]
        assert losses[WIDTH] == pytest.approx(seen.loss, rel=1e-5)


def test_an_order_of_importance_keeps_more_than_a_random_one(snapshot):
    found, _ = table(neuron_importance.measure(snapshot))
    areas = {name: found[f"area_kept_{name}"][None] for name in ORDERS}
    assert areas["zeroing"] > areas["random"] + 0.02
    assert all(0 < value < 1 for value in areas.values())


def test_the_random_order_is_one_of_the_runs_seed(snapshot, parts):
    def rows(seed):
        other = snapshot_of(snapshot.network, parts, seed=seed)
        return table(neuron_importance.measure(other))[0]

    assert rows(1)["accuracy_kept_random"] == rows(1)["accuracy_kept_random"]
    assert rows(1)["accuracy_kept_random"] != rows(2)["accuracy_kept_random"]
    assert rows(1)["accuracy_kept_zeroing"] == rows(2)["accuracy_kept_zeroing"]


def test_rank_correlations_are_kendalls_by_hand(snapshot):
    found, splits = table(neuron_importance.measure(snapshot))
    exact = found["importance_zeroing"]
    for name in PROXIES:
        proxy = found[f"importance_{name}"]
        concordance, x_ties, y_ties, pairs = 0, 0, 0, 0
        for a, b in itertools.combinations(range(WIDTH), 2):
            x, y = proxy[a] - proxy[b], exact[a] - exact[b]
            concordance += ((x > 0) - (x < 0)) * ((y > 0) - (y < 0))
            x_ties, y_ties, pairs = x_ties + (x == 0), y_ties + (y == 0), pairs + 1
        wanted = concordance / math.sqrt((pairs - x_ties) * (pairs - y_ties))
        assert found[f"rank_correlation_{name}"] == {None: pytest.approx(wanted, abs=1e-12)}
        assert splits[f"rank_correlation_{name}"] == {"train"}


def test_kendall_counts_ties_and_is_undefined_where_nothing_varies():
    x = torch.tensor([1.0, 2.0, 2.0, 3.0], dtype=torch.float64)
    assert kendall(x, x) == pytest.approx(1.0)
    assert kendall(x, -x) == pytest.approx(-1.0)
    # Five of six pairs are ordered in x, all in y, and all five alike.
    assert kendall(x, torch.arange(4.0)) == pytest.approx(5 / math.sqrt(5 * 6))
    assert math.isnan(kendall(x, torch.ones(4))) and math.isnan(kendall(torch.ones(4), x))
    assert math.isnan(kendall(x[:2], x[:2]))


def test_the_area_is_a_mean_over_octaves():
    assert area([0, 1, 2, 4], [0.1, 0.5, 0.5, 0.5]) == 0.5
    assert area([0, 1, 2, 8], [0.1, 0.0, 1.0, 1.0]) == pytest.approx((0.5 + 2.0) / 3)
    assert area([0, 1], [0.1, 0.7]) == 0.7


def test_before_the_last_epoch_only_the_importances_are_given(parts):
    snapshot = snapshot_of(taught(parts), parts, last=False)
    found, _ = table(neuron_importance.measure(snapshot))
    assert set(found) == {f"importance_{name}" for name in MEASURES}


def test_without_test_images_the_orders_are_judged_on_the_split_itself(parts):
    snapshot = snapshot_of(taught(parts), parts, splits=("train", "validation"))
    _, splits = table(neuron_importance.measure(snapshot, images="validation"))
    assert splits["accuracy_kept_fisher"] == splits["area_kept_random"] == {"validation"}


def test_one_neuron_has_no_ranks_but_an_area(parts):
    found, _ = table(neuron_importance.measure(snapshot_of(taught(parts, 1), parts)))
    assert math.isnan(found["rank_correlation_fisher"][None])
    assert found["area_kept_zeroing"][None] == found["accuracy_kept_zeroing"][1]


def test_a_gate_is_part_of_the_output(parts):
    plain = taught(parts)
    factors = torch.linspace(0.0, 2.0, WIDTH)
    gated = nn.Sequential(
        OrderedDict(
            hidden=nn.Sequential(
                OrderedDict([*plain[0].named_children(), ("gate", Gate(factors))])
            ),
            output=plain[1],
        )
    ).eval()
    # The same function without a gate: its factors, none negative, moved into the output's weights.
    with torch.no_grad():
        moved = mlp.build(DATASET.shape, DATASET.classes, width=WIDTH)
        moved.load_state_dict(plain.state_dict())
        moved[1].linear.weight *= factors
    one, _ = table(neuron_importance.measure(snapshot_of(gated, parts)))
    other, _ = table(neuron_importance.measure(snapshot_of(moved.eval(), parts)))
    for name in ("zeroing", "gradient_times_activation", "fisher"):
        assert one[f"importance_{name}"] == pytest.approx(
            other[f"importance_{name}"], rel=1e-4, abs=1e-8
        )
    spread = table(neuron_importance.measure(snapshot_of(plain, parts)))[0]["importance_spread"]
    for neuron, value in one["importance_spread"].items():
        assert value == pytest.approx(float(factors[neuron]) * spread[neuron], rel=1e-5)


@pytest.mark.parametrize("images", ["train", "noise"])
def test_networks_without_a_hidden_linear_layer_are_refused(parts, images):
    network = mnist_cnn.build(DATASET.shape, DATASET.classes, channels=4, hidden=12).eval()
    with pytest.raises(UserError, match="first stage is a linear layer, such as 'mlp'"):
        list(neuron_importance.measure(snapshot_of(network, parts), images=images))


def test_networks_whose_output_is_more_than_a_linear_layer_are_refused(parts):
    plain = taught(parts)
    deeper = nn.Sequential(
        OrderedDict(hidden=plain[0], output=nn.Sequential(nn.ReLU(), plain[1].linear))
    )
    longer = nn.Sequential(OrderedDict(hidden=plain[0], middle=nn.ReLU(), output=plain[1]))
    for network in (deeper, longer):
        with pytest.raises(UserError, match="one hidden linear layer and a linear output"):
            list(neuron_importance.measure(snapshot_of(network.eval(), parts)))


def test_a_split_that_the_run_lacks_is_named(parts):
    snapshot = snapshot_of(taught(parts), parts, splits=("train", "test"))
    with pytest.raises(UserError, match="'validation'"):
        list(neuron_importance.measure(snapshot, images="validation"))

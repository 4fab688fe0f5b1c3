"""Neurons taken out and put in: what is computed, what the optimiser remembers, what is stored."""

import pytest
import torch

from sidestep import surgery
from sidestep.building import build_network
from sidestep.errors import UserError
from sidestep.registry import load
from sidestep.surgery import gates_of, grow, keep, slices
from sidestep.training.optimiser import Optimiser, named_parameters, own_settings

DIGITS = load("datasets", "digits").DATASET
NETWORKS = [
    ({"name": "mlp", "width": 12}, ("hidden",)),
    ({"name": "mnist_cnn", "channels": 4, "hidden": 10}, ("conv1", "conv2", "dense")),
    (
        {"name": "mnist_cnn", "channels": 4, "hidden": 10, "stage_ends": "before_pool"},
        ("conv1", "conv2", "dense"),
    ),
    ({"name": "deep_mlp", "width": 7}, None),
    ({"name": "basic_cnn", "channels": 5, "hidden": 9}, ("block1", "block2", "block3")),
    ({"name": "vgg11", "width": 3}, None),
    ({"name": "vgg11c", "width": 3, "hidden": 8}, None),
    ({"name": "dgl_cnn", "channels": 4}, None),
    ({"name": "four_layer_cnn", "channels": 4}, None),
]


def gated(run, network, stages, gate="sparsified"):
    if stages is None:
        from sidestep.settings import stages_of

        stages = stages_of(network["name"])[:-1]
    described = {
        **run,
        "network": network,
        "gates": {stage: {"name": gate} for stage in stages},
    }
    return build_network(described, DIGITS), stages


def stir(network, images):
    """Give normalisations statistics and weights that are not those of the first moment."""
    network.train()
    for _ in range(3):
        network(images)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    network.eval()


@pytest.mark.parametrize(("network", "stages"), NETWORKS)
def test_logits_stay_when_the_dead_are_taken_out(run, network, stages):
    torch.manual_seed(0)
    images = torch.randn(16, *DIGITS.shape)
    net, stages = gated(run, network, stages)
    stir(net, images)
    for gate in gates_of(net).values():
        with torch.no_grad():
            gate.liveness[torch.randperm(gate.neurons)[: gate.neurons // 2]] = -0.1
    expected = net(images)
    parameters = sum(p.numel() for p in net.parameters())
    for stage, gate in gates_of(net).items():
        keep(net, stage, (~gate.dead()).nonzero().flatten())
    assert torch.allclose(net(images), expected, atol=1e-5)
    assert sum(p.numel() for p in net.parameters()) < 0.75 * parameters


def test_logits_stay_when_what_the_absolute_form_calls_dead_goes(run):
    described = {
        **run,
        "network": {"name": "mlp", "width": 12},
        "gates": {"hidden": {"name": "sparsified", "form": "absolute", "tolerance": 0.01}},
    }
    net = build_network(described, DIGITS).eval()
    gate = gates_of(net)["hidden"]
    with torch.no_grad():
        gate.liveness[:5] = torch.tensor([0.009, -0.009, 0.0, 0.5, -0.5])
    images = torch.randn(16, *DIGITS.shape)
    expected = net(images).detach()
    keep(net, "hidden", (~gate.dead()).nonzero().flatten())
    assert gate.neurons == 9
    assert torch.allclose(net(images), expected, atol=1e-6)


@pytest.mark.parametrize(("network", "stages"), NETWORKS)
def test_logits_stay_when_neurons_come_and_the_new_ones_can_learn(run, network, stages):
    torch.manual_seed(1)
    images = torch.randn(16, *DIGITS.shape)
    net, stages = gated(run, network, stages)
    stir(net, images)
    expected = net(images).detach()
    for stage in stages:
        grow(net, stage, 12)
    assert torch.allclose(net(images), expected, atol=1e-5)
    torch.nn.functional.cross_entropy(net(images), torch.arange(16) % 10).backward()
    for stage in stages:
        reader = slices(net, stage)[-1]
        new = reader.tensor.grad[:, -12 * reader.block :]
        assert new.abs().sum() > 0


@pytest.mark.parametrize(("network", "stages"), NETWORKS)
def test_any_order_of_neurons_computes_the_same(run, network, stages):
    torch.manual_seed(2)
    images = torch.randn(16, *DIGITS.shape)
    net, stages = gated(run, network, stages)
    stir(net, images)
    expected = net(images).detach()
    for stage, gate in gates_of(net).items():
        keep(net, stage, torch.randperm(gate.neurons))
    assert torch.allclose(net(images), expected, atol=1e-5)


def test_the_optimiser_keeps_what_it_knew_of_the_living_and_knows_nothing_of_the_new(run):
    net, _ = gated(run, {"name": "mlp", "width": 6}, ("hidden",))
    optimiser = Optimiser({"name": "adam", "lr": 0.01}, named_parameters(net, []))
    torch.manual_seed(3)
    images, labels = torch.randn(20, *DIGITS.shape), torch.arange(20) % 10

    def step():
        focus = optimiser.focus(net.parameters())
        torch.nn.functional.cross_entropy(net(images), labels).backward()
        focus.update(1.0)

    step()
    held = {name: id(p) for name, p in net.named_parameters()}
    before = {name: [s.clone() for s in slots] for name, slots in optimiser.state.items()}
    chosen = torch.tensor([5, 0, 3])
    keep(net, "hidden", chosen, optimiser.state)
    grow(net, "hidden", 2, optimiser.state)
    assert {name: id(p) for name, p in net.named_parameters()} == held
    for part in slices(net, "hidden"):
        name = f"{part.path}.{part.name}"
        for old, new in zip(before[name], optimiser.state[name], strict=True):
            assert new.shape == part.tensor.shape
            assert torch.equal(new.narrow(part.dim, 0, 3), old.index_select(part.dim, chosen))
            assert not new.narrow(part.dim, 3, 2).any()
    step()
    assert net[0].linear.out_features == 5 and net[1].linear.in_features == 5


def test_a_step_after_removal_moves_the_living_as_it_would_have(run):
    """Dead neurons get no gradient and give none: the others learn bit by bit the same without them."""
    images = torch.randn(20, *DIGITS.shape, generator=torch.Generator().manual_seed(4))
    labels = torch.arange(20) % 10
    nets = []
    for remove in (False, True):
        net, _ = gated(run, {"name": "mlp", "width": 8}, ("hidden",))
        gate = gates_of(net)["hidden"]
        with torch.no_grad():
            gate.liveness[torch.tensor([1, 4, 6])] = -0.5
        optimiser = Optimiser(
            {"name": "adam", "lr": 0.01}, named_parameters(net, []), own=own_settings(net)
        )
        for index in range(6):
            if remove and index == 2:
                keep(net, "hidden", (~gate.dead()).nonzero().flatten(), optimiser.state)
            focus = optimiser.focus(net.parameters())
            torch.nn.functional.cross_entropy(net(images), labels).backward()
            focus.update(1.0)
        nets.append(net)
    whole, small = nets
    alive = torch.tensor([0, 2, 3, 5, 7])
    assert torch.allclose(whole[0].linear.weight[alive], small[0].linear.weight, atol=1e-6)
    assert torch.allclose(whole(images), small(images), atol=1e-5)


def test_another_size_is_read_back_from_a_state_dictionary(run):
    small, _ = gated(run, {"name": "mlp", "width": 9}, ("hidden",))
    keep(small, "hidden", torch.tensor([0, 4, 8]))
    for count in (2, 9, 30):
        fresh, _ = gated(run, {"name": "mlp", "width": count}, ("hidden",))
        surgery.restore(fresh, small.state_dict())
        images = torch.randn(4, *DIGITS.shape)
        assert torch.equal(fresh.eval()(images), small.eval()(images))


def test_nothing_loses_its_last_neuron(run):
    net, _ = gated(run, {"name": "mlp", "width": 4}, ("hidden",))
    with pytest.raises(ValueError, match="last neuron"):
        keep(net, "hidden", torch.tensor([], dtype=torch.long))


@pytest.mark.parametrize(
    ("network", "stage", "sentence"),
    [
        ({"name": "wide_resnet", "depth": 10, "width": 1, "layer": {"name": "dense"}}, "group1",
         "cannot be gated"),
        ({"name": "mlp", "width": 4}, "output", "it is the last one"),
    ],
)  # fmt: skip
def test_stages_that_cannot_be_gated_are_told(run, network, stage, sentence):
    with pytest.raises(UserError, match=sentence):
        gated(run, network, (stage,))

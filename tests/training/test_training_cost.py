"""Counts against PyTorch's own counter and closed forms."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sidestep import cost


def test_counts_equal_those_of_pytorchs_counter_forward_and_backward():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 6 * 6, 5)
    )
    images = torch.randn(4, 3, 6, 6)

    def work():
        network(images).sum().backward()

    with FlopCounterMode(display=False) as reference:
        work()
    assert cost.mult_adds(work) == reference.get_total_flops() // 2 > 0


def test_one_image_through_a_linear_layer_is_its_number_of_weights():
    assert cost.mult_adds_forward(nn.Linear(7, 3), torch.ones(1, 7)) == 21


def test_shared_parameters_count_once_and_buffers_are_stored_but_not_trained():
    shared = nn.Linear(4, 4)
    network = nn.Sequential(shared, shared, nn.BatchNorm1d(4))
    assert cost.parameters(network) == 4 * 4 + 4 + 8
    # Two running statistics in float32 and a counter in int64, beside the parameters as stored.
    assert cost.stored_bytes(network) == 4 * (2 * 20 + 8 + 8) + 8

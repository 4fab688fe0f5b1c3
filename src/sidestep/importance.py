"""How important each hidden neuron is: the exact increase of the loss without it, and what stands for it.

A hidden layer's outputs h (images × neurons) go into a linear layer (weight classes × neurons, bias
classes) that gives the logits. The perfect order of the neurons is that of "the decreasing impact on
the loss if this neuron would be set to zero" (seeds/003); it is exact here, and the proxies are
cheaper. First-order Taylor: Molchanov et al. 2017 (arXiv:1611.06440) and 2019 (arXiv:1906.10771);
Fisher information: Theis et al. 2018 (arXiv:1801.05787).
"""

from collections.abc import Iterator

import torch
from torch import Tensor

PROXIES = ("spread", "incoming_norm", "outgoing_norm", "gradient_times_activation", "fisher")
MEASURES = ("zeroing", *PROXIES)

# Values of a block of hidden outputs: the block and its scratch stay near the core between passes.
BLOCK_VALUES = 1 << 18
# Neurons that cannot move one logit against another by more than this are computed in float32: the
# rounding of the exponent is then at most 1e-6 of a nat, and nothing overflows.
QUIET = 16.0
# Images to whose class the network gives less than this are computed in float64: without a neuron
# all but this share of the probability may vanish, and in float32 the rest would be rounding.
HARD = 1 / 32
# Probabilities below this are zero in float32; times exp(QUIET) they are still beyond notice, and
# numbers too small for the normal format are slow.
FAINT = 1e-30


def importances(
    hidden: Tensor, incoming: Tensor, weight: Tensor, bias: Tensor, labels: Tensor
) -> dict[str, Tensor]:
    """All of `MEASURES` in that order, each of shape (w,), float64; larger is more important.

    Args:
        hidden: outputs of the hidden layer, N×w.
        incoming: weight of the layer before, w×d.
        weight: of the layer after, C×w.
        bias: of the layer after, C.
        labels: N.

    Raises:
        ValueError: shapes that do not fit, or no images.
    """
    return {
        "zeroing": zeroing_increase(hidden, weight, bias, labels),
        "spread": spread(hidden),
        "incoming_norm": incoming_norm(incoming),
        "outgoing_norm": outgoing_norm(weight),
        "gradient_times_activation": gradient_times_activation(hidden, weight, bias, labels),
        "fisher": fisher(hidden, weight, bias, labels),
    }


@torch.no_grad()
def zeroing_increase(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor,
    labels: Tensor,
    *,
    block_values: int = BLOCK_VALUES,
) -> Tensor:
    """Mean increase of the cross-entropy when a neuron's output is set to zero, for each neuron.

    With p the probabilities of the whole network and y the label, image i without neuron j loses
    log Σ_c p_ic exp(h_ij (W_yj − W_cj)) more. That is log1p Σ_{c≠y} p_ic expm1(…), which has no
    cancellation where the loss hardly changes; the images are taken class by class so that the
    differences of weights are the same for a whole block. One pass over the images serves all
    neurons: the cost is one exponential for each image, neuron and class.

    Args:
        hidden: outputs of the hidden layer, N×w; of any sign.
        weight: C×w.
        bias: C.
        labels: N.
        block_values: values of `hidden` looked at together, which bounds the memory.

    Returns:
        Nats, shape (w,), float64, negative where the network is better without the neuron. Exactly
        0 for a neuron that is 0 on all images or has the same weight to all classes.

    Raises:
        ValueError: shapes that do not fit, or no images.
    """
    _check(hidden, weight, bias, labels)
    width = weight.shape[1]
    log_p = _log_probabilities(hidden, weight, bias, block_values)
    own = log_p.gather(1, labels[:, None])[:, 0]
    weight = weight.double()
    reach = hidden.abs().amax(0).double() * (weight.amax(0) - weight.amin(0))
    quiet = (reach > 0) & (reach <= QUIET)
    # What is not a number is neither quiet nor zero, and comes out as it is.
    loud = ~quiet & (reach != 0)
    hard = own.exp() < HARD
    total = torch.zeros(width, dtype=torch.float64, device=hidden.device)
    for label in range(len(weight)):
        apart = weight[label] - weight
        mine = labels == label
        easy_images, hard_images = (mine & ~hard).nonzero()[:, 0], (mine & hard).nonzero()[:, 0]
        all_images = mine.nonzero()[:, 0]
        for images, neurons, summed in (
            (easy_images, quiet, _increase_single),
            (hard_images, quiet, _increase_double),
            (all_images, loud, _increase_double),
        ):
            columns = neurons.nonzero()[:, 0]
            if not len(columns) or not len(images):
                continue
            some, differences = len(columns) < width, apart[:, columns]
            sums = torch.zeros(len(columns), dtype=torch.float64, device=hidden.device)
            for part in images.split(max(1, block_values // len(columns))):
                outputs = hidden.index_select(0, part)
                outputs = outputs.index_select(1, columns) if some else outputs
                sums += summed(outputs, differences, log_p[part], label)
            total[columns] += sums
    return total / len(labels)


def _increase_single(hidden: Tensor, apart: Tensor, log_p: Tensor, label: int) -> Tensor:
    """Sum over images of one class of the increases, float32 within; for what is quiet and easy.

    Args:
        hidden: n×w.
        apart: the label's weights minus each class's, C×w.
        log_p: logarithms of the probabilities, n×C.
        label: the class of all the images.
    """
    hidden, apart = hidden.float(), apart.float()
    p = log_p.exp()
    p = torch.where(p < FAINT, 0.0, p).float()
    scratch = torch.empty_like(hidden)
    gained = torch.zeros_like(hidden)
    for other in range(len(apart)):
        if other != label:
            torch.mul(hidden, apart[other], out=scratch)
            gained.addcmul_(scratch.expm1_(), p[:, other : other + 1])
    return gained.log1p_().sum(0, dtype=torch.float64)


def _increase_double(hidden: Tensor, apart: Tensor, log_p: Tensor, label: int) -> Tensor:
    """The same in float64, shifted by the largest exponent: no exponential overflows or is lost."""
    hidden = hidden.double()
    largest = log_p[:, label : label + 1].expand_as(hidden).clone()
    scratch = torch.empty_like(hidden)
    for other in range(len(apart)):
        if other != label:
            torch.addcmul(log_p[:, other : other + 1], hidden, apart[other], out=scratch)
            torch.maximum(largest, scratch, out=largest)
    summed = torch.zeros_like(hidden)
    for other in range(len(apart)):
        torch.addcmul(log_p[:, other : other + 1], hidden, apart[other], out=scratch)
        summed += scratch.sub_(largest).exp_()
    return summed.log_().add_(largest).sum(0)


@torch.no_grad()
def spread(hidden: Tensor) -> Tensor:
    """Standard deviation of each neuron's output over the images, divisor N; (w,), float64.

    Exactly 0 for an output that does not vary.

    Raises:
        ValueError: `hidden` is no matrix, or has no images.
    """
    if hidden.ndim != 2 or not len(hidden):
        raise ValueError(f"hidden {tuple(hidden.shape)} is not images × neurons")
    # Around the first image's output, so that a large mean costs no digits.
    shift = hidden[0].double()
    first, second = torch.zeros_like(shift), torch.zeros_like(shift)
    for _, part in _blocks(hidden):
        apart = part.double() - shift
        first += apart.sum(0)
        second += apart.square_().sum(0)
    n = len(hidden)
    return (second / n - (first / n).square()).clamp_(min=0.0).sqrt_()


@torch.no_grad()
def incoming_norm(weight: Tensor) -> Tensor:
    """Euclidean norm of what comes in, per neuron: of the rows of `weight` (w×d); (w,), float64."""
    return weight.double().square().sum(1).sqrt()


@torch.no_grad()
def outgoing_norm(weight: Tensor) -> Tensor:
    """Euclidean norm of what goes out, per neuron: of the columns of `weight` (C×w); (w,), float64."""
    return weight.double().square().sum(0).sqrt()


@torch.no_grad()
def gradient_times_activation(
    hidden: Tensor, weight: Tensor, bias: Tensor, labels: Tensor
) -> Tensor:
    """|mean over images of h_j · ∂loss_i/∂h_j|, the increase to first order; (w,), float64, nats.

    Molchanov et al. 2017, equation 8. Shapes and errors as of `zeroing_increase`. The images are
    summed first, hᵀ (softmax − onehot), and only then met with the weights.
    """
    _check(hidden, weight, bias, labels)
    error = _error(hidden, weight, bias, labels)
    summed = torch.zeros(weight.shape, dtype=torch.float64, device=weight.device)
    for begin, part in _blocks(hidden):
        summed.addmm_(error[begin : begin + len(part)].T, part.double())
    return (summed * weight.double()).sum(0).div_(len(labels)).abs_()


@torch.no_grad()
def fisher(hidden: Tensor, weight: Tensor, bias: Tensor, labels: Tensor) -> Tensor:
    """Mean over images of (h_j · ∂loss_i/∂h_j)² / 2; (w,), float64.

    Theis et al. 2018, equation 5: the increase to second order around an optimum, the Hessian's
    diagonal replaced by the Fisher information's. Shapes and errors as of `zeroing_increase`.
    """
    _check(hidden, weight, bias, labels)
    error = _error(hidden, weight, bias, labels).to(hidden.dtype)
    summed = torch.zeros(weight.shape[1], dtype=torch.float64, device=weight.device)
    for begin, part in _blocks(hidden):
        slope = error[begin : begin + len(part)] @ weight.to(hidden.dtype)
        summed += slope.mul_(part).square_().sum(0, dtype=torch.float64)
    return summed / (2 * len(labels))


def _check(hidden: Tensor, weight: Tensor, bias: Tensor, labels: Tensor) -> None:
    shapes = tuple(tuple(one.shape) for one in (hidden, weight, bias, labels))
    if hidden.ndim != 2 or weight.ndim != 2 or not len(hidden):
        raise ValueError(f"hidden {shapes[0]} and weight {shapes[1]} are not both filled matrices")
    wanted = ((len(hidden), weight.shape[1]), shapes[1], (len(weight),), (len(hidden),))
    if shapes != wanted:
        raise ValueError(f"hidden, weight, bias and labels {shapes} do not fit: not {wanted}")


def _blocks(hidden: Tensor, block_values: int = BLOCK_VALUES) -> Iterator[tuple[int, Tensor]]:
    """Begin and rows of each block of images."""
    size = max(1, block_values // max(1, hidden.shape[1]))
    for begin in range(0, len(hidden), size):
        yield begin, hidden[begin : begin + size]


def _log_probabilities(
    hidden: Tensor, weight: Tensor, bias: Tensor, block_values: int = BLOCK_VALUES
) -> Tensor:
    """Logarithms of the probabilities that the whole network gives, N×C, float64."""
    weight, bias = weight.double(), bias.double()
    parts = [part.double() @ weight.T + bias for _, part in _blocks(hidden, block_values)]
    return torch.cat(parts).log_softmax(1)


def _error(hidden: Tensor, weight: Tensor, bias: Tensor, labels: Tensor) -> Tensor:
    """Each image's gradient of its loss by the logits, softmax − onehot, N×C, float64."""
    error = _log_probabilities(hidden, weight, bias).exp_()
    # p − 1 of the label loses what is left of it beside 1; minus the sum of the others does not.
    error.scatter_(1, labels[:, None], 0.0)
    return error.scatter_(1, labels[:, None], -error.sum(1, keepdim=True))

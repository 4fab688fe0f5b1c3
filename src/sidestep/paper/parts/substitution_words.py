"""Layers in words: their names, what they are, and why fewer operations may take more time."""

from collections.abc import Mapping, Sequence

from sidestep.paper.parts import formats as f
from sidestep.paper.parts.decoupled_words import plain
from sidestep.paper.parts.layerwise_words import code, named, sorted_out
from sidestep.statistics.intervals import Interval

# Of so many names each is told with its number; more are named alone, and the table has the numbers.
FEW = 4
NAMES = {
    "dense": "dense",
    "narrower": "narrower dense",
    "shallower": "shallower dense",
    "hashed": "hashed",
    "separable": "separable",
    "separable_hashed": "separable hashed",
    "low_rank": "low rank",
    "tied_low_rank": "tied low rank",
    "shuffle": "shuffle",
    "tensor_train": "tensor train",
    "tucker": "Tucker",
    "cp": "CP",
    "acdc": "ACDC",
    "monarch": "Monarch",
}
LINES = {
    "dense": "the convolution itself",
    "narrower": "a dense network with fewer channels in all groups, as many as the budget allows",
    "shallower": "a dense network with fewer blocks in all groups, as many as the budget allows",
    "hashed": "each weight of the convolution reads one of fewer shared values by a fixed random index, with a "
    "fixed random sign @chen2015compressing",
    "separable": "a depthwise convolution (3 × 3, each channel by itself), then a 1 × 1 convolution of all channels",
    "separable_hashed": "depthwise, then 1 × 1 with hashed weights",
    "low_rank": "depthwise, then 1 × 1 down to few channels and 1 × 1 up again",
    "tied_low_rank": "depthwise, then 1 × 1 down to few channels and up again by the transpose of the same matrix",
    "shuffle": "grouped 1 × 1 to a quarter of the outputs, a shuffle of the channels, depthwise, grouped 1 × 1 "
    "@zhang2018shufflenet, without the unit's activation and shortcut",
    "tensor_train": "depthwise, then 1 × 1 with a matrix that is a tensor train @novikov2015tensorizing",
    "tucker": "depthwise, then 1 × 1 with a matrix that is a small core enlarged along each dimension, a Tucker "
    "decomposition @kim2016compression",
    "cp": "depthwise, then 1 × 1 with a matrix that is a sum of outer products, a CP decomposition "
    "@lebedev2015speeding",
    "acdc": "depthwise, then 1 × 1 with a product of diagonal matrices and cosine transforms @moczulski2016acdc",
    "monarch": "depthwise, then 1 × 1 with two block-diagonal matrices and permutations @dao2022monarch",
}
_DEPTHWISE = (
    "a depthwise convolution does few products for each value that it moves and is bound by memory"
)
_ASSEMBLY = (
    "the matrix is assembled from its factors at every pass before it multiplies as a dense one"
)
REASONS = {
    "hashed": "a gather reads every weight of the dense convolution through its index at each pass",
    "separable": _DEPTHWISE,
    "separable_hashed": f"{_DEPTHWISE}, and a gather reads every weight of the 1 × 1 part through its index",
    "low_rank": f"{_DEPTHWISE}, as are two 1 × 1 convolutions with few channels between; three kernels run "
    "where there was one",
    "tied_low_rank": f"{_DEPTHWISE}, as are two 1 × 1 convolutions with few channels between; repeated inputs are "
    "added up first",
    "shuffle": f"{_DEPTHWISE}, the shuffle copies all channels, and groups leave small products",
    "tensor_train": f"{_ASSEMBLY}; {_DEPTHWISE}",
    "tucker": f"{_ASSEMBLY}; {_DEPTHWISE}",
    "cp": f"{_ASSEMBLY}; {_DEPTHWISE}",
    "acdc": "the matrix is assembled factor by factor, with the cosine transform as a dense matrix, or every place "
    f"passes through all transforms; {_DEPTHWISE}",
    "monarch": f"{_DEPTHWISE}, permutations copy all channels, and blocks leave small products",
    "narrower": "with fewer channels, less work stands against the fixed cost of each kernel",
    "shallower": "the fixed cost of each kernel stays",
}


def layer_words(layer: str) -> str:
    """A layer as a reader knows it."""
    return NAMES.get(layer, plain(layer.replace("_", " ")))


def sized(
    differences: Mapping[str, Interval], names: Sequence[str], show: f.Show = f.points
) -> str:
    """Names, each with its difference where they are few."""
    if len(names) > FEW:
        return named(names)
    known = {name: differences[name] for name in names if f.defined(differences[name].mean)}
    sizes = {
        name: f" ({f.estimate(each.mean, each.low, each.high, show)})"
        for name, each in known.items()
    }
    return f.listed([code(name) + sizes.get(name, "") for name in names])


def outcomes(
    differences: Mapping[str, Interval], words: Mapping[str, str], show: f.Show = f.points
) -> str:
    """`better for a (1 point); not separated for b`: every outcome that has a member, in the words' order."""
    groups = sorted_out(differences)
    return "; ".join(
        f"{text} for {sized(differences, groups[key], show)}"
        for key, text in words.items()
        if groups[key]
    )


def times(value: float) -> str:
    """`1.20 times`."""
    return f"{f.significant(value)} times"

"""The convolutional network of TensorFlow's “layers” tutorial for MNIST: 3,274,634 parameters at 28 × 28.

conv 5×5×32 – pool – conv 5×5×64 – pool – dense 1024 – dropout – dense 10, ReLU after all but the
last, Glorot-uniform weights (Glorot & Bengio 2010) and zero biases as `tf.layers` draws them. It has
four stages. A signal reads a stage's output: after the pool of a convolution as a rule, or before it,
as in the older work, if the stage ends there and the pool opens the next one; the function that the
network computes is the same.
"""

from collections import OrderedDict
from typing import Literal

from torch import nn

from sidestep.settings import Count, Fraction

STAGES = ("conv1", "conv2", "dense", "logits")


class _GlorotConv2d(nn.Conv2d):
    def reset_parameters(self) -> None:
        _glorot(self)


class _GlorotLinear(nn.Linear):
    def reset_parameters(self) -> None:
        _glorot(self)


def _glorot(layer: nn.Conv2d | nn.Linear) -> None:
    nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    channels: Count = 32,
    hidden: Count = 1024,
    dropout: Fraction = 0.4,
    stage_ends: Literal["after_pool", "before_pool"] = "after_pool",
) -> nn.Sequential:
    """Stages `conv1`, `conv2`, `dense` and `logits`.

    Args:
        input_shape: channels, height and width of an image, at least 4 × 4.
        classes: number of outputs.
        channels: of the first convolution; the second has twice as many.
        hidden: neurons of the dense layer.
        dropout: share of the dense layer's outputs that is set to zero while training.
        stage_ends: whether a convolution's stage ends after its pool or before it.
    """
    depth, height, width = input_shape
    first = OrderedDict[str, nn.Module](
        convolution=_GlorotConv2d(depth, channels, 5, padding=2), activation=nn.ReLU()
    )
    second = OrderedDict[str, nn.Module](
        convolution=_GlorotConv2d(channels, 2 * channels, 5, padding=2), activation=nn.ReLU()
    )
    dense = OrderedDict[str, nn.Module](
        flatten=nn.Flatten(),
        linear=_GlorotLinear(2 * channels * (height // 4) * (width // 4), hidden),
        activation=nn.ReLU(),
        dropout=nn.Dropout(dropout),
    )
    stages = [first, second, dense]
    for index in (0, 1):
        if stage_ends == "after_pool":
            stages[index]["pool"] = nn.MaxPool2d(2)
        else:
            stages[index + 1]["pool"] = nn.MaxPool2d(2)
            stages[index + 1].move_to_end("pool", last=False)
    built = [nn.Sequential(stage) for stage in stages]
    built.append(nn.Sequential(OrderedDict(linear=_GlorotLinear(hidden, classes))))
    return nn.Sequential(OrderedDict(zip(STAGES, built, strict=True)))

"""Networks that predict a gradient from an output and have its shape: synthesizers (Jaderberg et al. 2017).

The convolutional one is that of the DGL repository's comparison (Belilovsky et al. 2020), the dense
one that of dni-pytorch. Their last layer is zero, so that the first prediction is too; the published
code zeroes its weight only, and its random bias is then a first gradient that is larger than the true
one by orders of magnitude (trap T1-1).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

# The published size; with this padding a convolution keeps the resolution.
KERNEL, PADDING = 5, 2


class Synthesizer(nn.Module):
    """Layers of one kind, with the labels' context added to the first one's output if there is one."""

    def __init__(
        self, shape: tuple[int, ...], *, convolutional: bool, hidden: int, depth: int, classes: int
    ) -> None:
        """The network for outputs of a shape.

        Convolutional: conv 5×5 – [BN – ReLU – conv 5×5] × `depth`, for maps only. Dense: Linear –
        [ReLU – Linear] × `depth` on the flattened output.

        Args:
            shape: of the output: (C, H, W) or (D,).
            convolutional: which kind.
            hidden: channels or neurons of the hidden layers; 0 for as many as the output has.
            depth: number of hidden layers.
            classes: number of classes if labels are its context, else 0.
        """
        super().__init__()
        self.convolutional = convolutional
        ends = shape[0] if convolutional else math.prod(shape)
        hidden = (hidden or ends) if depth else ends
        self.first = self._layer(ends, hidden)
        rest: list[nn.Module] = []
        last = self.first
        for index in range(depth):
            last = self._layer(hidden, ends if index == depth - 1 else hidden)
            rest += [nn.BatchNorm2d(hidden)] if convolutional else []
            rest += [nn.ReLU(), last]
        self.rest = nn.Sequential(*rest)
        # Made last, so that the other weights are those of a synthesizer without it.
        self.context = nn.Linear(classes, hidden) if classes else None
        zero = [last] if depth or self.context is None else [last, self.context]
        for layer in zero:
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def _layer(self, inputs: int, outputs: int) -> nn.Module:
        if self.convolutional:
            return nn.Conv2d(inputs, outputs, KERNEL, padding=PADDING)
        return nn.Linear(inputs, outputs)

    def forward(self, output: Tensor, labels: Tensor | None = None) -> Tensor:
        """A prediction of the output's shape, N×…

        Args:
            output: of the stage, N×…
            labels: N; needed by a synthesizer with context only.

        Raises:
            ValueError: it has a context but there are no labels.
        """
        hidden: Tensor = self.first(output if self.convolutional else output.flatten(1))
        if self.context is not None:
            if labels is None:
                raise ValueError("a synthesizer whose context is labels got none")
            wanted = functional.one_hot(labels, self.context.in_features)
            said = self.context(wanted.to(self.context.weight.dtype))
            hidden = hidden + said.reshape(*said.shape, *[1] * (hidden.ndim - 2))
        predicted: Tensor = self.rest(hidden)
        return torch.reshape(predicted, output.shape)

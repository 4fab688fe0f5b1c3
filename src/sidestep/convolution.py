"""A convolution to be replaced: its shape, and what a layer that replaces it must say of itself.

A layer is a file in `sidestep.layers` with four functions of a `Convolution` and of its own settings,
among them one whole number, its *size*, by which a budget of parameters is met:

- `sizes(convolution)`: the sizes that it may have, rising, as a range or a tuple;
- `parameters(convolution, size)`: its number of parameters, a closed form that rises with size;
- `mult_adds(convolution, size, height, width)`: of one image of that input size, a closed form;
- `build(convolution, *, size, …)`: the module, N×C×H×W → N×C'×H'×W'.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Convolution:
    """A two-dimensional convolution with a square kernel.

    Attributes:
        inputs: channels.
        outputs: channels.
        kernel: side of the kernel.
        stride: of both axes.
        padding: of both axes.
        groups: of channels; divides inputs and outputs.
        bias: whether it adds one to each output channel.
    """

    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    bias: bool = False

    @property
    def parameters(self) -> int:
        """Of the dense layer, its bias included."""
        weights = self.inputs // self.groups * self.outputs * self.kernel**2
        return weights + (self.outputs if self.bias else 0)

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the output."""
        height, width = (
            (side + 2 * self.padding - self.kernel) // self.stride + 1 for side in (height, width)
        )
        return height, width

    def mult_adds(self, height: int, width: int) -> int:
        """Of the dense layer, for one image of that input size, at output resolution; no bias."""
        rows, columns = self.output_size(height, width)
        return self.inputs // self.groups * self.outputs * self.kernel**2 * rows * columns

"""What a network and a training step cost: parameters, multiply-adds, bytes.

One multiply-add counts as one; PyTorch's counter counts it as two floating-point operations, and
counts matrix products and convolutions only.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

Result = TypeVar("Result")


class _Counter(TorchDispatchMode):
    """Adds up PyTorch's own formulas, as its `FlopCounterMode` does.

    Unlike that one it is not shut off from the compiler, whose import would cost each job 1.5 s.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        del types
        result = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.flops += formula(*args, **(kwargs or {}), out_val=result)
        return result


def counted(work: Callable[[], Result]) -> tuple[Result, int]:
    """What `work` gives, and the multiply-adds of whatever it computes, backward passes included."""
    with _Counter() as counter:
        result = work()
    return result, int(counter.flops) // 2


def mult_adds(work: Callable[[], object]) -> int:
    """Multiply-adds of whatever `work` computes, its backward passes included."""
    return counted(work)[1]


def mult_adds_forward(network: nn.Module, image: torch.Tensor) -> int:
    """Multiply-adds of one image's way through the network in evaluation mode.

    Args:
        network: any.
        image: 1×C×H×W.
    """
    network.eval()
    with torch.no_grad():
        return mult_adds(lambda: network(image))


def parameters(network: nn.Module) -> int:
    """Number of trainable values, shared ones once."""
    return sum(parameter.numel() for parameter in network.parameters())


def stored_bytes(network: nn.Module) -> int:
    """Bytes of parameters and buffers as kept in a file."""
    return sum(value.numel() * value.element_size() for value in network.state_dict().values())

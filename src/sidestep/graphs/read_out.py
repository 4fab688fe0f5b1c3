"""The linear layer that reads an evolving layer's columns, however many there are."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


class ReadOut(nn.Linear):
    """A linear layer with as many inputs as the state dictionary that it is loaded from."""

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Tensor], prefix: str, *rest: Any
    ) -> None:
        weight = state_dict.get(prefix + "weight")
        # Anything else that does not fit is told by the caller.
        if weight is not None and weight.ndim == 2 and len(weight) == self.out_features:
            self.become(self.weight.detach().new_zeros(weight.shape))
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def become(self, weight: Tensor) -> None:
        """Read with another weight, outputs×columns, from now on; the parameter stays the same object."""
        # Whoever holds the parameter, such as an optimiser, still holds it.
        self.weight.data = weight
        self.weight.grad = None
        self.in_features = weight.shape[1]

"""All finished runs of a variant at one recorded epoch: what a group metric sees."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidestep.errors import UserError


@dataclass(frozen=True)
class Group:
    """Per seed, the arrays that the metrics kept."""

    epoch: int
    arrays: Mapping[int, Mapping[str, NDArray[np.float64]]]

    def values(self, name: str) -> NDArray[np.float64]:
        """One array of all seeds, one after the other, in order of the seeds.

        Raises:
            UserError: no metric of the study keeps such an array.
        """
        missing = [seed for seed, kept in self.arrays.items() if name not in kept]
        if missing:
            raise UserError(f"no metric of the study keeps '{name}', which a group metric needs")
        return np.concatenate([self.arrays[seed][name] for seed in sorted(self.arrays)])

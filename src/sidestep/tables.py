"""The tables of a study as data frames, for analyses, figures and the paper's numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from sidestep import layout
from sidestep.errors import UserError
from sidestep.study import Study


@dataclass
class Tables:
    """A study with its tables, each read when first asked for.

    Attributes:
        study: the study.
        root: the results folder.
    """

    study: Study
    root: Path = layout.RESULTS
    _read: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def main(self) -> pd.DataFrame:
        """The study's tidy table: one row a value."""
        return self.analysis("")

    def analysis(self, name: str) -> pd.DataFrame:
        """The table of one of the study's analyses.

        Raises:
            UserError: the study has no such analysis.
        """
        known = {"", *(thing["name"] for thing in self.study.analyses)}
        if name not in known:
            raise UserError(f"study '{self.study.name}' has no analysis '{name}', which is needed")
        if name not in self._read:
            types: Mapping[str, type] = {"seed": str, "images": str, "component": float}
            frame = pd.read_csv(
                layout.table(self.study.name, name, self.root),
                dtype=dict(types) if not name else None,
                low_memory=False,
            )
            if not name:
                frame[["seed", "images"]] = frame[["seed", "images"]].fillna("")
            self._read[name] = frame
        return self._read[name]

    def network(self, dataset: str, variant: str, seed: int) -> dict[str, NDArray[Any]]:
        """The final weights and buffers of a run by name."""
        return self._arrays(dataset, variant, seed, "model.safetensors")

    def outputs(self, dataset: str, variant: str, seed: int) -> dict[str, NDArray[Any]]:
        """What a run's final network says: `<split>_outputs`, N×outputs, and `<split>_labels`.

        Empty if the run keeps none (`outputs` in its config).
        """
        if not self.study.variant(variant).run["outputs"]:
            return {}
        return self._arrays(dataset, variant, seed, "outputs.safetensors")

    def data(self, dataset: str) -> Path:
        """The file of a data set."""
        return layout.data(dataset, self.root)

    def _arrays(self, dataset: str, variant: str, seed: int, name: str) -> dict[str, NDArray[Any]]:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = layout.run(self.study.name, dataset, variant, seed, self.root) / name
        try:
            return load_file(path)
        except (OSError, SafetensorError) as error:
            raise UserError(f"{path} cannot be read: {error}") from error

    def metric(
        self, name: str, *, images: str = "", last: bool = False, pooled: bool = False
    ) -> pd.DataFrame:
        """Rows of one metric: all recorded epochs or the last, of single runs or of pooled seeds.

        In a study with a grid, a variant beside the grid has no place on its axes and is left out.
        """
        frame = self.main
        chosen = (frame["metric"] == name) & (frame["images"] == images)
        chosen &= (frame["seed"] == "pooled") == pooled
        found = frame[chosen].dropna(subset=list(self.study.columns))
        return found[found["epoch"] == found["epoch"].max()] if last and len(found) else found

"""The tables of a study as data frames, for analyses, figures and the paper's numbers.

A study of 20,000 runs has millions of rows. They are read a part at a time and kept with a small number in the place of
each text, of which there are few different ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import union_categoricals

from sidestep import layout, runs, seals
from sidestep.errors import UserError
from sidestep.study import Study

TEXTS = ("study", "dataset", "variant", "seed", "images", "metric")
# Rows of the main table that are read at a time.
CHUNK = 500_000


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
        if "" not in self._read:
            self._read[""] = spelt(self._compact)
        return self._read[""]

    @cached_property
    def _compact(self) -> pd.DataFrame:
        """The main table, its texts as categories unless it is there with its texts."""
        if "" in self._read:
            return self._read[""]
        path = layout.table(self.study.name, "", self.root)
        seals.check_beside(path)
        return read_compact(path, self.study.columns)

    def analysis(self, name: str) -> pd.DataFrame:
        """The table of one of the study's analyses.

        Raises:
            UserError: the study has no such analysis, or its table is not what was written.
        """
        known = [thing["name"] for thing in self.study.analyses]
        if name not in known:
            raise UserError(f"study '{self.study.name}' has no analysis '{name}', which is needed")
        if name not in self._read:
            path = layout.table(self.study.name, name, self.root)
            seals.check_beside(path)
            self._read[name] = pd.read_csv(path, low_memory=False)
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

    def history(self, dataset: str, variant: str, seed: int) -> Path:
        """The file of how a run learned."""
        return self._file(dataset, variant, seed, "history.csv")

    def _file(self, dataset: str, variant: str, seed: int, name: str) -> Path:
        folder = layout.run(self.study.name, dataset, variant, seed, self.root)
        run = self.study.run(dataset, variant, seed)
        return runs.check_file(folder, name, runs.read_summary(folder, run))

    def _arrays(self, dataset: str, variant: str, seed: int, name: str) -> dict[str, NDArray[Any]]:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = self._file(dataset, variant, seed, name)
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
        frame = self._compact
        chosen = (frame["metric"] == name) & (frame["images"] == images)
        chosen &= (frame["seed"] == "pooled") == pooled
        found = spelt(frame[chosen]).dropna(subset=list(self.study.columns))
        return found[found["epoch"] == found["epoch"].max()] if last and len(found) else found


def read_compact(path: Path, columns: Sequence[str], chunk: int = CHUNK) -> pd.DataFrame:
    """A main table, its texts as categories: memory follows the values, not the length of the texts.

    Args:
        path: of the table.
        columns: of the study's grid, whose kind (whole numbers, floats, texts) their values tell.
        chunk: rows read at a time; what is read does not depend on it.
    """
    types: dict[str, Any] = dict.fromkeys((*TEXTS, *columns), "category")
    types |= {"component": float, "value": float}
    parts = list(pd.read_csv(path, dtype=types, chunksize=chunk))
    found = {}
    for name in list(parts[0].columns):
        # Each part gives the column up, so that no more than one of them is there twice.
        pieces = [part.pop(name) for part in parts]
        if types.get(name) != "category":
            found[name] = pd.concat(pieces, ignore_index=True)
            continue
        # A part without any value does not know that it holds texts.
        known = [piece.cat.set_categories(piece.cat.categories.astype("str")) for piece in pieces]
        texts = pd.Series(union_categoricals(known))
        if name in columns:
            found[name] = _told(texts)
        elif name in ("seed", "images"):
            found[name] = texts.cat.set_categories([*texts.cat.categories, ""]).fillna("")
        else:
            found[name] = texts
    return pd.DataFrame(found)


def _told(texts: pd.Series) -> pd.Series:
    """A column of the grid as pandas reads it whole: numbers if all its values are numbers."""
    lines = [str(value) for value in texts.cat.categories] + [""] * bool(texts.isna().any())
    values = pd.read_csv(StringIO("\n".join(["told", *lines, ""])), skip_blank_lines=False)["told"]
    return values.take((texts.cat.codes % len(values)).to_numpy()).reset_index(drop=True)


def spelt(frame: pd.DataFrame) -> pd.DataFrame:
    """A compact table with its texts in the place of categories; equal texts are kept once."""
    return frame.assign(
        **{
            name: frame[name].astype(frame[name].cat.categories.dtype)
            for name in TEXTS
            if isinstance(frame.dtypes.get(name), pd.CategoricalDtype)
        }
    )

"""With what a study's runs were made, noted beside its table: distinct values, not each run's.

So whoever quotes them need not read thousands of runs again.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sidestep import layout, seals
from sidestep.errors import UserError
from sidestep.files import read_json


@dataclass
class Provenance:
    """What is known of some runs together.

    Attributes:
        runs: how many.
        seconds_train: of all of them.
        diverged: those that did, as `<study>/<data set>/<variant>/<seed>`.
        facts: what was noted of a run (processor, versions, …) → each distinct value, as text.
    """

    runs: int = 0
    seconds_train: float = 0.0
    diverged: list[str] = field(default_factory=list)
    facts: dict[str, set[str]] = field(default_factory=dict)

    def add(self, run: dict[str, Any], folder: Path, summary: dict[str, Any]) -> None:
        """Note one more run, whose files were checked."""
        self.runs += 1
        self.seconds_train += summary["seconds_train"]
        if summary["status"] == "diverged":
            place = (run["study"], run["dataset"], run["variant"], run["seed"])
            self.diverged.append("/".join(map(str, place)))
        for key, value in read_json(folder / "provenance.json").items():
            if isinstance(value, str | int) and key != "fingerprint":
                self.facts.setdefault(key, set()).add(str(value))

    def join(self, other: "Provenance") -> None:
        """Take in what is known of other runs."""
        self.runs += other.runs
        self.seconds_train += other.seconds_train
        self.diverged += other.diverged
        for key, values in other.facts.items():
            self.facts.setdefault(key, set()).update(values)

    def write(self, study: str, path: Path) -> None:
        """Write it as a sealed file."""
        facts = {key: sorted(values) for key, values in self.facts.items()}
        seals.write(path, {**vars(self), "facts": facts, "study": study})


def read(study: str, root: Path = layout.RESULTS) -> Provenance:
    """What was noted of a study's runs.

    Raises:
        UserError: the file is missing, damaged or another study's.
    """
    path = layout.provenance(study, root)
    value = seals.read(path)
    if value.pop("study", None) != study:
        raise UserError(f"{path} is damaged (it is another study's): delete {path} and run again")
    del value[seals.KEY]
    facts = {key: set(values) for key, values in value.pop("facts").items()}
    return Provenance(**value, facts=facts)

"""What analyses of published figures share: reading their file, and what to say of a figure beside ours."""

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sidestep.errors import UserError


def read(path: Path, columns: Sequence[str], texts: Collection[str]) -> pd.DataFrame:
    """The published figures, with these columns.

    Args:
        path: of the file.
        columns: that it must have.
        texts: those of them that are texts even where they look like numbers; empty where nothing is said.

    Raises:
        UserError: no such file, or a column is missing.
    """
    try:
        frame = pd.read_csv(
            path, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(texts, str)
        )
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file of published figures") from None
    missing = [column for column in columns if column not in frame]
    if missing:
        raise UserError(f"{path}: lacks the column {', '.join(missing)}")
    return frame[list(columns)].fillna(dict.fromkeys(texts, ""))


def recorded(value: Any) -> bool:
    """Whether a setting of a published run is known."""
    return value != "" if isinstance(value, str) else not math.isnan(value)


def outcome(found: Mapping[str, float], published: float, *, comparable: bool) -> str:
    """What to say of a published value beside ours.

    Args:
        found: our `n`, `low` and `high` (`nan` with one seed).
        published: the value.
        comparable: whether all settings of it were recorded and are ours.

    Returns:
        `not run` without a seed of ours; `other settings`; `no interval`; `agrees` or `differs`, where
        the value lies inside or outside of our interval.
    """
    if not found["n"]:
        return "not run"
    if not comparable:
        return "other settings"
    if math.isnan(found["low"]):
        return "no interval"
    return "agrees" if found["low"] <= published <= found["high"] else "differs"

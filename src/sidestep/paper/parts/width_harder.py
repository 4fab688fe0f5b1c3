"""The journal's expectations for a harder data set."""

from collections.abc import Iterator, Mapping

import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.sentences import Finding
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.paper.parts.words import dataset_name

EXPECTATIONS = {
    "plateau later": "accuracy reaches its plateau at a larger width",
    "distribution to the right": "spread is distributed further to the right",
    "verdict later": "metrics call a layer large enough at a larger width",
}
_OUTCOMES = {
    "holds": "borne out",
    "contradicted": "contradicted",
    "not separated": "not separated",
    "not defined": "not defined",
}


def harder(study: WidthStudy) -> Iterator[Finding]:
    """What came of each expectation."""
    found = study.latest("harder_dataset")
    if found.empty:
        yield Finding(None, "", "", say.absent("the expectations for a harder data set"))
        return
    easy, hard = dataset_name(str(found["easy"].iloc[0])), dataset_name(str(found["hard"].iloc[0]))
    for name in EXPECTATIONS:
        rows = found[found["expectation"] == name]
        if rows.empty:
            continue
        if name == "plateau later":
            main = rows[rows["images"] == "test"] if (rows["images"] == "test").any() else rows
            row = main.iloc[0]
            size = f.estimate(row["estimate"], row["low"], row["high"]) + " octaves"
            outcome, details = str(row["outcome"]), None
        elif name == "distribution to the right":
            whole = rows[rows["width"].isna()]
            row = whole.iloc[0] if len(whole) else rows.iloc[0]
            size = f.estimate(row["estimate"], row["low"], row["high"]) + " in spread"
            single = rows[rows["width"].notna()]
            outcome, details = str(row["outcome"]), _counts(single)
            outcome = _combined(outcome, details)
        else:
            size, details = "", _counts(rows)
            outcome = _combined("", details)
        yield expectation(name, easy, hard, outcome, "" if f.UNDEFINED in size else size, details)


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    order = ("holds", "contradicted", "not separated", "not defined")
    return {outcome: int((rows["outcome"] == outcome).sum()) for outcome in order}


def _combined(overall: str, details: dict[str, int]) -> str:
    """One outcome of several tests: mixed where some hold and others are contradicted."""
    if details["holds"] and details["contradicted"]:
        return "mixed"
    if overall:
        return overall
    for outcome in ("holds", "contradicted"):
        if details[outcome]:
            # A single kind of outcome is told for all only where it is the majority of what was tested.
            tested = sum(details.values()) - details["not defined"]
            return outcome if 2 * details[outcome] > tested else "not separated"
    return "not separated" if details["not separated"] else "not defined"


def expectation(
    name: str, easy: str, hard: str, outcome: str, size: str, details: Mapping[str, int] | None
) -> Finding:
    """One of the three expectations for a harder data set."""
    what = EXPECTATIONS.get(name, name)
    notes = [f"difference {size}"] if size else []
    if details:
        total = sum(details.values())
        parts = [f"{f.count(n)} {_OUTCOMES.get(o, o)}" for o, n in details.items() if n]
        notes.append(f"of {f.plural(total, 'single test')}, {f.listed(parts)}")
    note = f" ({'; '.join(notes)})" if notes else ""
    over = "width" if name == "distribution to the right" else "metric"
    against, verdict = {
        "holds": (False, "is borne out"),
        "contradicted": (True, "is contradicted"),
        "mixed": (None, f"depends on the {over}"),
        "not separated": (None, "is neither borne out nor contradicted"),
    }.get(outcome, (None, "could not be tested"))
    claim = f"That {what} on {hard} than on {easy} {verdict}"
    return Finding(against, claim, "", f"{claim}{note}.")

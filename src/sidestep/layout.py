"""Where each file lies: the one place that knows the paths of `results/`."""

from pathlib import Path

RESULTS = Path("results")


def plan(root: Path = RESULTS) -> Path:
    """The folder of what planning writes: configs, code and studies as jobs are asked for them."""
    return root / "plan"


def sources(root: Path = RESULTS) -> Path:
    """What planning found in our sources, so that no job parses them again."""
    return plan(root) / "sources.json"


def data(dataset: str, root: Path = RESULTS) -> Path:
    """The arrays of a data set."""
    return root / "data" / f"{dataset}.safetensors"


def runs(study: str, root: Path = RESULTS) -> Path:
    """The folder of a study's runs."""
    return root / "runs" / study


def run(study: str, dataset: str, variant: str, seed: int | str, root: Path = RESULTS) -> Path:
    """The folder of a run."""
    return root.joinpath("runs", study, dataset, variant, f"seed{seed}")


def checkpoint(
    study: str, dataset: str, variant: str, seed: int | str, root: Path = RESULTS
) -> Path:
    """The checkpoint of a run that is not finished."""
    return root / "checkpoints" / study / dataset / variant / f"seed{seed}.safetensors"


def done(study: str, dataset: str, variant: str, seed: int | str, root: Path = RESULTS) -> Path:
    """The copy of a finished run's summary while other seeds of its training job are not finished."""
    return root / "checkpoints" / study / dataset / variant / f"seed{seed}.done.json"


def status(study: str, dataset: str, variant: str, seed: int | str, root: Path = RESULTS) -> Path:
    """The status file of a run."""
    return root / "status" / study / dataset / variant / f"seed{seed}.json"


def measures(study: str, dataset: str, variant: str, root: Path = RESULTS) -> Path:
    """The folder of a variant's measures."""
    return root / "measures" / study / dataset / variant


def timing(study: str, dataset: str, root: Path = RESULTS) -> Path:
    """The timing of a study's variants."""
    return root / "timing" / study / f"{dataset}.json"


def table(study: str, analysis: str = "", root: Path = RESULTS) -> Path:
    """The table of a study, or of one of its analyses."""
    return root / "tables" / f"{study}{'_' if analysis else ''}{analysis}.csv"


def provenance(study: str, root: Path = RESULTS) -> Path:
    """With what a study's runs were made, beside its table."""
    return root / "tables" / f"{study}.provenance.json"


def figure(study: str, name: str, suffix: str, root: Path = RESULTS) -> Path:
    """A figure's picture or rows; the suffix is `svg`, `png` or `csv`."""
    return root / "figures" / study / f"{name}.{suffix}"

"""The numbers that the paper's text quotes: one JSON file, made from tables and provenance only."""

from importlib import metadata
from pathlib import Path
from typing import Any

from sidestep import captions, layout, provenance, runs, seals
from sidestep.paper.parts import formats, sentences
from sidestep.registry import load, names
from sidestep.study import Study
from sidestep.tables import Tables

# Packages whose versions can change a number or a picture, besides those that every run notes itself.
PACKAGES = ("scipy", "scikit-learn", "pandas", "matplotlib", "snakemake", "typst")


def numbers_job(size: str, studies: list[Study], output: Path, root: Path) -> None:
    """Write what the paper quotes, as text that is ready to be set.

    `sections` names the studies that have a section, `<study>` holds its numbers, `figures` the
    captions of all figures, and `reproducibility` what everything was made with.

    Args:
        size: what the config calls its size.
        studies: all studies of the config.
        output: JSON file to write.
        root: the results folder.
    """
    told = [study for study in studies if study.name in names("paper")]
    value: dict[str, Any] = {
        "size": size,
        "size_note": sentences.size_note(size, [_extent(study) for study in studies]),
        "confidence": sentences.confidence(),
        "sections": [study.name for study in told],
        "left_out": sentences.left_out([s.name for s in studies if s not in told]),
        "figures": {
            study.name: {
                thing["name"]: {"caption": captions.caption(thing["name"])}
                for thing in study.figures
            }
            for study in studies
        },
        "reproducibility": _reproducibility(studies, root),
    }
    for study in told:
        value[study.name] = load("paper", study.name).numbers(Tables(study, root))
    seals.write(output, value)


def _extent(study: Study) -> sentences.Extent:

    def largest(key: str) -> int | None:
        # Variants that differ in it are told as the largest; None is all of them.
        kept = [variant.run.get(key) for variant in study.variants]
        return None if None in kept else max(int(number or 0) for number in kept)

    return sentences.Extent(
        name=study.name,
        variants=len(study.variants),
        datasets=len(study.datasets),
        seeds=len(study.seeds),
        epochs=sorted({variant.run["epochs"] for variant in study.variants}),
        train_images=largest("train_images"),
        subset=largest("subset"),
    )


def _reproducibility(studies: list[Study], root: Path) -> dict[str, Any]:
    """What the results were made with: each distinct value of every run's provenance, and digests."""
    made_with = provenance.Provenance()
    for study in studies:
        made_with.join(provenance.read(study.name, root))
    facts = made_with.facts
    datasets = {dataset for study in studies for dataset in study.datasets}
    return {
        "facts": [[_TITLES.get(key, key), sorted(facts[key])] for key in _ordered(facts)],
        "packages": [[name, _version(name)] for name in PACKAGES],
        "timing": _timing(studies, root),
        "runs": formats.count(made_with.runs),
        "runs_sentence": sentences.runs(made_with.runs, made_with.diverged),
        "seconds_train": formats.duration(made_with.seconds_train),
        "digests": [
            [name, array, digest]
            for name in sorted(datasets)
            for array, digest in sorted(
                seals.read(layout.data(name, root).with_suffix(".digest.json"))["sha256"].items()
            )
        ],
    }


_TITLES = {
    "commit": "Commit",
    "processor": "Processor",
    "cores": "Cores",
    "threads": "Threads per job",
    "device": "Device",
    "platform": "Platform",
    "python": "Python",
    "torch": "PyTorch",
    "numpy": "NumPy",
}


def _ordered(facts: dict[str, set[str]]) -> list[str]:
    return [key for key in _TITLES if key in facts] + sorted(facts.keys() - _TITLES.keys())


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _timing(studies: list[Study], root: Path) -> list[list[Any]]:
    """Study, data set, and where its steps were timed."""
    found = []
    for study in studies:
        for dataset in study.timing_datasets:
            value = runs.timing(study, dataset, root)
            found.append([study.name, dataset, *(str(value[key]) for key in _WHERE)])
    return found


_WHERE = ("processor", "cores", "threads", "steps_timed")

"""Studies, variants and the whole configuration, as they are once checked and resolved, without importing torch.

A study declares data sets, seeds and variants; each combination is one *run*, a plain dict that describes the training
of one network fully and whose canonical JSON, with the seeds of its batch, is all that a training job is given.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


def split_settings(run: dict[str, Any]) -> dict[str, Any]:
    """How a run's data are split: the arguments of `sidestep.data.load.split`."""
    kept = {key: run[key] for key in ("validation", "train_images", "subset")}
    return {**kept, "resample": run["seed"] if run["resample"] else None}


def runs_of(
    run: dict[str, Any], datasets: Sequence[str], seeds: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """The run on each of the data sets with each of the seeds, which are its teacher's too."""
    for dataset, seed in itertools.product(datasets, seeds):
        place = {"dataset": dataset, "seed": seed}
        teacher = run["teacher"]
        yield {**run, **place, "teacher": {**teacher, **place} if teacher else None}


@dataclass(frozen=True)
class Variant:
    """One named cell of a study: the values of the grid's columns and its settings."""

    name: str
    columns: dict[str, Any]
    run: dict[str, Any]


# In the place of a batch's data sets: whichever one, of a study each of whose jobs trains on one.
ANY = "{dataset}"


class Batch(NamedTuple):
    """Which runs of a variant one training job makes, one after the other.

    Attributes:
        datasets: in their order; `ANY` alone for a batch that there is for each of the study's.
        seeds: in their order, with each of the data sets.
    """

    datasets: tuple[str, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Study:
    """One question of the paper, all defaults filled in.

    Attributes:
        seeds_per_job: how many seeds of a variant one training job trains at most, one after the other.
        datasets_per_job: on how many data sets it does so at most.
    """

    name: str
    title: str
    datasets: tuple[str, ...]
    seeds: tuple[int, ...]
    variants: tuple[Variant, ...]
    baseline: str
    timing_datasets: tuple[str, ...]
    timing_steps: int
    metrics: tuple[dict[str, Any], ...]
    group_metrics: tuple[dict[str, Any], ...]
    analyses: tuple[dict[str, Any], ...]
    figures: tuple[dict[str, Any], ...]
    seeds_per_job: int = 1
    datasets_per_job: int = 1

    @cached_property
    def _by_name(self) -> dict[str, Variant]:
        return {variant.name: variant for variant in self.variants}

    def variant(self, name: str) -> Variant:
        """The variant of that name."""
        return self._by_name[name]

    def run(self, dataset: str, variant: str, seed: int) -> dict[str, Any]:
        """The resolved configuration of one run, to be read and not changed."""
        place = {"study": self.name, "dataset": dataset, "variant": variant, "seed": seed}
        run = {**place, **self.variant(variant).run}
        teacher = run["teacher"]
        return {**run, "teacher": self.run(dataset, teacher, seed)} if teacher else run

    def runs(self) -> Iterator[dict[str, Any]]:
        """All runs, in the order of the config."""
        for dataset, variant, seed in itertools.product(self.datasets, self.variants, self.seeds):
            yield self.run(dataset, variant.name, seed)

    @property
    def batches(self) -> tuple[Batch, ...]:
        """What one training job trains: consecutive data sets and seeds, the last batch perhaps smaller."""
        alone = min(self.datasets_per_job, len(self.datasets)) == 1
        datasets = [(ANY,)] if alone else _parts(self.datasets, self.datasets_per_job)
        return tuple(
            Batch(*of) for of in itertools.product(datasets, _parts(self.seeds, self.seeds_per_job))
        )

    def together(self, dataset: str) -> tuple[str, ...]:
        """The data sets on which the job trains that trains on this one."""
        return next(
            part for part in _parts(self.datasets, self.datasets_per_job) if dataset in part
        )

    def measure_task(self, dataset: str, variant: str) -> dict[str, Any]:
        """The config of a measuring job: a variant's run with the first seed, all seeds, and what to measure."""
        return {
            "metrics": list(self.metrics),
            "group_metrics": list(self.group_metrics),
            "run": self.run(dataset, variant, self.seeds[0]),
            "seeds": list(self.seeds),
        }

    def timed_runs(self, dataset: str) -> dict[str, dict[str, Any]]:
        """One run of each variant, with the first seed: speed does not depend on it."""
        return {
            variant.name: self.run(dataset, variant.name, self.seeds[0])
            for variant in self.variants
        }

    @property
    def measured(self) -> bool:
        """Whether anything is measured on the finished networks."""
        return bool(self.metrics or self.group_metrics)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the grid's columns."""
        return tuple(dict.fromkeys(key for variant in self.variants for key in variant.columns))

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads: `dataclasses.asdict` without its copy of every setting."""
        value = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**value, "variants": [vars(variant) for variant in self.variants]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Study":
        """The study whose `to_json` was written as JSON."""
        tuples = {key: tuple(item) for key, item in value.items() if isinstance(item, list)}
        variants = tuple(Variant(**variant) for variant in value["variants"])
        return cls(**{**value, **tuples, "variants": variants})


def _parts(whole: tuple[T, ...], size: int) -> list[tuple[T, ...]]:
    return [whole[at : at + size] for at in range(0, len(whole), size)]


@dataclass(frozen=True)
class Config:
    """A whole configuration, checked.

    Attributes:
        studies: the paper's, by name.
        searches: by name (`<study>-search`), the runs from which a study's settings are chosen; each
            is a study too, whose table of choices nothing but a person reads.
    """

    size: str
    data_folder: str
    timing_threads: int
    studies: dict[str, Study]
    searches: dict[str, Study]

    @cached_property
    def every_study(self) -> dict[str, Study]:
        """Studies and searches, by name."""
        return self.studies | self.searches

    @property
    def one_by_one(self) -> tuple[str, ...]:
        """The studies each of whose training jobs makes one run."""
        return tuple(
            name
            for name, study in self.every_study.items()
            if all(batch.datasets == (ANY,) and len(batch.seeds) == 1 for batch in study.batches)
        )

    @property
    def batches(self) -> dict[Batch, tuple[str, ...]]:
        """What one training job trains → the studies that have such jobs; all other studies."""
        found: dict[Batch, tuple[str, ...]] = {}
        for name, study in self.every_study.items():
            if name not in self.one_by_one:
                for batch in study.batches:
                    found[batch] = (*found.get(batch, ()), name)
        return found

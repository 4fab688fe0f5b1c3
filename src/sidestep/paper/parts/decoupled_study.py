"""The tables of the study of decoupled blocks, as its section reads them."""

import re

from sidestep import variants
from sidestep.paper.parts.decoupled_words import distinct, plain
from sidestep.paper.parts.layerwise_study import ACCURACY, LayerwiseStudy, Seeds
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval, paired_difference
from sidestep.tables import Tables


class DecoupledStudy(LayerwiseStudy):
    """A study of strategies whose variants also differ in network, data and head.

    Attributes:
        methods: variant → how it is trained, in the words of `variants.method`.
        settings: variant → the data and network that it is about; those of one may be compared.
    """

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        study = tables.study
        self.methods = {v.name: variants.method(v.run) for v in study.variants}
        self.settings = {v.name: variants.setting(v.run) for v in study.variants}
        self._references = variants.references(study)
        self._labels = _labels(
            list(dict.fromkeys(self.settings.values())),
            variants.setting(study.variant(study.baseline).run),
        )

    def several(self) -> bool:
        """Whether there is more than one setting."""
        return len(set(self.settings.values())) > 1

    def label(self, setting: str) -> str:
        """A setting as briefly as tells it from the others of the study."""
        return plain(self._labels.get(setting, setting))

    def place(self, dataset: str, setting: str) -> str:
        """`CIFAR-10`, with the setting where there are several."""
        where = dataset_name(dataset)
        return f"{where} with {self.label(setting)}" if self.several() and setting else where

    def of_method(self, *methods: str) -> list[str]:
        """Variants trained by one of these."""
        return [name for name, method in self.methods.items() if method in methods]

    def firsts(self) -> set[str]:
        """The first variant of each method in each setting, for which the study's others stand in sweeps."""
        found: dict[tuple[str, str], str] = {}
        for name, method in self.methods.items():
            found.setdefault((self.settings[name], method), name)
        return set(found.values())

    def reference(self, variant: str) -> str:
        """The variant that one is compared to, of its own setting; empty if there is none."""
        return self._references[variant]

    def references(self) -> list[str]:
        """The reference of every setting that has one."""
        return [name for name in distinct(map(self.reference, self.settings)) if name]

    def ends(self, dataset: str, variant: str, images: str, quantity: str = ACCURACY) -> Seeds:
        """The last recorded value on test or training images, of the seeds that finished."""
        if images == "test":
            return self.finals(dataset, variant, quantity)
        frame = self.tables.metric(f"history_{quantity}", images=images)
        chosen = (frame["dataset"] == dataset) & (frame["variant"] == variant)
        found = frame[chosen].sort_values("component", kind="stable")
        kept = found.drop_duplicates("seed", keep="last")
        lost = self._lost.get((dataset, variant), set())
        values = zip(kept["seed"].astype(int), kept["value"].astype(float), strict=True)
        return {seed: value for seed, value in values if seed not in lost}

    def gaps(self, dataset: str, variant: str) -> Seeds:
        """Training accuracy minus test accuracy at the end, by seed."""
        train = self.ends(dataset, variant, "train")
        test = self.ends(dataset, variant, "test")
        return {seed: train[seed] - test[seed] for seed in sorted(train.keys() & test.keys())}

    def head_difference(self, dataset: str, first: str, second: str, stage: str) -> Interval:
        """Last test accuracy of a block's own head: of the first variant minus of the second."""
        return paired_difference(
            self.own_head(dataset, first, stage), self.own_head(dataset, second, stage)
        )

    def own_head(self, dataset: str, variant: str, stage: str) -> Seeds:
        """Last test accuracy of the head of the block that ends in the stage, by seed."""
        found = self.tables.metric(f"probe_own_heads.{stage}", images="test")
        chosen = (found["dataset"] == dataset) & (found["variant"] == variant)
        rows = found[chosen].sort_values("component", kind="stable")
        kept = rows.drop_duplicates("seed", keep="last")
        lost = self._lost.get((dataset, variant), set())
        values = zip(kept["seed"].astype(int), kept["value"].astype(float), strict=True)
        return {seed: value for seed, value in values if seed not in lost}


def _labels(settings: list[str], usual: str) -> dict[str, str]:
    """Settings without the network's settings and the normalisation that the baseline has, if they differ still."""
    network, *rest = re.split(r", (?![^(]*\))", usual)
    name = network.partition(" (")[0]
    same = [f", {part}" for part in rest if part.startswith("normalisation ")]
    found = {}
    for setting in settings:
        label = setting.replace(network, name, 1) if setting.startswith(network) else setting
        for part in same:
            label = label.removesuffix(part)
        found[setting] = label
    return found if len(set(found.values())) == len(settings) else {s: s for s in settings}

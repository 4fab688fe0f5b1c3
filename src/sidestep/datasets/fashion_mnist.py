"""Fashion-MNIST: 28 × 28 grey images of clothes (Xiao, Rasul and Vollgraf, 2017)."""

from sidestep.data.dataset import Dataset, DebianPackage, Torchvision

DATASET = Dataset(
    name="fashion_mnist",
    title="Fashion-MNIST",
    shape=(1, 28, 28),
    classes=10,
    sizes={"train": 60_000, "test": 10_000},
    digests={
        "train_images": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
        "train_labels": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
        "test_images": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
        "test_labels": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
    },
    # MNIST's values, not this dataset's own (0.286 and 0.353): the older works used them for both.
    mean=(0.1307,),
    deviation=(0.3081,),
    scale=255,
    sources=(
        Torchvision("FashionMNIST", layout="idx"),
        DebianPackage(
            "dataset-fashion-mnist", folder="usr/share/datasets/fashion-mnist", layout="idx"
        ),
    ),
    citation="xiao2017fashion",
    layout="idx",
    folders=("FashionMNIST/raw",),
)

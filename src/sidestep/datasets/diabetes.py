"""Diabetes: 442 rows of 10 measures of patients; the target is the disease's progression after a year, a number
(Efron, Hastie, Johnstone and Tibshirani, 2004).

It is inside scikit-learn, taken unscaled. There is no official split; rows are shuffled and the first
332 are the training set.
"""

from sidestep.data.dataset import Dataset, ScikitLearn

DATASET = Dataset(
    name="diabetes",
    title="Diabetes",
    shape=(10, 1, 1),
    classes=0,
    sizes={"train": 332, "test": 110},
    digests={
        "train_images": "405ce8b7acdd0f1956732352c7ac8c9e8f832d5cdb060f9dc9f7be184ac41232",
        "train_labels": "0f0588a21cca69a79694e3f1bff2c89368bdcceab7e91342a9d473e7cbe5ce44",
        "test_images": "4819c555094e83846fe6440fa7767124382fab55dfe12cfdda1e749a00189897",
        "test_labels": "76c28e47a7d49b7a292c9f07a5cc1d71f924e614d28d85ad8fe05156a20d1bd3",
    },
    mean=(),
    deviation=(),
    scale=1,
    sources=(ScikitLearn("load_diabetes", {"scaled": False}),),
    citation="efron2004least",
    layout="csv",
    target="number",
    unit="score of the disease's progression",
    features=(
        "age",
        "sex",
        "bmi",
        "bp",
        "s1",
        "s2",
        "s3",
        "s4",
        "s5",
        "s6",
    ),
)

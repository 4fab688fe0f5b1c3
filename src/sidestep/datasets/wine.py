"""Wine: 178 rows of 13 chemical measures of wines from three cultivars (Aeberhard and Forina, 1992).

It is inside scikit-learn. There is no official split; rows are shuffled, because they are sorted by
class, and the first 133 are the training set.
"""

from sidestep.data.dataset import Dataset, ScikitLearn

DATASET = Dataset(
    name="wine",
    title="Wine",
    shape=(13, 1, 1),
    classes=3,
    sizes={"train": 133, "test": 45},
    digests={
        "train_images": "6b1c85e00d36ed2ae5bd01c15081f455dbbd722b3d3d127d1d5c4a3b2cb8d421",
        "train_labels": "3c315c6234c4e5014b09906fd2742892c54c954147e01a6ddb8eee84ff8f4d71",
        "test_images": "86a479afb187181f945aa4f6f220f9b9f204a22ed8240294ee8773e4f59b8526",
        "test_labels": "d6710ebeda6e21a4822174f5dea5747f9aba22f09a5336aaf6631d798bc50f85",
    },
    mean=(),
    deviation=(),
    scale=1,
    sources=(ScikitLearn("load_wine"),),
    citation="aeberhard1992wine",
    layout="csv",
    features=(
        "alcohol",
        "malic_acid",
        "ash",
        "alcalinity_of_ash",
        "magnesium",
        "total_phenols",
        "flavanoids",
        "nonflavanoid_phenols",
        "proanthocyanins",
        "color_intensity",
        "hue",
        "od280/od315_of_diluted_wines",
        "proline",
    ),
)

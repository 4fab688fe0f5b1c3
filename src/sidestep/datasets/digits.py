"""Digits: 8 × 8 grey images of handwritten digits with values 0 to 16 (Alpaydin and Kaynak, 1998).

They are inside scikit-learn (the test part of the UCI set), so they serve tests. There is no
official split: the first 1,500 images are the training set, the last 297 the test set.
"""

from sidestep.data.dataset import Dataset, ScikitLearn

DATASET = Dataset(
    name="digits",
    title="Digits",
    shape=(1, 8, 8),
    classes=10,
    sizes={"train": 1_500, "test": 297},
    digests={
        "train_images": "ee6301bf158c604c728193674edc03a6cc3988014a924e6e067edddcdcbfd740",
        "train_labels": "e2fd6b6f26a4b1209a81b338ea6e2e743f689f6e990db31cfd6d59849794c750",
        "test_images": "2155cbb21b093cdae6d5f69cf8a2ddd7d0a14feeebf8ffe7991092f8e2321fa0",
        "test_labels": "e7e87e0ab1d1814c4420ecd904dea92bf6a05de1b7d724842fa0ccce6c7b11f3",
    },
    # Of the training images, to four decimals.
    mean=(0.3051,),
    deviation=(0.3750,),
    scale=16,
    sources=(ScikitLearn("load_digits"),),
    citation="alpaydin1998optical",
)

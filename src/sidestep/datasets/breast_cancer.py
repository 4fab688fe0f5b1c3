"""Breast cancer: 569 rows of 30 measures of cell nuclei, benign or malignant (Street, Wolberg and Mangasarian, 1993).

It is inside scikit-learn. There is no official split; rows are shuffled and the first 426 are the training set.
"""

from sidestep.data.dataset import Dataset, ScikitLearn

DATASET = Dataset(
    name="breast_cancer",
    title="Breast cancer",
    shape=(30, 1, 1),
    classes=2,
    sizes={"train": 426, "test": 143},
    digests={
        "train_images": "ca961a7214fffb789650f39413d971a52de762d37870671966d6c47e3476f807",
        "train_labels": "e3f02a16d96d4513e26506bd0cad06e14fd6d09fd5cdb95b98cf12a7dd699a27",
        "test_images": "8b21d679bace1b56abfea22e053b57f0743992df01bf7666ec0030dc4bcc7d1e",
        "test_labels": "a0d83e51e3483afd44d58eeb877d6df278a1e70ce45d2b95e2abc33b1dcb1926",
    },
    mean=(),
    deviation=(),
    scale=1,
    sources=(ScikitLearn("load_breast_cancer"),),
    citation="street1993nuclear",
    layout="csv",
    features=(
        "mean_radius",
        "mean_texture",
        "mean_perimeter",
        "mean_area",
        "mean_smoothness",
        "mean_compactness",
        "mean_concavity",
        "mean_concave_points",
        "mean_symmetry",
        "mean_fractal_dimension",
        "radius_error",
        "texture_error",
        "perimeter_error",
        "area_error",
        "smoothness_error",
        "compactness_error",
        "concavity_error",
        "concave_points_error",
        "symmetry_error",
        "fractal_dimension_error",
        "worst_radius",
        "worst_texture",
        "worst_perimeter",
        "worst_area",
        "worst_smoothness",
        "worst_compactness",
        "worst_concavity",
        "worst_concave_points",
        "worst_symmetry",
        "worst_fractal_dimension",
    ),
)

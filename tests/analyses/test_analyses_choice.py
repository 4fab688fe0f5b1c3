"""The choice of a search: by validation loss, diverged settings last."""

import pandas as pd

from sidestep.analyses.choice import analyse
from sidestep.study import Study, Variant
from sidestep.tables import Tables


def made(losses):
    """A search whose runs end with the given validation losses: (variant, lr) → one a seed."""
    variants = tuple(
        Variant(f"{of}_lr-{lr}", {"of": of, "lr": lr}, {"epochs": 2}) for of, lr in losses
    )
    study = Study(
        name="s-search",
        title="",
        datasets=("digits",),
        seeds=(0, 1),
        variants=variants,
        baseline=variants[0].name,
        timing_datasets=(),
        timing_steps=1,
        metrics=(),
        group_metrics=(),
        analyses=({"name": "choice"},),
        figures=(),
    )
    rows = []
    for (of, lr), ends in losses.items():
        for seed, end in enumerate(ends):
            # The last evaluation counts, whatever came before and in whichever order rows come.
            for step, loss in ((20, end), (10, 0.001)):
                for metric, value in (("history_loss", loss), ("history_accuracy", 1 - loss / 10)):
                    for split, shift in (("validation", 0.0), ("test", -loss)):
                        rows.append(
                            ("digits", of, lr, str(seed), split, metric, step, value + shift)
                        )
    tables = Tables(study)
    columns = ["dataset", "of", "lr", "seed", "images", "metric", "component", "value"]
    tables._read[""] = pd.DataFrame(rows, columns=columns)
    return tables


def test_the_lowest_mean_of_the_validation_loss_is_chosen_for_each_variant():
    found = analyse(
        made({("a", 0.1): (2, 4), ("a", 0.2): (1, 3), ("b", 0.1): (5, 5), ("b", 0.2): (6, 6)})
    )
    assert found["mean"].tolist() == [3, 2, 5, 6]
    assert found["chosen"].tolist() == [0, 1, 1, 0]
    assert found["n"].tolist() == [2] * 4
    assert found["accuracy"].tolist() == [0.7, 0.8, 0.5, 0.4]


def test_a_setting_that_diverged_is_chosen_only_if_all_did():
    inf, nan = float("inf"), float("nan")
    found = analyse(made({("a", 0.1): (0.1, inf), ("a", 0.2): (2, 2), ("b", 0.1): (nan, nan)}))
    assert found["chosen"].tolist() == [0, 1, 1]
    assert found["diverged"].tolist() == [1, 0, 2]
    assert found["n"].tolist() == [1, 2, 0]

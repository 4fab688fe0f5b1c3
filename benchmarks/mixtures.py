"""Seconds of the mixture fits on 130,000 values (11 seeds of the widest network), one core.

    OPENBLAS_NUM_THREADS=1 python benchmarks/mixtures.py

Prints, per model and kind of values, EM from one start on all values (the slowest of its starts)
and the whole fit: all starts on the subsample, the best on all values, likelihoods and criteria.
Wanted: one start in under 2 s.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import time

import numpy as np

from sidestep.statistics.mixtures import em, exponential_normal, two_gammas

N = 130_000


def main() -> None:
    """Print one row per model and kind of values."""
    generator = np.random.default_rng(0)
    first = generator.random(N) < 0.4
    kinds = {
        "exponential + normal": np.where(
            first, generator.exponential(0.1, N), np.abs(generator.normal(1, 0.3, N)) + 1e-9
        ),
        "two gammas, overlapping": np.where(
            first, generator.gamma(2, 0.35, N), generator.gamma(6, 0.33, N)
        ),
        "lognormal": generator.lognormal(0, 1, N),
        "one gamma": generator.gamma(3, 1, N),
    }
    print(f"{'model':22}{'values':26}{'one start, s':>13}{'whole fit, s':>13}  status")
    for kind, values in kinds.items():
        scaled = np.sort(values) / values.mean()
        floor = em.FLOOR * float(scaled.std())
        models: list[em.Model] = [
            exponential_normal.ExponentialNormal(floor),
            two_gammas.TwoGammas(1 / floor**2),
        ]
        for model, fit in zip(models, (exponential_normal.fit, two_gammas.fit), strict=True):
            features = model.features(scaled)
            slowest = 0.0
            for start in model.starts(scaled, features):
                began = time.perf_counter()
                em.run(model, features, start, em.GAIN_PER_VALUE_START, em.MOST_STEPS)
                slowest = max(slowest, time.perf_counter() - began)
            began = time.perf_counter()
            found = fit(values)
            seconds = time.perf_counter() - began
            print(f"{model.name:22}{kind:26}{slowest:13.2f}{seconds:13.2f}  {found.status}")


if __name__ == "__main__":
    main()

"""Mixture fits of 130,000 values (11 seeds of the widest network): seconds of EM from one start."""

import time
from collections.abc import Iterator

import numpy as np
from common import Result

from sidestep.statistics.mixtures import em, exponential_normal, two_gammas

N = 130_000


def run() -> Iterator[Result]:
    """Per model and kind of values: the slowest start on all values, as a share of 2 s."""
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
            whole = time.perf_counter() - began
            detail = f"{slowest:.2f} s; whole fit {whole:.2f} s, {found.status}"
            yield Result(f"{model.name} on {kind} / 2 s", slowest / 2.0, None, 1.0, detail)

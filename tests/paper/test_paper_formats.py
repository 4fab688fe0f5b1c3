import math

import pytest

from sidestep.paper.parts import formats
from sidestep.statistics.intervals import Interval

NAN = math.nan


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (formats.decimal(-1234.5), "−1,234.50"),
        (formats.decimal(-0.001), "0.00"),
        (formats.decimal(NAN), "not defined"),
        (formats.decimal(None), "not defined"),
        (formats.decimal(math.inf), "∞"),
        (formats.decimal(-math.inf), "−∞"),
        (formats.setting(0.0003), "0.0003"),
        (formats.setting(1e-05), "0.00001"),
        (formats.setting(100), "100"),
        (formats.setting(None), "not defined"),
        (formats.count(60_000), "60,000"),
        (formats.significant(0.012345), "0.0123"),
        (formats.significant(12345.6), "12,346"),
        (formats.significant(0), "0"),
        (formats.estimate(0.9999, 0.997, 1.003), "1.00 [1.00, 1.00]"),
        (formats.estimate(0.0424, -0.131, 0.216), "0.042 [−0.131, 0.216]"),
        (formats.percent(0.9783), "97.83\u00a0%"),
        (formats.percent(NAN), "not defined"),
        (formats.bare_percent(0.9783), "97.83"),
        (formats.cell(Interval(12.0, 1.0, 3, 11.0, 13.0), formats.significant), "12.0 ± 1.0"),
        (formats.cell(Interval(12.0, 1.0, 2, 11.0, 13.0), formats.count, 3), "12 ± 1 (2)"),
        (formats.cell(Interval(12.0, NAN, 1, NAN, NAN), formats.count), "12"),
        (formats.cell(Interval(NAN, NAN, 0, NAN, NAN), formats.count), "–"),
        (formats.points(-0.0123), "−1.23\u00a0points"),
        (formats.interval(0.1, 0.2), "[0.100, 0.200]"),
        (formats.interval(0.961, 0.972, formats.percent), "[96.10, 97.20]"),
        (formats.interval(NAN, NAN), "no interval"),
        (formats.estimate(0.5, NAN, NAN), "0.500 (no interval)"),
        (formats.estimate(NAN, NAN, NAN), "not defined"),
        (formats.estimate(0.97, 0.96, 0.98, formats.percent), "97.00\u00a0% [96.00, 98.00]"),
        (formats.width(math.inf), "beyond the widths"),
        (formats.width_estimate(256, 128, math.inf), "256 [128, ∞]"),
        (formats.width_estimate(2048, NAN, NAN), "2,048 (no interval)"),
        (formats.width_estimate(NAN, 1, 2), "not defined"),
        (formats.duration(90.0), "90.0\u00a0seconds"),
        (formats.duration(600.0), "10.0\u00a0minutes"),
        (formats.duration(9000.0), "2.5\u00a0hours"),
        (formats.milliseconds(0.00134), "1.34"),
        (formats.scaled(1_626_112), "1.63\u00a0M"),
        (formats.scaled(790), "790"),
        (formats.listed([]), "none"),
        (formats.listed(["a"]), "a"),
        (formats.listed(["a", "b", "c"]), "a, b and c"),
        (formats.plural(1, "run"), "1\u00a0run"),
        (formats.plural(2, "run"), "2\u00a0runs"),
    ],
)
def test_numbers_are_written_one_way(written, expected):
    assert written == expected

"""How a number is written in the paper: digits, signs, intervals. Nothing else formats numbers.

Every function takes undefined values (NaN, or None as JSON has it) and writes `UNDEFINED` for them.
"""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from sidestep.statistics.intervals import Interval

UNDEFINED = "not defined"
BEYOND = "beyond the widths"
NO_INTERVAL = "no interval"
CONFIDENCE_PERCENT = 95

_SPACE, _MINUS = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"

Show = Callable[[float], str]
# `head` and `rows`, all of them text.
Table = dict[str, Any]


def defined(value: float | None) -> bool:
    """Whether there is a number; infinite ones count."""
    return value is not None and not math.isnan(value)


def decimal(value: float | None, digits: int = 2) -> str:
    """`-1234.5` → `−1,234.50`."""
    if value is None or math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return ("" if value > 0 else _MINUS) + "∞"
    text = f"{abs(value):,.{digits}f}"
    # A number that rounds to zero has no sign.
    negative = value < 0 and any(digit in text for digit in "123456789")
    return _MINUS + text if negative else text


def count(value: float | None) -> str:
    """`60000` → `60,000`."""
    return decimal(value, 0)


def significant(value: float | None, digits: int = 3) -> str:
    """As many decimals as that number of significant digits needs: `0.01234` → `0.0123`, `12345` → `12,345`."""
    if value is None or not math.isfinite(value) or value == 0:
        return decimal(value, 0)
    return decimal(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def alike(*values: float | None) -> Show:
    """Numbers that are read together get as many decimals as three significant digits of the largest need."""
    sizes = [abs(value) for value in values if value is not None and math.isfinite(value)]
    largest = max(sizes, default=0.0)
    if largest == 0:
        return count
    digits = max(0, 2 - math.floor(math.log10(float(f"{largest:.2e}"))))
    return lambda value: decimal(value, digits)


def setting(value: float | None) -> str:
    """A number as a person sets it, in full: `0.0003`."""
    if value is None or not math.isfinite(value):
        return decimal(value, 0)
    return f"{Decimal(repr(float(value))).normalize():f}"


def percent(share: float | None, digits: int = 2) -> str:
    """`0.9783` → `97.83 %`."""
    if share is None or math.isnan(share):
        return UNDEFINED
    return decimal(100 * share, digits) + _SPACE + "%"


def bare_percent(share: float, digits: int = 2) -> str:
    """`0.9783` → `97.83`, for tables whose head has the unit."""
    return decimal(100 * share, digits)


def points(difference: float | None, digits: int = 2) -> str:
    """A difference of shares in percentage points: `-0.0123` → `−1.23 points`."""
    if difference is None or math.isnan(difference):
        return UNDEFINED
    return decimal(100 * difference, digits) + _SPACE + "points"


def interval(low: float | None, high: float | None, show: Show = significant) -> str:
    """`[low, high]`, or that there is none; a unit that both bounds carry is written once."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return NO_INTERVAL
    if show is significant:
        show = alike(low, high)
    first, last = show(low), show(high)
    value, _, unit = last.partition(_SPACE)
    bounds = f"{first.removesuffix(_SPACE + unit) if unit else first}, {value}"
    return f"[{bounds}]"


def estimate(
    value: float | None, low: float | None, high: float | None, show: Show = significant
) -> str:
    """`97.83 % [97.61, 98.05]`, or `97.83 % (no interval)`."""
    if not defined(value):
        return UNDEFINED
    if show is significant:
        show = alike(value, low, high)
    bounds = interval(low, high, show)
    assert value is not None
    return f"{show(value)} {bounds}" if bounds != NO_INTERVAL else f"{show(value)} ({bounds})"


def cell(found: Interval, show: Show, seeds: int = 0) -> str:
    """Mean ± half the interval's width, for tables; n in parentheses where seeds are missing."""
    if not defined(found.mean):
        return "–"
    if show is significant:
        show = alike(found.mean)
    missing = f" ({count(found.n)})" if found.n < seeds else ""
    if not defined(found.low):
        return show(found.mean) + missing
    return f"{show(found.mean)} ± {show((found.high - found.low) / 2)}{missing}"


def width(value: float | None) -> str:
    """A width that a rule gives: infinite where it never speaks."""
    if value is None or math.isnan(value):
        return UNDEFINED
    return BEYOND if value == math.inf else count(value)


def width_estimate(value: float | None, low: float | None, high: float | None) -> str:
    """`256 [128, 512]`; `∞` is a bound beyond the widths."""
    if not defined(value):
        return UNDEFINED
    bounds = interval(low, high, count)
    return width(value) + (f" {bounds}" if bounds != NO_INTERVAL else f" ({bounds})")


def duration(seconds: float) -> str:
    """Seconds in the unit that a reader would choose."""
    for size, unit in ((3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return decimal(seconds / size, 1) + _SPACE + unit
    return decimal(seconds, 1) + _SPACE + "seconds"


def milliseconds(seconds: float | None) -> str:
    """Seconds as milliseconds, without the unit."""
    return significant(None if seconds is None else 1000 * seconds)


def scaled(value: float | None) -> str:
    """A large count with a short suffix: `1626112` → `1.63 M`."""
    if value is None or not math.isfinite(value):
        return decimal(value, 0)
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return significant(value / size) + _SPACE + suffix
    return count(value)


def listed(items: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; `none` for an empty list."""
    if not items:
        return "none"
    head, tail = list(items[:-1]), items[-1]
    return f"{', '.join(head)} {last} {tail}" if head else tail


def plural(number: int, noun: str, nouns: str = "") -> str:
    """`1 run`, `2 runs`."""
    return f"{count(number)}{_SPACE}{noun if number == 1 else nouns or noun + 's'}"

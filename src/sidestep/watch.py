"""`sidestep status`: what is done, running, failed and diverged, from files alone."""

import contextlib
import os
import socket
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sidestep import layout, seals
from sidestep.errors import UserError
from sidestep.files import read_json
from sidestep.study import Config

# A running job writes its status every second or so; evaluation and start-up may take longer.
SILENT_SECONDS = 120.0
BAR = 24


def watch(config: Config, root: Path, *, repeat: bool) -> None:
    """Print the state of every study's runs; with `repeat`, again each second until all is done."""
    while True:
        text, done = report(config, root)
        if repeat and sys.stdout.isatty():
            print("\033[H\033[2J", end="")
        print(text, flush=True)
        if done or not repeat:
            return
        time.sleep(1.0)


def report(config: Config, root: Path, now: float | None = None) -> tuple[str, bool]:
    """The report's text, and whether every run has ended well.

    Args:
        config: says which runs there are to be.
        root: the results folder.
        now: seconds since the epoch, by which silence is judged.
    """
    now = time.time() if now is None else now
    lines: list[str] = []
    all_done = True
    for study in config.every_study.values():
        counts: Counter[str] = Counter()
        running, troubled = [], []
        for run in study.runs():
            place = (run["study"], run["dataset"], run["variant"], run["seed"])
            facts = _state(layout.run(*place, root), layout.status(*place, root), now)
            counts[facts["state"]] += 1
            name = "/".join(map(str, place[1:3])) + f"/seed{place[3]}"
            if facts["state"] == "running":
                running.append(_running(name, facts))
            elif facts["state"] in ("failed", "stopped", "lost"):
                reason = facts.get("reason", "no sign of life; run snakemake again")
                troubled.append(f"  {facts['state']:8} {name}: {reason}")
        total = sum(counts.values())
        if study.name in config.searches and counts["waiting"] == total:
            continue  # Nobody asked for it.
        done = counts["finished"] + counts["diverged"]
        all_done = all_done and done == total
        filled = BAR * done // total
        bar = "█" * filled + "░" * (BAR - filled)
        parts = [f"{n} {state}" for state in _ORDER if (n := counts[state])]
        lines.append(f"{study.name}  {bar}  {done}/{total} runs  ({', '.join(parts)})")
        lines += running + troubled
    return "\n".join(lines), all_done


_ORDER = ("finished", "diverged", "running", "failed", "stopped", "lost", "waiting")


def _state(folder: Path, status: Path, now: float) -> dict[str, Any]:
    """State of one run: its summary wins over its status file, which a killed job leaves behind."""
    facts = _read(status)
    alive = facts.get("state") in ("starting", "running")
    if alive and not _silent(facts, now):
        return {**facts, "state": "running"}
    with contextlib.suppress(UserError):
        return {"state": seals.read(folder / "summary.json").get("status", "failed")}
    if alive:
        return {**facts, "state": "lost"}
    if facts.get("state") != "failed":
        return {"state": "waiting"}
    # What Snakemake or a scheduler ended is no fault of the run.
    if str(facts.get("reason")).startswith(("SystemExit", "KeyboardInterrupt")):
        return {**facts, "state": "stopped", "reason": "by a signal; goes on when it is run again"}
    return facts


def _silent(facts: dict[str, Any], now: float) -> bool:
    """Whether the job is gone: its process, if on this machine, else its last word is long ago."""
    if facts.get("host") == socket.gethostname():
        try:
            os.kill(int(facts["pid"]), 0)
        except (ProcessLookupError, ValueError, KeyError):
            return True
        except PermissionError:
            return False
        return False
    return now - float(facts.get("updated", 0)) > SILENT_SECONDS


def _running(name: str, facts: dict[str, Any]) -> str:
    epoch, epochs = facts.get("epoch", 0), facts.get("epochs", "?")
    loss = f"  loss {facts['loss']:.4f}" if facts.get("loss") is not None else ""
    left = f"  {_duration(facts['left'])} left" if facts.get("left") is not None else ""
    return f"  running  {name}: epoch {epoch}/{epochs}{loss}{left}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes} min"
        if hours
        else f"{minutes} min {rest} s"
        if minutes
        else f"{rest} s"
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        value = read_json(path)
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}

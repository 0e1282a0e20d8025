"""The supervisor as a process of its own: `python -m services.local`, which `threadline local start` runs."""

import argparse
import asyncio
import sys

from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.kit.settings import load
from services.local import control
from services.local.home import LocalSettings


def say(name: str, line: str) -> None:
    """One line of one program, with its time: it goes to a file."""
    print(f"{SystemClock().now():%Y-%m-%dT%H:%M:%SZ} {name:>10} | {line}", flush=True)  # noqa: T201 - the console is what it is for


def main() -> int:
    """Runs until it is told to stop."""
    parser = argparse.ArgumentParser(prog="services.local", description=__doc__)
    parser.add_argument("--only", action="append", default=[])
    only = parser.parse_args().only
    try:
        settings = load(LocalSettings)
        classpath = control.fetch_programs(settings, only)
        asyncio.run(control.run(settings, only, say, classpath))
    except Fault as fault:
        say("local", str(fault))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs one suite: `python -m bench bench|chaos NAME [--json] [--seed N] [--runs N] [--only NAME]`, as `./dev` does."""

import argparse
import asyncio
import json
import logging
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from bench import machine, performance_page, reliability_page
from bench.report import Report, keep_raw
from bench.suite import Bed, Suite
from bench.suites import (
    broker,
    broker_kills,
    directory,
    ingress,
    ingress_faults,
    pipeline,
    pipeline_faults,
    planted_bugs,
    replay,
    report,
    responder,
    responder_faults,
    router,
    router_faults,
    slack_sim,
    supervisor,
    supervisor_faults,
    telemetry,
)
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.local import control, state
from services.local.home import Home, LocalFault, LocalSettings

SUITES = (
    broker.SUITE,
    broker_kills.SUITE,
    directory.SUITE,
    slack_sim.SUITE,
    ingress.SUITE,
    ingress_faults.SUITE,
    router.SUITE,
    router_faults.SUITE,
    responder.SUITE,
    responder_faults.SUITE,
    pipeline.SUITE,
    pipeline_faults.SUITE,
    planted_bugs.SUITE,
    report.SUITE,
    replay.SUITE,
    supervisor.SUITE,
    supervisor_faults.SUITE,
    telemetry.SUITE,
)

PAGES = {"bench": performance_page, "chaos": reliability_page}

HOME = Path(".threadline/bench")
NOT_THERE = 2
WIDTH = 120
"""Of a table that goes to a file."""


def main() -> int:
    """Exit code 0 where every goal holds, 1 where one does not, 2 where there is no such suite."""
    parser = argparse.ArgumentParser(prog="./dev", description=__doc__)
    parser.add_argument("kind", choices=("bench", "chaos"))
    parser.add_argument("name", nargs="?")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--only", default="*", help="the scenarios whose names have this in them, or fit it with *")
    parser.add_argument("--write-docs", action="store_true", help="write the suites' pages in docs from what is kept")
    given = parser.parse_args()
    if given.write_docs:
        PAGES[given.kind].write()
        return 0
    suites = {suite.name: suite for suite in SUITES if suite.kind == given.kind}
    if given.name not in suites:
        if given.name:
            print(f"./dev {given.kind}: there is no suite {given.name}; there are:", file=sys.stderr)
        for suite in suites.values():
            print(f"./dev {given.kind} {suite.name}: {suite.what}", file=sys.stderr)
        return NOT_THERE
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which is ignored where it was started in the background
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # so that all is stopped in order
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the faults are ours, and their effects are counted
    try:
        report = _report(suites[given.name], given)
    except Fault as fault:
        print(f"./dev {given.kind} {given.name}: {fault}", file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps(report.as_json()))
    else:
        console = Console()
        report.print(console if console.is_terminal else Console(width=WIDTH))
    return 0 if report.holds else 1


def _report(suite: Suite, given: argparse.Namespace) -> Report:
    at = SystemClock().now()
    facts = machine.facts()
    with _bed(suite, given.seed, given.only) as bed:
        measured = [asyncio.run(suite.run(bed, number)) for number in range(given.runs or suite.runs)]
    raw_file = Path(".threadline/raw") / f"{suite.kind}-{suite.name}-{at:%Y%m%dT%H%M%SZ}.json"
    keep_raw(raw_file, facts, measured)
    return Report(suite, at, given.seed, facts, suite.judge(measured), raw_file)


@contextmanager
def _bed(suite: Suite, seed: int, only: str) -> Iterator[Bed]:
    """A stack that nothing else uses and where nothing is left of a suite before, stopped afterwards."""
    settings = LocalSettings(home=HOME)
    home = Home.of(settings)
    if state.is_held(home):
        raise LocalFault(f"another suite runs in {HOME}; they would disturb each other. Wait for it, or stop it")
    control.end_leftovers(home, lambda *_: None)
    shutil.rmtree(home.root, ignore_errors=True)
    stack = control.start(settings, list(suite.parts)) if suite.parts else None
    try:
        yield Bed(stack, home, seed, only)
    finally:
        if stack is not None:
            control.stop(settings)


if __name__ == "__main__":
    sys.exit(main())

"""`threadline report isolation`: that nothing was done in one team which another one caused."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import typer

from schemas.lines import Kept, NoRecord
from services.kit.fault import Fault
from services.report.adapters import sources
from services.report.adapters.topics import Topics
from services.report.decisions.isolation import COMMANDS, DECISIONS, EFFECTS, RUNS, Facts, Found, NoFact, found_in
from threadline.reporting import Moments, stretch_of
from threadline.running import kafka_settings
from threadline.showing import bar, interruptible, no_answer, say

TOPICS: Final = (EFFECTS, COMMANDS, RUNS, DECISIONS)
NAMED: Final = 5
"""So many that could not be held are named of each kind, unless all are asked for."""


def isolation(files: Sequence[Path], moments: Moments, *, every: bool) -> None:
    """Ends with 1 on any violation, with 2 where there is nothing to prove it by."""
    facts, unread = Facts(), list[str]()
    with no_answer(), interruptible("nothing was proved"):
        for where, record in _records(files, moments):
            if isinstance(record, NoRecord):
                unread.append(f"{where} ({record})")
                continue
            try:
                facts.add(record)
            except NoFact as error:
                unread.append(f"{where} ({error})")
        if not facts.effects:
            raise Fault("there is no effect in this stretch of the log, so it proves nothing; --from begins it earlier")
        found = found_in(facts)
        if not any(found.held.values()):
            raise Fault(
                "no effect of this stretch has a cause in it, so nothing could be held; --from begins it earlier, and "
                f"an export needs {', '.join(TOPICS)}"
            )
    if unread:
        found.not_held["records that do not say whose they are"] = unread
    _tell(facts, found, every=every)
    if found.violations:
        raise typer.Exit(1)


def _tell(facts: Facts, found: Found, *, every: bool) -> None:
    typer.echo(f"{len(facts.effects)} entries of the ledger, {len(facts.commands)} commands, {len(facts.starts)} runs.")
    for what, count in sorted(found.held.items()):
        typer.echo(f"held: {what}: {count}")
    for why, places in sorted(found.not_held.items()):
        typer.echo(f"not held: {why}: {len(places)}")
        shown = places if every else places[:NAMED]
        for place in shown:
            typer.echo(f"  {place}")
        if len(shown) < len(places):
            typer.echo(f"  and {len(places) - len(shown)} more; --all names them")
    for each in found.violations:
        typer.echo(f"VIOLATION: {each.where} is of {', of '.join(each.apart)} as its cause {each.cause}")
    typer.echo(
        f"{len(found.violations)} violations: what stands there was done for others than caused it"
        if found.violations
        else "No violation: whatever was held is its cause's."
    )


def _records(files: Sequence[Path], moments: Moments) -> Iterator[tuple[str, Kept | NoRecord]]:
    """Effects come first: what caused them is on its topic by then."""
    stretch = stretch_of(moments)
    for file in files:
        for batch in sources.records(file):
            for where, record in batch:
                if isinstance(record, NoRecord) or (record.topic in TOPICS and stretch.holds(record.appended_ms)):
                    yield where, record
    if files:
        return
    for names in ((EFFECTS,), (COMMANDS, RUNS, DECISIONS)):
        source = Topics(kafka_settings(), names, stretch)
        with bar(", ".join(names)) as progress:
            for kept in source.records(progress):
                yield from ((record.where, record) for record in kept)
        for name in source.absent:
            say(f"there is no topic {name}: nothing is held against it")

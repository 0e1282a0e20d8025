"""Tells what came of taking decisions again, for people and for machines, piece by piece: it may be long."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from services.router.replay.difference import Difference, in_words
from services.router.replay.replayed import Replayed


def as_json(found: Replayed) -> Iterator[str]:
    """For machines. Each difference stands on a line of its own."""
    counts = {
        "from": found.since.isoformat(),
        "to": found.until.isoformat(),
        "against": found.against,
        "code": asdict(found.code),
        "warmed_up": found.warmed_up,
        "warmed_up_otherwise": found.warmed_up_otherwise,
        "cut": found.is_cut,
        "decided": found.decided,
        "undecided": found.undecided,
        "forgotten": found.forgotten,
        "kinds": dict(sorted(found.kinds.items())),
    }
    yield json.dumps(counts, indent=2).removesuffix("\n}") + ',\n  "differences": ['
    for number, line in enumerate(found.differences.lines()):
        yield f"{',' if number else ''}\n    {line}"
    yield "\n  ]\n}\n"


def as_markdown(found: Replayed) -> Iterator[str]:
    """For people."""
    otherwise = f", {found.warmed_up_otherwise} of which would be others today" if found.warmed_up_otherwise else ""
    stretch = f"From {found.since:%Y-%m-%d %H:%M:%S} to {found.until:%Y-%m-%d %H:%M:%S} UTC, {found.against}."
    code = f"Decided by Threadline {found.code.version}, the code in {found.code.folder}."
    again = f"{found.decided} decisions were taken again, {len(found.differences)} of them otherwise."
    rest = f"What they rest on comes from {found.warmed_up} recorded decisions before them{otherwise}."
    yield f"# Decisions taken again\n\n{stretch} {code}\n\n{again} {rest}\n"
    if found.is_cut:
        yield (
            "\nThe log does not reach back a whole day before this stretch: retention deleted what stood there. Where "
            "a decision rests on that, a difference says nothing.\n"
        )
    if found.undecided:
        yield f"\n{found.undecided} records have no decision that could be compared.\n"
    if found.forgotten:
        yield f"\n{found.forgotten} records are of tenants that the directory has forgotten.\n"
    if found.differences:
        yield "\n| from | to | how often |\n|---|---|---|\n"
        for kind, count in sorted(found.kinds.items()):
            yield f"| {' | '.join(kind.split(' → '))} | {count} |\n"
        yield "\n| record | event | received | before | after |\n|---|---|---|---|---|\n"
        for each in found.differences:
            yield _row(each)


def _row(found: Difference) -> str:
    at = f"{found.received_at:%Y-%m-%d %H:%M:%S}" if found.received_at else ""
    where = f"{found.partition}/{found.offset}"
    return f"| {where} | {found.event_id or ''} | {at} | {in_words(found.before)} | {in_words(found.after)} |\n"

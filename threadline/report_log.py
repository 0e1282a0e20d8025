"""`threadline report export` and `import`: the log as files, and back."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import typer

from schemas.lines import Kept, NoRecord
from schemas.topics import BY_NAME
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.report.adapters import exporting, sources
from services.report.adapters.batch import Stretch, silent
from services.report.adapters.putting import putter
from services.report.adapters.topics import Topics
from threadline.reporting import AUDIT, LeftOut, Moments, stretch_of, tell_absent
from threadline.running import kafka_settings
from threadline.showing import bar, interruptible


def export(to: Path, moments: Moments, topics: str | None) -> None:
    """Topics into a file."""
    names = _topics(topics)
    source = Topics(kafka_settings(), names, stretch_of(moments))
    sources.form_of(to)
    with interruptible(f"{to} is as it was"), bar("records") as progress:
        count = exporting.write(to, source.records(progress))
    tell_absent(source)
    typer.echo(f"{count} records of {', '.join(names)} stand in {to}")


def record(settings: KafkaSettings, to: Path) -> int:
    """All that the audit on a cluster says, into a file. Gives how many records."""
    return exporting.write(to, Topics(settings, AUDIT, Stretch()).records(silent))


def put_back(file: Path, *, onto_others: bool) -> None:
    """A file's records onto their topics."""
    left_out = LeftOut()
    with interruptible("nothing was put anywhere"):
        counts = Counter(record.topic for record in _records(file, LeftOut()))
    topics = sorted(counts)
    if not topics:
        raise Fault(f"{file} holds no record of a topic of ours; nothing was put anywhere")

    async def work() -> int:
        async with putter(kafka_settings(), topics, onto_others=onto_others) as putting:
            for record in _records(file, left_out):
                await putting.add(record)
                progress(putting.put, counts.total())
            await putting.settle()
            return putting.put

    with interruptible("what was put on topics by then stands there"), bar("records") as progress:
        count = asyncio.run(work())
    left_out.tell()
    typer.echo(f"{count} records of {file} were put on {', '.join(topics)}")


def _records(file: Path, left_out: LeftOut) -> Iterator[Kept]:
    for batch in sources.records(file):
        for place, record in batch:
            if isinstance(record, NoRecord):
                left_out.add("no_record", f"{place} ({record})")
            elif record.topic not in BY_NAME:
                left_out.add("no_record", f"{place} (there is no topic {record.topic})")
            else:
                yield record


def _topics(text: str | None) -> list[str]:
    names = [each.strip() for each in text.split(",") if each.strip()] if text is not None else list(AUDIT)
    strange = [each for each in names if each not in BY_NAME]
    if strange or not names:
        raise Fault(f"--topics {text}: there is no topic {', '.join(strange)}; `threadline topics list` shows them")
    return names

"""`threadline dlq`: what could not be understood, and what operators do about it."""

import asyncio
import json
import sys
from typing import Annotated

import typer
from rich.table import Table

from schemas.operation import HowSettled, LetterSettled, LettersResumed
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.router.adapters.operations import read_all
from threadline.letters import Kept, letters, one_of, put_back
from threadline.moments import moment_of
from threadline.operating import write_down
from threadline.plain import plain_console, whole
from threadline.running import kafka_settings

application = typer.Typer(
    help="Dead letters: what could not be understood, kept byte for byte.", no_args_is_help=True, add_completion=False
)
SHORT = 8

Letter = Annotated[str, typer.Argument(help="The letter's id, or how it begins.")]
Since = Annotated[str | None, typer.Option(help="From when on: a time, or so long ago (2h, 3d).")]


@application.command("list")
def list_letters(
    everything: Annotated[bool, typer.Option("--all", help="Also those that were replayed or dropped.")] = False,
    since: Since = None,
    for_machines: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show which there are, the oldest first."""
    moment = moment_of("--since", since, SystemClock().now()) if since is not None else None
    found = [each for each in asyncio.run(letters(kafka_settings(), moment)) if everything or each.settled is None]
    if for_machines:
        for each in found:
            shown = each.letter.model_dump(mode="json", exclude={"value", "key", "headers"})
            typer.echo(json.dumps({"id": each.id, "settled": each.settled, **shown}))
        return
    table = Table(whole("id"), "when", "service", "reason", "from", "tries", "what was wrong", box=None, pad_edge=False)
    for each in found:
        letter = each.letter
        table.add_row(
            each.id[:SHORT] + (f" ({each.settled})" if each.settled else ""),
            f"{letter.at:%Y-%m-%d %H:%M:%S}",
            letter.service,
            letter.reason,
            _source(each),
            str(letter.attempts),
            letter.detail,
        )
    plain_console().print(table if table.row_count else "there is no dead letter that nobody has dealt with")


@application.command()
def show(
    letter: Letter,
    raw: Annotated[bool, typer.Option("--raw", help="Only its bytes, as they came.")] = False,
) -> None:
    """Show all of one. Message text may stand in it."""
    kept = one_of(asyncio.run(letters(kafka_settings())), letter)
    if raw:
        sys.stdout.buffer.write(kept.letter.value or b"")
        return
    for name, value in (
        ("id", kept.id),
        ("when", f"{kept.letter.at:%Y-%m-%d %H:%M:%S} UTC"),
        ("service", kept.letter.service),
        ("from", _source(kept)),
        ("reason", kept.letter.reason),
        ("what was wrong", kept.letter.detail),
        ("tries", str(kept.letter.attempts)),
        ("dealt with", kept.settled or "not yet"),
        ("key", repr(kept.letter.key)),
        *((f"header {name}", repr(value)) for name, value in kept.letter.headers),
        ("value", repr(kept.letter.value)),
    ):
        plain_console().print(f"{name}: {value}", soft_wrap=True)


@application.command()
def replay(
    letter: Annotated[str | None, typer.Argument(help="The letter's id, or how it begins.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every one that nobody has dealt with.")] = False,
) -> None:
    """Put letters back where they came from: they are decided anew. After a fix, that is."""

    async def work() -> int:
        settings, count = kafka_settings(), 0
        for each in _chosen(await letters(settings), letter, everything=everything):
            await put_back(settings, each)
            await _settle(each, "replayed")
            count += 1
        return count

    typer.echo(f"{asyncio.run(work())} put back where they came from")


@application.command()
def drop(letter: Letter) -> None:
    """Take note that a letter needs nothing done. It stays on the topic for as long as that keeps it."""

    async def work() -> str:
        kept = one_of(await letters(kafka_settings()), letter)
        await _settle(kept, "dropped")
        return kept.id

    typer.echo(f"{asyncio.run(work())} is dropped")


@application.command()
def resume(
    partition: Annotated[int | None, typer.Option(help="Only this one of slack.inbound.")] = None,
) -> None:
    """Let routers read on where they stopped for the number of their dead letters."""

    async def work() -> list[int]:
        settings = kafka_settings()
        paused = (await read_all(settings)).paused
        chosen = [each for each in paused.values() if partition in {None, each.partition}]
        now = SystemClock().now()
        await write_down(
            settings, [LettersResumed(at=now, partition=each.partition, offset=each.offset) for each in chosen]
        )
        return sorted(each.partition for each in chosen)

    resumed = asyncio.run(work())
    if not resumed:
        raise Fault("no partition is paused; nothing was changed")
    typer.echo(f"partition {', '.join(map(str, resumed))} of slack.inbound is read on")


def _chosen(found: list[Kept], letter: str | None, *, everything: bool) -> list[Kept]:
    if (letter is None) != everything:
        raise Fault("name one letter, or say --all; nothing was replayed")
    if letter is not None:
        return [one_of(found, letter)]
    return [each for each in found if each.settled is None and each.letter.source_topic is not None]


async def _settle(kept: Kept, how: HowSettled) -> None:
    settled = LetterSettled(
        at=SystemClock().now(),
        letter_id=kept.id,
        how=how,
        partition=kept.partition,
    )
    await write_down(kafka_settings(), [settled])


def _source(kept: Kept) -> str:
    letter = kept.letter
    return (
        f"{letter.source_topic} {letter.source_partition}:{letter.source_offset}" if letter.source_topic else "no topic"
    )

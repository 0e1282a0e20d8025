"""`threadline offsets`: where the router stands in slack.inbound, and taking note of what it can never read."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.table import Table

from schemas.operation import LossAccepted
from schemas.topics import ROUTER_JOURNAL, SLACK_INBOUND
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.admin import admin_client
from services.kit.kafka.connection import client_arguments
from services.router.adapters.losses import told
from services.router.adapters.operations import read_all
from services.router.settings import SERVICE
from services.router.stream.beginning import Gap, Standing, gap_in, is_accepted
from services.router.stream.journal import Journal
from threadline.operating import write_down
from threadline.plain import plain_console
from threadline.running import kafka_settings

application = typer.Typer(help="Where the router stands in slack.inbound.", no_args_is_help=True, add_completion=False)


@dataclass(frozen=True)
class Row:
    """One partition."""

    number: int
    standing: Standing
    rows: int
    gap: Gap | None
    accepted: bool


@application.command()
def show() -> None:
    """Show each partition: the commit, what is there, and whether something is missing."""
    table = Table("partition", "commit", "first", "next", "behind", "journal rows", "", box=None, pad_edge=False)
    for each in asyncio.run(_look(kafka_settings())):
        standing = each.standing
        behind = standing.end - (standing.commit if standing.commit is not None else standing.first)
        what = "" if each.gap is None else "a loss that was accepted" if each.accepted else told(each.gap)
        commit = "none" if standing.commit is None else str(standing.commit)
        cells = (each.number, commit, standing.first, standing.end, behind, each.rows, what)
        table.add_row(*map(str, cells))
    plain_console().print(table)


@application.command("accept-loss")
def accept_loss(
    partition: Annotated[int | None, typer.Option(help="Only this one.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it, only say what would be done.")] = False,
) -> None:
    """Take note that events were lost before they were decided, and let the router go on behind them."""

    async def work() -> list[Row]:
        settings = kafka_settings()
        missing = [each for each in await _look(settings) if each.gap is not None and not each.accepted]
        chosen = [each for each in missing if partition in {None, each.number}]
        if yes:
            await write_down(settings, [_accepted(each.number, each.gap) for each in chosen if each.gap is not None])
        return chosen

    chosen = asyncio.run(work())
    if not chosen:
        raise Fault("nothing is missing that was not accepted already; nothing was changed")
    for each in chosen:
        if each.gap is not None:
            what = told(each.gap).partition(". ")[0]
            typer.echo(f"partition {each.number}: {what}; it goes on at offset {each.gap.go_on_at}")
    typer.echo("accepted, and written down in audit.operations" if yes else "nothing was changed; --yes accepts it")


def _accepted(number: int, gap: Gap) -> LossAccepted:
    now = SystemClock().now()
    return LossAccepted(at=now, kind=gap.kind, partition=number, first_lost=gap.first_lost, go_on_at=gap.go_on_at)


async def _look(settings: KafkaSettings) -> list[Row]:
    """Every partition, as the router would find it."""
    accepted = (await read_all(settings)).accepted
    topic = f"{settings.topic_prefix}{SLACK_INBOUND.name}"
    async with admin_client(settings) as client:
        commits = await client.list_consumer_group_offsets(f"{settings.topic_prefix}{SERVICE}")
        [described] = await client.describe_topics([topic])
    numbers = sorted(each["partition"] for each in described["partitions"])
    partitions = [TopicPartition(topic, number) for number in numbers]
    consumer = AIOKafkaConsumer(**client_arguments(settings), group_id=None)
    await consumer.start()
    try:
        first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
    journal = await Journal(ROUTER_JOURNAL, settings).read(set(numbers))
    found = []
    for tp in partitions:
        commit = commits[tp].offset if tp in commits and commits[tp].offset >= 0 else None
        standing, rows = Standing(commit, first[tp], end[tp]), journal[tp.partition]
        gap = gap_in(standing, max(rows, default=None))
        is_known = gap is not None and is_accepted(gap, accepted.get(tp.partition))
        found.append(Row(tp.partition, standing, len(rows), gap, is_known))
    return found

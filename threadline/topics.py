"""`threadline topics`: what is declared, what a cluster has, and making the two the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.table import Table

from schemas.topics import TOPICS
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka import admin
from threadline.running import kafka_settings

application = typer.Typer(
    help="The topics: list, check and apply the declaration.", no_args_is_help=True, add_completion=False
)


class Unreachable(Fault):
    """The cluster does not answer."""


@application.command("list")
def list_topics() -> None:
    """Show every declared topic: its key, who writes and reads it, how long it is kept."""
    table = Table("topic", "key", "written by", "read by", "kept", "text", box=None, pad_edge=False)
    for topic in TOPICS:
        writers, readers = ", ".join(topic.written_by), ", ".join(topic.read_by)
        table.add_row(topic.name, topic.key, writers, readers, topic.kept, "yes" if topic.holds_text else "no")
    Console().print(table)


@application.command()
def check() -> None:
    """Compare a cluster with the declaration; exit 1 where it differs."""
    standing = asyncio.run(_look())
    problems = [f"{topic.name}: missing" for topic in standing.missing]
    problems += [str(each) for _, _, found in standing.differences for each in found]
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        advice = _advice([each for _, _, found in standing.differences for each in found])
        typer.echo(f"{len(problems)} differences on {standing.cluster}; {advice}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{len(standing.declared)} topics on {standing.cluster} are as declared")


@application.command()
def apply(
    alter: Annotated[
        bool, typer.Option("--alter", help="Also change retention and other settings of topics that differ.")
    ] = False,
) -> None:
    """Make the topics that are missing. One that differs is named, and left; exit 1 where nothing mends it."""
    made, changed, left, cluster = asyncio.run(_apply(alter=alter))
    for name in made:
        typer.echo(f"{name}: made")
    for name in changed:
        typer.echo(f"{name}: changed")
    for difference in left:
        typer.echo(str(difference), err=True)
    if left:
        typer.echo(_advice(left), err=True)
    if any(not difference.can_be_altered for difference in left):
        raise typer.Exit(1)
    other = len({difference.topic for difference in left})
    as_declared = len(TOPICS) - len(made) - len(changed) - other
    typer.echo(
        f"{cluster}: {len(made)} made, {len(changed)} changed, {as_declared} as declared, {other} left as they are"
    )


def _advice(left: list[admin.Difference]) -> str:
    if not left:
        return "`threadline topics apply` makes what is missing"
    if all(difference.can_be_altered for difference in left):
        return "`threadline topics apply --alter` brings these settings to what is declared"
    return (
        "partitions and replicas are fixed when a topic is made, since keyed state depends on them: set "
        "THREADLINE_TOPIC_PARTITIONS to what the cluster has, or make new topics under another THREADLINE_TOPIC_PREFIX"
    )


async def _look() -> admin.Standing:
    async with _cluster() as (client, settings):
        return await admin.standing_of(client, settings)


async def _apply(*, alter: bool) -> tuple[list[str], list[str], list[admin.Difference], str]:
    async with _cluster() as (client, settings):
        standing = await admin.standing_of(client, settings)
        await admin.create(client, standing.missing)
        changed, left = [], []
        for declared, live, found in standing.differences:
            fixed = [difference for difference in found if not difference.can_be_altered]
            if alter and len(fixed) < len(found):
                await admin.alter(client, declared, live)
                changed.append(declared.name)
                left += fixed
            else:
                left += found
        return [topic.name for topic in standing.missing], changed, left, standing.cluster


@asynccontextmanager
async def _cluster() -> AsyncIterator[tuple[AIOKafkaAdminClient, KafkaSettings]]:
    settings = kafka_settings()
    try:
        async with admin.admin_client(settings) as client:
            yield client, settings
    except (KafkaError, OSError) as error:
        raise Unreachable(
            f"no Kafka cluster answers at {settings.kafka_brokers} ({type(error).__name__}); nothing was changed. "
            "`threadline local start` starts one on this machine; THREADLINE_KAFKA_BROKERS names another"
        ) from error

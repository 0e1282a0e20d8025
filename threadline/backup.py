"""`threadline backup`: everything that stands in topics and in Postgres, kept in a folder, checked, and restored."""

import asyncio
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

import typer

from services.backup import app
from services.backup.adapters.folder import check as checked
from services.backup.decisions.manifest import Manifest
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.local import postgres
from threadline.catalogue import GROUPS
from threadline.running import database_settings, kafka_settings
from threadline.showing import bar, interruptible, say

application = typer.Typer(
    help="Keep all topics and the directory in a folder, and restore them.", no_args_is_help=True, add_completion=False
)

Folder = Annotated[Path, typer.Argument(help="The backup's folder.")]
Only = Annotated[
    Literal["topics", "postgres"] | None, typer.Option(help="This part alone, where the other is kept by other means.")
]

UNFINISHED = (
    "topics may be marked as unfinished: --anew finishes that, or deletes these and begins anew; with --only topics "
    "where the directory is restored already"
)


@application.command()
def create(folder: Folder, only: Only = None) -> None:
    """Keep every topic, where the groups stand, and the directory, in a new folder."""
    at = metadata.version("threadline"), SystemClock().now()
    with interruptible(f"nothing of {folder} was kept"), bar("records") as progress:
        manifest, cut = asyncio.run(app.make(_installation(only), folder, at, progress))
    for name in cut.absent if only != "postgres" else ():
        say(f"there is no topic {name} on this cluster; the rest was kept")
    typer.echo(f"{folder}: {_told(manifest)}")
    _warn(manifest)


@application.command()
def check(folder: Folder) -> None:
    """Compare every file of a backup with its sum; no cluster and no database is needed."""
    with interruptible("nothing was changed"), bar("bytes") as progress:
        manifest = checked(folder, progress)
    typer.echo(f"{folder} is whole: {_told(manifest)}, of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC")


@application.command()
def restore(
    folder: Folder,
    only: Only = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="First delete the topics that a restore left half filled.")
    ] = False,
) -> None:
    """Put a backup on a cluster whose topics are empty, and into a database that is. No service may run."""
    with interruptible("nothing was changed"), bar("bytes") as progress:
        manifest = checked(folder, progress)
    told = _told(manifest, only)
    with interruptible(UNFINISHED), bar("records") as progress:
        asyncio.run(app.restore(_installation(only), folder, manifest, progress, anew=anew))
    typer.echo(f"restored from {folder}: {told}")
    if only != "topics":
        _warn(manifest)


def _installation(only: str | None) -> app.Installation:
    return app.Installation(
        kafka=kafka_settings() if only != "postgres" else None,
        database=database_settings() if only != "topics" else None,
        groups=GROUPS,
        programs=postgres.programs(),
    )


def _told(manifest: Manifest, only: str | None = None) -> str:
    parts = []
    if manifest.partitions and only != "postgres":
        parts.append(f"{manifest.records} records of {len(manifest.topics)} topics")
    if manifest.database is not None and only != "topics":
        parts.append(f"the directory at revision {manifest.database.revision}")
    if not parts:
        raise Fault(f"the backup has no {only}; nothing was changed")
    return f"{' and '.join(parts)}, {manifest.size / 1e6:.1f} MB"


def _warn(manifest: Manifest) -> None:
    if manifest.database is not None and manifest.database.sealed_tokens:
        say(
            f"{manifest.database.sealed_tokens} tokens stand in it, sealed. The keys that open them do not: keep "
            "THREADLINE_SEALING_KEYS somewhere else"
        )

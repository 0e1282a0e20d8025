"""`threadline report`: what the log says."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from services.kit.fault import Fault

application = typer.Typer(help="What the log says: as files, and back.", no_args_is_help=True, add_completion=False)

From = Annotated[
    str | None, typer.Option("--from", help="From when on, as the broker counts: a time, or so long ago (2h, 7d).")
]
Until = Annotated[str | None, typer.Option("--until", help="Until when, likewise; until now without.")]


@application.command()
def export(
    to: Annotated[Path, typer.Option("--to", help="The file: .jsonl, a record a line, or .parquet, in columns.")],
    since: From = None,
    until: Until = None,
    topics: Annotated[
        str | None, typer.Option("--topics", help="Which, with commas between; those of the audit without.")
    ] = None,
) -> None:
    """Write a stretch of topics into a file, byte for byte. Nothing is put in its place before it is whole."""
    with _extra():
        from threadline import report_log  # noqa: PLC0415 - see there
    report_log.export(to, (since, until), topics)


@application.command("import")
def put_back(
    file: Annotated[Path, typer.Argument(help="What `threadline report export` wrote.")],
    onto_others: Annotated[bool, typer.Option("--onto-others", help="Also where topics hold records already.")] = False,
) -> None:
    """Put an exported log on topics again: each record's key, headers and value as they were, each key in its order."""
    with _extra():
        from threadline import report_log  # noqa: PLC0415 - likewise
    report_log.put_back(file, onto_others=onto_others)


@contextmanager
def _extra() -> Iterator[None]:
    """Within it, what reads columns is imported: it is an extra, and every other command does without."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in {"polars", "confluent_kafka"}:
            raise
        raise Fault(
            f"reports need {error.name}, which is not installed here; nothing was done. "
            "`pip install 'threadline[report]'` installs what they need"
        ) from None

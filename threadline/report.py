"""`threadline report`: what the log says, in numbers; and the log itself as files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from services.kit.fault import Fault
from threadline.interruption import ends_at_once

application = typer.Typer(
    help="What the log says, in numbers: baselines, what moved between them, and the log as files.",
    no_args_is_help=True,
    add_completion=False,
)

From = Annotated[
    str | None, typer.Option("--from", help="From when on, as the broker counts: a time, or so long ago (2h, 7d).")
]
Until = Annotated[str | None, typer.Option("--until", help="Until when, likewise; until now without.")]
Files = Annotated[list[Path] | None, typer.Argument(help="Exported logs, .jsonl or .parquet; the topics without.")]
KeyFile = Annotated[
    Path | None, typer.Option(help="A file with the key that hashes ids, in place of THREADLINE_REPORT_KEY.")
]
Thresholds = Annotated[
    Path | None, typer.Option(help="A YAML file that says how much a figure must move to matter, where otherwise.")
]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show ids as they are, for operators.")]


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
    with extra():
        from threadline import report_log  # noqa: PLC0415 - see there
    report_log.export(to, (since, until), topics)


@application.command("import")
def put_back(
    file: Annotated[Path, typer.Argument(help="What `threadline report export` wrote.")],
    onto_others: Annotated[bool, typer.Option("--onto-others", help="Also where topics hold records already.")] = False,
) -> None:
    """Put an exported log on topics again: each record's key, headers and value as they were, each key in its order."""
    with extra():
        from threadline import report_log  # noqa: PLC0415 - likewise
    report_log.put_back(file, onto_others=onto_others)


@application.command()
def baseline(  # noqa: PLR0913 - an option is a parameter
    *,
    files: Files = None,
    since: From = None,
    until: Until = None,
    out: Annotated[
        Path | None, typer.Option(help="A folder for the files; without one the Markdown is printed.")
    ] = None,
    formats: Annotated[str, typer.Option("--format", help="Which, with commas between.")] = "md,json,html",
    window: Annotated[
        float | None,
        typer.Option(min=0.001, help="The cancel window in seconds; it chooses itself without."),
    ] = None,
    key_file: KeyFile = None,
    reveal: Reveal = False,
) -> None:
    """Count runs, their ends, times and costs, stops, reactions and limits over a stretch of the log."""
    with extra():
        from threadline import report_baseline  # noqa: PLC0415 - likewise
    wanted = report_baseline.Wanted(files or [], (since, until), window, key_file, reveal=reveal)
    report_baseline.baseline(wanted, out, formats)


@application.command()
def drift(
    before: Annotated[Path, typer.Argument(help="The earlier baseline, as JSON.")],
    after: Annotated[Path, typer.Argument(help="The later one.")],
    thresholds: Thresholds = None,
    out: Annotated[
        Path | None, typer.Option(help="A folder for drift-DATE.md and .json; without one the Markdown is printed.")
    ] = None,
    formats: Annotated[str, typer.Option("--format", help="Which, with commas between.")] = "md,json",
) -> None:
    """Tell what moved between two baselines, and whether that is more than noise.

    Ends with 1 where something got worse, with 2 where they cannot be compared.
    """
    with extra():
        from threadline import report_drift  # noqa: PLC0415 - likewise
    report_drift.drift(before, after, report_drift.Wanted(thresholds, out, formats))


@application.command()
def refresh(  # noqa: PLR0913 - an option is a parameter
    *,
    files: Files = None,
    since: From = None,
    until: Until = None,
    out: Annotated[Path, typer.Option(help="The folder in which the reports stand.")] = Path("reports"),
    drifts: Annotated[
        bool,
        typer.Option("--drift", help="Compare each with the one that stood there; end with 1 where one got worse."),
    ] = False,
    thresholds: Thresholds = None,
    key_file: KeyFile = None,
    reveal: Reveal = False,
) -> None:
    """Make every report of a folder anew: of channels, of the gateway, and of each model.

    Names those that stand there and were not made anew. Ends with 2 where it cannot be done.
    """
    with extra():
        from threadline import report_baseline, report_refresh  # noqa: PLC0415 - likewise
    wanted = report_baseline.Wanted(files or [], (since, until), None, key_file, reveal=reveal)
    report_refresh.refresh(wanted, out, report_refresh.Drifting(drifts, thresholds))


@application.command()
def isolation(
    *,
    files: Files = None,
    since: From = None,
    until: Until = None,
    every: Annotated[
        bool, typer.Option("--all", help="Name all that could not be held, and not the first few.")
    ] = False,
) -> None:
    """Prove that every effect on Slack is of the tenant, connection and team of its cause.

    Ends with 1 where one is not, with 2 where there is nothing to prove it by.
    """
    with extra():
        from threadline import report_isolation  # noqa: PLC0415 - likewise
    report_isolation.isolation(files or [], (since, until), every=every)


@contextmanager
def extra() -> Iterator[None]:
    """Within it, what reads columns is imported: it is an extra, and every other command does without."""
    try:
        with ends_at_once():
            yield
    except ModuleNotFoundError as error:
        if error.name not in {"polars", "confluent_kafka"}:
            raise
        raise Fault(
            f"reports need {error.name}, which is not installed here; nothing was done. "
            "`pip install 'threadline[report]'` installs what they need"
        ) from None

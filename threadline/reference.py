"""The reference pages under docs/reference, written from the declarations, so that they cannot be wrong."""

from collections.abc import Iterable, Iterator
from typing import Any

import typer
from pydantic.fields import FieldInfo
from typer.main import get_command

from schemas.lifecycle import RUN_STATE, diagram
from schemas.partitions import PARTITIONS, PARTITIONS_ON_ONE_MACHINE
from schemas.topics import TOPICS
from services.directory.json_schema import json_schema
from services.kit.settings import DEFAULT_FILE, FILE_VARIABLE, Settings, environment_name, is_secret
from services.kit.telemetry.catalogue import Metric, prometheus_name
from services.report.decisions.baseline import json_schema as baseline_schema
from services.report.decisions.drift import json_schema as drift_schema
from threadline.catalogue import SETTINGS
from threadline.command_line import application
from threadline.measured import METRICS
from threadline.slack_sim_reference import local_slack

_NOTE = "<!-- Written by `./dev lock` from the code; edit the code. -->\n"


def pages() -> dict[str, str]:
    """Every page by its file name."""
    return {
        "topics.md": _page("Topics", _topics()),
        "settings.md": _page("Settings", _settings()),
        "metrics.md": _page("Metrics", _metrics(METRICS)),
        "commands.md": _page("Commands", _commands()),
        "run-lifecycle.md": _page("The life of a run", _lifecycle()),
        "slack-sim.md": _page("The local Slack", local_slack()),
        "directory.schema.json": json_schema(),
        "baseline.schema.json": baseline_schema(),
        "drift.schema.json": drift_schema(),
    }


def _page(title: str, lines: Iterable[str]) -> str:
    return f"# {title}\n\n{_NOTE}\n" + "\n".join(lines) + "\n"


def _topics() -> Iterator[str]:
    yield (
        f"Topics are made with {PARTITIONS} partitions ({PARTITIONS_ON_ONE_MACHINE} on one machine), three replicas "
        "and min.insync.replicas 2 wherever there are three brokers, and log-append time. "
        "`threadline topics apply` makes them; `threadline topics check` names every difference.\n"
    )
    yield "| topic | key | holds | written by | read by | kept | message text |"
    yield "|---|---|---|---|---|---|---|"
    for topic in TOPICS:
        cells = (
            f"`{topic.name}`",
            topic.key,
            topic.purpose,
            ", ".join(topic.written_by),
            ", ".join(topic.read_by),
            topic.kept,
            "yes" if topic.holds_text else "no",
        )
        yield f"| {' | '.join(cells)} |"
    for topic in TOPICS:
        yield f"\n## {topic.name}\n"
        for name, event in topic.types.items():
            yield f"- `{name}`: {(event.__doc__ or '').splitlines()[0]}"


def _settings() -> Iterator[str]:
    yield (
        f"The environment comes first, then the file `{DEFAULT_FILE}` (`{FILE_VARIABLE}` names another; a name in it "
        "is the one in the second column), then the default. Every wrong value is reported at once.\n"
    )
    for group in SETTINGS:
        yield f"## {(group.__doc__ or '').splitlines()[0]}\n"
        yield "| environment | file | default | what it is |"
        yield "|---|---|---|---|"
        for name, field in _fields_of(group):
            yield f"| `{environment_name(name, field)}` | `{name}` | {_default(field)} | {field.description} |"
        yield ""


def _fields_of(group: type[Settings]) -> Iterator[tuple[str, FieldInfo]]:
    """Its own: what it inherits stands with the group that it comes from."""
    own = group.__annotations__
    yield from ((name, field) for name, field in group.model_fields.items() if name in own)


def _default(field: FieldInfo) -> str:
    if is_secret(field):
        return "none (secret)"
    default = field.get_default()
    return "none" if default is None else f"`{default}`" if str(default) else "empty"


def _metrics(metrics: Iterable[Metric]) -> Iterator[str]:
    yield "Every process serves them at `/metrics`. Counters and histograms stand at 0 from the start.\n"
    yield "| metric | kind | labels | what it is |"
    yield "|---|---|---|---|"
    for metric in metrics:
        labels = ", ".join(f"`{name}`" for name in metric.labels) or "none"
        yield f"| `{prometheus_name(metric)}` | {type(metric).__name__.lower()} | {labels} | {metric.description} |"


def _commands() -> Iterator[str]:
    yield from _command(get_command(application), ["threadline"])


def _command(command: Any, path: list[str]) -> Iterator[str]:
    if hasattr(command, "list_commands"):
        context = typer.Context(command)
        for name in command.list_commands(context):
            yield from _command(command.get_command(context, name), [*path, name])
        return
    yield f"## `{' '.join(path)}`\n"
    yield f"{command.help}\n"
    for parameter in command.params:
        yield f"- `{', '.join(parameter.opts)}`: {parameter.help}"
    yield ""


def _lifecycle() -> Iterator[str]:
    yield f"```mermaid\n{diagram()}```\n"
    yield "What entering a phase is called in `audit.runs`:\n"
    yield "| phase | run.state |"
    yield "|---|---|"
    for phase, state in RUN_STATE.items():
        yield f"| {phase} | {state or 'not counted'} |"

"""`threadline report drift`: what moved from one baseline to another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Final

import typer

from services.kit.fault import Fault
from services.kit.files import write_whole
from services.report.adapters.baselines import NoBaseline, baseline_in
from services.report.adapters.thresholds import thresholds
from services.report.decisions.baseline import Baseline
from services.report.decisions.drift import Drift
from services.report.decisions.drift_markdown import drift_markdown, summary
from services.report.decisions.drifting import drift_of
from threadline.reporting import forms_in
from threadline.showing import no_answer, say


@dataclass(frozen=True)
class Wanted:
    """What the options of a drift say."""

    thresholds: Path | None
    out: Path | None
    formats: str


FORMS: Final[dict[str, Callable[[Drift], str]]] = {
    "md": drift_markdown,
    "json": lambda made: made.model_dump_json(indent=2) + "\n",
}


def drift(before: Path, after: Path, wanted: Wanted) -> None:
    """Compares two files. Ends with 1 where something got worse."""
    with no_answer():
        chosen = forms_in(wanted.formats, FORMS, "md and json")
        limits = thresholds(wanted.thresholds)
        was, now = baseline_in(before), baseline_in(after)
        ends = [_last(path, side) for path, side in ((before, was), (after, now))]
        if was.log.only != now.log.only:
            each = " and ".join(
                f"{path} of {side.log.only or 'all runs'}" for path, side in ((before, was), (after, now))
            )
            raise NoBaseline(f"the two are of different runs: {each}; nothing was compared")
        if ends[1] < ends[0]:
            say(f"the log of {after} ends before that of {before}: they may be the wrong way round")
        found = drift_of(was, now, limits)
        if wanted.out is None:
            typer.echo(FORMS[chosen[0]](found), nl=False)
        else:
            names = write(found, ends[1], wanted.out, chosen)
            typer.echo(f"{summary(found)} {', '.join(names)}")
    if found.worse:
        raise typer.Exit(1)


def write(found: Drift, at: datetime, folder: Path, chosen: list[str]) -> list[str]:
    """Files named by the day on which the later log ends, and not by today: the same logs give the same files."""
    texts = {form: FORMS[form](found).encode() for form in chosen}
    try:
        paths = next(
            each for each in _names(folder, at, chosen) if all(_is_free(each[form], texts[form]) for form in chosen)
        )
        for form, path in paths.items():
            write_whole(path, texts[form])
    except OSError as error:
        raise Fault(
            f"{error.filename} cannot be written ({error.strerror}); what stood in {folder} before stands there whole. "
            "--out names another folder"
        ) from error
    return [str(path) for path in paths.values()]


def _names(folder: Path, at: datetime, chosen: list[str]) -> Iterator[dict[str, Path]]:
    """For what is found first on a day, and for what is found after it: none is lost because another one follows."""
    for number in count(1):
        name = f"drift-{at:%Y-%m-%d}" if number == 1 else f"drift-{at:%Y-%m-%d}-{number}"
        yield {form: folder / f"{name}.{form}" for form in chosen}


def _is_free(path: Path, text: bytes) -> bool:
    return not path.exists() or path.read_bytes() == text


def _last(path: Path, report: Baseline) -> datetime:
    if report.log.last is None:
        raise NoBaseline(f"{path} is of a log without an event; nothing was compared")
    return report.log.last

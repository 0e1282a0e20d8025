"""`threadline report baseline`: a stretch of the log in numbers."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from services.kit.fault import Fault
from services.kit.files import write_whole
from services.report.adapters import sources
from services.report.adapters.batch import Batch
from services.report.adapters.shelf import shelf
from services.report.adapters.topics import Topics
from services.report.decisions import composing
from services.report.decisions.baseline import Baseline
from services.report.decisions.gathering import Gathered
from services.report.decisions.heap import Room, Shelf
from services.report.decisions.markdown import markdown
from services.report.decisions.names import Hashed, Naming, Revealed
from services.report.decisions.page import page
from services.report.settings import ReportSettings
from threadline.reporting import AUDIT, LeftOut, Moments, forms_in, stretch_of, tell_absent
from threadline.running import kafka_settings, service_settings
from threadline.showing import bar, interruptible, say

SHORTEST_KEY: Final = 16
LEFT_OUT: Final = "left-out.txt"
"""Names all that does not count."""


@dataclass(frozen=True)
class Wanted:
    """What the options of a baseline say."""

    files: Sequence[Path]
    stretch: Moments
    window_s: float | None
    key_file: Path | None
    reveal: bool


def baseline(wanted: Wanted, out: Path | None, formats: str) -> None:
    """The log as numbers."""
    chosen = forms_in(formats, FORMS, "md, json and html")
    naming = naming_of(wanted)
    with interruptible("nothing was written"), shelf() as kept:
        gathered, left_out = gathered_by(wanted, kept)
        made = composing.baseline_of(gathered, composing.Wanted(naming, wanted.window_s))
    left_out.tell()
    if out is None:
        typer.echo(FORMS[chosen[0]](made), nl=False)
        return
    texts = {f"baseline.{form}": FORMS[form](made) for form in chosen}
    try:
        with interruptible("each file is whole: as it was, or made anew; the command makes the rest"):
            for name, text in texts.items():
                write_whole(out / name, text.encode())
            names = [*texts, *([LEFT_OUT] if left_out.write(out / LEFT_OUT) else [])]
    except OSError as error:
        raise Fault(f"{error.filename} cannot be written ({error.strerror}); each file is whole") from error
    typer.echo(f"{made.log.events} events; {', '.join(str(out / name) for name in names)}")
    tell_of_key(naming)


def tell_of_key(naming: Naming) -> None:
    """Says where names will be others in the next report."""
    if isinstance(naming, Hashed) and not naming.kept:
        say("ids are hashed with a key made for this report; THREADLINE_REPORT_KEY keeps names the same in the next")


FORMS: Final[dict[str, Callable[[Baseline], str]]] = {
    "md": markdown,
    "json": lambda made: made.model_dump_json(indent=2) + "\n",
    "html": page,
}


def gathered_by(wanted: Wanted, kept: Shelf) -> tuple[Gathered, LeftOut]:
    """Reads it all, and tells nothing yet."""
    gathered, left_out = Gathered(Room(kept)), LeftOut()
    for batch in _batches(wanted):
        left_out.take(batch)
        gathered.add(batch.events)
    return gathered, left_out


def _batches(wanted: Wanted) -> Iterator[Batch]:
    stretch = stretch_of(wanted.stretch)
    if not wanted.files:
        source = Topics(kafka_settings(), AUDIT, stretch)
        with bar("records") as progress:
            yield from source.batches(progress)
        tell_absent(source)
        return
    for file in wanted.files:
        with bar(file.name) as progress:
            yield from sources.batches(file, stretch, progress)


def naming_of(wanted: Wanted) -> Naming:
    """How ids are to be named."""
    if wanted.reveal:
        return Revealed()
    if wanted.key_file is not None:
        return Hashed(_key_in(wanted.key_file), kept=True)
    key = service_settings(ReportSettings).report_key
    if key is not None:
        return Hashed(key.get_secret_value().encode(), kept=True)
    return Hashed(secrets.token_bytes(32), kept=False)


def _key_in(file: Path) -> bytes:
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise Fault(f"the key in {file} cannot be read ({error.strerror}); nothing was done") from error
    if len(key) < SHORTEST_KEY:
        raise Fault(f"the key in {file} is shorter than {SHORTEST_KEY} bytes, and could be guessed; nothing was done")
    return key

"""What every released version wrote, as it is kept in the tree, held against what today's readers understand."""

import json
from collections.abc import Iterator
from pathlib import Path

from schemas.compatibility import problems
from schemas.export import path_of, schema_of
from schemas.record import CannotRead, read
from schemas.topics import BY_NAME, TOPICS

RELEASED = Path(__file__).parent / "released"


def broken_promises(released: Path = RELEASED) -> list[str]:
    """What some released version wrote and today's readers would not understand."""
    return [problem for version in sorted(filter(Path.is_dir, released.iterdir())) for problem in _broken_by(version)]


def _broken_by(version: Path) -> Iterator[str]:
    today = {path_of(topic, name): schema_of(event) for topic in TOPICS for name, event in topic.types.items()}
    for file in sorted(version.rglob("*.example.json")):
        topic, name = BY_NAME[file.parent.name], json.loads(file.read_text("utf-8"))["type"]
        try:
            read(topic.types[name], file.read_bytes())
        except (KeyError, CannotRead) as error:
            yield f"{file.parent.name}/{file.name}: {error} (as {version.name} wrote it)"
    for file in sorted(version.rglob("*.schema.json")):
        path = file.relative_to(version).as_posix()
        if path not in today:
            yield f"{path}: {version.name} wrote it, and nothing reads it any more"
            continue
        for problem in problems(json.loads(file.read_text("utf-8")), today[path]):
            yield f"{path}: {problem} (as {version.name} wrote it)"

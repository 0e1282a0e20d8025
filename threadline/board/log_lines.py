"""What in a program's log is a warning or an error, whichever program wrote it."""

import json
import re

from threadline.board.facts import Level

LEVELS: dict[str, Level] = {
    "warn": "warning",
    "warning": "warning",
    "error": "error",
    "critical": "error",
    "fatal": "error",
    "panic": "error",
}

_OURS = re.compile(r"\d\d:\d\d:\d\d\.\d{3} (?P<level>[A-Z]+) +(?P<logger>\S+): (?P<what>.*)")
_KAFKA = re.compile(r"\[[^\]]+\] (?P<level>WARN|ERROR|FATAL) (?P<what>.*)")
_POSTGRES = re.compile(r"\d{4}-\d\d-\d\d .*? \[\d+\] (?P<level>WARNING|ERROR|FATAL|PANIC): +(?P<what>.*)")
CHATTER = "aiokafka"
"""Kafka's client says of each single try that it failed. What becomes of it, services say themselves."""
_FORMS = (_OURS, _KAFKA, _POSTGRES)


def trouble_in(line: str) -> tuple[Level, str] | None:
    """How bad it is, and what it says. Lines below another one, such as a traceback's or a statement's, are no news."""
    if line.startswith("{"):
        return _of_json(line)
    for form in _FORMS:
        if found := form.match(line):
            return _trouble(found["level"].lower(), found.groupdict().get("logger", ""), found["what"])
    return None


def _of_json(line: str) -> tuple[Level, str] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    level, logger, what = (str(record.get(each, "")) for each in ("level", "logger", "message"))
    return _trouble(level, logger, what)


def _trouble(level: str, logger: str, what: str) -> tuple[Level, str] | None:
    found = LEVELS.get(level)
    return (found, what) if found is not None and not logger.startswith(CHATTER) else None

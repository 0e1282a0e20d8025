"""Reads thresholds: those that are shipped, and a file of somebody's own over them."""

from importlib import resources
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from services.kit.fault import Fault
from services.report.decisions.thresholds import Thresholds, laid_over

SHIPPED: Final = "thresholds.yaml"


class NoThresholds(Fault):
    """A file that is none of thresholds."""


def shipped_text() -> str:
    """The file that is shipped, which also explains itself."""
    return resources.files("services.report").joinpath(SHIPPED).read_text("utf-8")


def thresholds(path: Path | None) -> Thresholds:
    """Those that hold."""
    shipped = _read(shipped_text())
    if path is None:
        return Thresholds.model_validate(shipped)
    try:
        given = _read(path.read_text("utf-8"))
    except OSError as error:
        raise NoThresholds(f"{path} cannot be read ({error.strerror}); nothing was compared") from error
    except UnicodeDecodeError as error:
        raise NoThresholds(f"{path} is no text in UTF-8; nothing was compared") from error
    except YAMLError as error:
        raise NoThresholds(f"{path} is no YAML{_line(error)}; nothing was compared") from error
    if given is None:
        given = {}
    try:
        return Thresholds.model_validate(laid_over(shipped, given))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'all of it'}: {each['msg']}" for each in error.errors())
        raise NoThresholds(
            f"{path}: {wrong}; nothing was compared. The guide on reports shows the whole file"
        ) from None


def _read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def _line(error: YAMLError) -> str:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    return f", in line {mark.line + 1}" if mark is not None else ""

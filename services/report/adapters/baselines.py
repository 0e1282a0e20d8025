"""Reads a baseline that was written before."""

from pathlib import Path

from pydantic import ValidationError

from services.kit.fault import Fault
from services.report.decisions.baseline import Baseline


class NoBaseline(Fault):
    """A file that is no baseline."""


def baseline_in(path: Path) -> Baseline:
    """As JSON holds it."""
    try:
        return Baseline.model_validate_json(path.read_bytes())
    except OSError as error:
        raise NoBaseline(f"{path} cannot be read ({error.strerror}); nothing was compared") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise NoBaseline(
            f"{path} is no baseline that this version knows ({where}: {first['msg']}); nothing was compared. "
            "`threadline report baseline --format json` writes one"
        ) from None

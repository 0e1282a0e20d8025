"""The last that a process knew, on its own disk: it can start while Postgres is away."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from schemas.base import Instant, Part
from services.directory.holding import TenantRecord
from services.kit.files import write_whole

log = logging.getLogger(__name__)


class _Saved(Part):
    format: Literal[1] = 1
    saved_at: Instant
    tenants: tuple[TenantRecord, ...]


class Snapshot:
    """One file. It holds no secret: tokens stand in it sealed, or as digests."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def load(self) -> tuple[TenantRecord, ...]:
        """What was saved last. A file that cannot be read is told and passed over: Postgres knows it all."""
        try:
            found = _Saved.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, ValidationError) as error:
            log.warning(
                "the directory's snapshot %s cannot be read (%s) and is passed over: until Postgres answers, nobody is "
                "known",
                self._file,
                type(error).__name__,
            )
            return ()
        log.info("%d tenants are known from %s, saved at %s", len(found.tenants), self._file, found.saved_at)
        return found.tenants

    def save(self, records: tuple[TenantRecord, ...], at: datetime) -> None:
        """Puts it in place of the one before."""
        write_whole(self._file, _Saved(saved_at=at, tenants=records).model_dump_json().encode())

"""Codes that let somebody in who can write to the supervisor's state folder: each for a minute, and once.

A code's file is the permission. Whoever comes with the code uses it up by taking the file away.
"""

import json
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from services.kit.clock import Clock
from services.kit.fault import Fault
from services.kit.files import write_whole

GOOD_FOR: Final = timedelta(seconds=60)
FOLDER, ADDRESS = "supervisor-page", "address"


class NobodyThere(Fault):
    """No supervisor serves its page from this folder."""


@dataclass(frozen=True)
class Codes:
    """Those in one state folder."""

    state_folder: Path
    clock: Clock

    def serve_at(self, address: str | None) -> None:
        """Tells where the page is; nowhere where it is not on this machine's loopback alone."""
        if address is None:
            (self._folder / ADDRESS).unlink(missing_ok=True)
        else:
            write_whole(self._folder / ADDRESS, address.encode())

    def way_in(self, tenant_id: str) -> str:
        """The address, with a new code, at which somebody comes in."""
        try:
            address = (self._folder / ADDRESS).read_text("utf-8").strip()
        except FileNotFoundError:
            raise NobodyThere(
                f"no supervisor on this machine's loopback has its state in {self.state_folder}. Start one there, or "
                "name the folder of the one that runs (THREADLINE_STATE_FOLDER). One that listens elsewhere is "
                "reached by Sign in with Slack"
            ) from None
        except OSError as error:
            raise NobodyThere(
                f"{self._folder} cannot be read ({error.strerror}): run this as the user who runs the supervisor"
            ) from None
        self._tidy()
        code = secrets.token_urlsafe(32)
        until = (self.clock.now() + GOOD_FOR).timestamp()
        write_whole(self._file(code), json.dumps({"tenant": tenant_id, "until": until}).encode())
        return f"{address}/in?code={code}"

    def take(self, code: str) -> str | None:
        """Whose tenant somebody may see who comes with a code. It is good no more afterwards."""
        taken = self._folder / f"taken-{secrets.token_hex(8)}"
        try:
            self._file(code).rename(taken)  # one of two who come with it has it
        except OSError:
            return None
        try:
            said = json.loads(taken.read_bytes())
        finally:
            taken.unlink(missing_ok=True)
        tenant_id: str = said["tenant"]
        return tenant_id if self.clock.now().timestamp() < said["until"] else None

    @property
    def _folder(self) -> Path:
        return self.state_folder / FOLDER

    def _file(self, code: str) -> Path:
        return self._folder / f"code-{sha256(code.encode()).hexdigest()}"

    def _tidy(self) -> None:
        """Codes that nobody came with."""
        old = self.clock.now().timestamp() - GOOD_FOR.total_seconds()
        for each in self._folder.glob("code-*"):
            with suppress(FileNotFoundError):  # somebody came with it meanwhile
                if each.stat().st_mtime < old:
                    each.unlink()

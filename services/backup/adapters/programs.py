"""PostgreSQL's own programs: the one that fits, run without a password on its command line."""

import asyncio
import contextlib
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from pydantic import SecretStr

from services.kit.fault import Fault
from services.kit.settings import child_environment

DEBIANS: Final = "/usr/lib/postgresql"
SAID: Final = 600


class NoProgram(Fault):
    """No program that fits is here."""


async def fitting(name: str, version: int, folders: Sequence[Path]) -> tuple[Path, int]:
    """The oldest that is no older than a version, and its own: a newer one may say what an older server cannot do."""
    found: dict[int, Path] = {}
    for path in _candidates(name, folders):
        found.setdefault(await _version(path), path)
    fit = sorted(each for each in found if each >= version)
    if not fit:
        others = ", ".join(f"{each} at {path}" for each, path in sorted(found.items()) if each) or "none"
        raise NoProgram(
            f"{name} of PostgreSQL {version} or newer is needed, and there is {others}; nothing was changed. On "
            f"Debian: apt-get install postgresql-client-{version}; or pip install 'threadline[local]'"
        )
    return found[fit[0]], fit[0]


def _candidates(name: str, folders: Sequence[Path]) -> Iterator[Path]:
    on_path = shutil.which(name)
    yield from (folder / name for folder in folders if (folder / name).is_file())
    if on_path is not None:
        yield Path(on_path)
    yield from sorted(Path(DEBIANS).glob(f"*/bin/{name}"))


async def _version(path: Path) -> int:
    child = await asyncio.create_subprocess_exec(str(path), "--version", stdout=asyncio.subprocess.PIPE)
    said, _ = await child.communicate()
    found = re.search(r"\) (\d+)", said.decode("utf-8", "replace"))
    return int(found.group(1)) if found else 0


async def run(program: Path, *arguments: str, url: SecretStr, otherwise: str) -> None:
    """Runs it on a database to its end. `otherwise` says how things stand where it fails, and what to do."""
    plain, password = _without_password(url.get_secret_value())
    child = await asyncio.create_subprocess_exec(
        *(str(program), f"--dbname={plain}", "--no-password", *arguments),
        env=child_environment({"PGPASSWORD": password} if password else {}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await child.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
    if child.returncode:
        raise Fault(f"{program.name} failed: {said.decode('utf-8', 'replace').strip()[-SAID:]}\n{otherwise}")


def _without_password(url: str) -> tuple[str, str | None]:
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    options = parse_qsl(parts.query)
    secret = dict(options).get("password", unquote(password) or None)
    query = urlencode([each for each in options if each[0] != "password"], quote_via=quote)
    return urlunsplit((parts.scheme, f"{name}{at}{place}", parts.path, query, "")), secret

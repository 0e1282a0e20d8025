"""A Prometheus of one's own, with the real rules, and the questions of dashboards as Grafana asks them."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession
from ruamel.yaml import YAML

from bench.beds.child import Child, child
from services.local import ports
from tests.ops.alerts import PROMETHEUS, RULES, read

SCRAPED_EVERY_S = 1
READY_WITHIN_S = 30.0

_DURATION = re.compile(r"(?<=\[)(\d+)([smhd])(?=\])|(?<=\boffset )(\d+)([smhd])\b|(?<=\bfor: )(\d+)([smhd])\b")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def divided(rules: str, by: int) -> str:
    """Rules whose every window, offset and `for` is so many times shorter, and which are otherwise as they stand."""

    def shorter(found: re.Match[str]) -> str:
        count, unit = [each for each in found.groups() if each is not None]
        seconds, rest = divmod(int(count) * _SECONDS[unit], by)
        if rest:
            raise ValueError(f"{found[0]} cannot be divided by {by}: name a divisor of all durations")
        return f"{seconds}s"

    return _DURATION.sub(shorter, rules)


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    child: Child
    address: str
    session: ClientSession

    async def ask(self, expr: str) -> list[dict[str, Any]]:
        """What an expression is now: each series with its `value`."""
        found: list[dict[str, Any]] = (await self._get("query", query=expr))["result"]
        return found

    async def course(self, expr: str, since: float, until: float) -> list[dict[str, Any]]:
        """How an expression went, second by second: each series with its `values`."""
        span = {"start": f"{since:.3f}", "end": f"{until:.3f}", "step": "1"}
        found: list[dict[str, Any]] = (await self._get("query_range", query=expr, **span))["result"]
        return found

    async def firing(self) -> set[str]:
        """The names of alerts that fire."""
        found = (await self._get("alerts"))["alerts"]
        return {each["labels"]["alertname"] for each in found if each["state"] == "firing"}

    async def now(self) -> float:
        """Its clock."""
        [found] = await self.ask("vector(time())")
        return float(found["value"][1])

    async def _get(self, what: str, **asked: str) -> dict[str, Any]:
        async with self.session.get(f"{self.address}/api/v1/{what}", params=asked) as answer:
            said = await answer.json()
            assert said["status"] == "success", said
            found: dict[str, Any] = said["data"]
            return found


def as_grafana_asks(expr: str, variables: Mapping[str, str], shown_s: float) -> str:
    """An expression of a panel with everything put in, as for a data source whose interval is the scrapes'."""
    known = {**variables, "__rate_interval": f"{4 * SCRAPED_EVERY_S}s", "__range": f"{max(1, round(shown_s))}s"}
    return re.sub(r"\$(\w+)", lambda found: known[found[1]], expr)


@asynccontextmanager
async def prometheus(folder: Path, targets: Path, divisor: int) -> AsyncIterator[Prometheus]:
    """Scrapes what `threadline up` names as targets, each second, and judges by the real rules."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("the dashboards are tried with Prometheus, and it is not here: `apt-get install prometheus`")
    config = _config(folder, targets, divisor)
    port = ports.free()
    address = f"http://127.0.0.1:{port}"
    command = (
        program,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    async with child(command, {}, folder / "prometheus.log", folder) as started, ClientSession() as session:
        found = Prometheus(started, address, session)
        async with asyncio.timeout(READY_WITHIN_S):
            while not await _is_ready(found):
                assert started.is_running, started.said()
                await asyncio.sleep(0.05)
        yield found


async def _is_ready(asked: Prometheus) -> bool:
    try:
        async with asked.session.get(f"{asked.address}/-/ready") as answer:
            return answer.status == 200
    except ClientError:
        return False


def _config(folder: Path, targets: Path, divisor: int) -> Path:
    """That of one machine, of another home, and quicker."""
    (folder / "rules").mkdir(parents=True)
    for path in RULES:
        (folder / "rules" / path.name).write_text(divided(path.read_text("utf-8"), divisor), "utf-8")
    config = read(PROMETHEUS / "one-machine.yaml")
    config["global"] = {"scrape_interval": f"{SCRAPED_EVERY_S}s", "evaluation_interval": f"{SCRAPED_EVERY_S}s"}
    [job] = config["scrape_configs"]
    [discovered] = job["file_sd_configs"]
    assert [Path(name).name for name in discovered["files"]] == [targets.name]
    discovered["files"] = [str(targets)]
    written = StringIO()
    YAML().dump(config, written)
    path = folder / "prometheus.yaml"
    path.write_text(written.getvalue(), "utf-8")
    return path

"""What asking the directory costs, and whether the secrets' gateway tells anything by the time of its refusals."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import asyncpg
from pydantic import SecretStr

from bench.figure import Figure, Goal, Peer, percentile
from bench.suite import Bed, Measured, Suite
from services.directory import metrics
from services.directory.apply import How, apply
from services.directory.document import Document
from services.directory.holding import Known
from services.directory.lookup import Directory, Surroundings, directory
from services.directory.owner import OwnerDatabase, owner_database
from services.directory.settings import DirectorySettings
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings
from services.kit.http import served
from services.kit.secrets.gateway import Keys, gateway
from services.kit.secrets.vault import Vault
from services.kit.telemetry.metrics import metrics_of
from services.local import postgres

TENANTS = 1000
CACHED = 50_000
CHANGES = 30
REFUSALS = 200


def document(name: str = "Acme") -> Document:
    """Many tenants of a usual size: two workspaces, two agents, five rules, two people."""
    tenants = [
        {
            "id": f"t{number}",
            "name": name if number == 0 else f"Tenant {number}",
            "connections": [{"workspace": f"T0{number}"}, {"workspace": f"T9{number}"}],
            "agents": [
                {"id": "mara", "name": "Mara", "role": "Support", "persona": "kind " * 20, "default": True},
                {"id": "otto", "name": "Otto", "channels": ["C1", "C2"]},
            ],
            "rules": [{"name": f"rule-{each}", "pattern": "(?i)help", "prompt": "Help: {text}"} for each in range(5)],
            "people": [{"user": "U1", "may": ["stop"]}, {"user": "U2", "may": ["approve"]}],
        }
        for number in range(TENANTS)
    ]
    return Document.model_validate({"version": 1, "tenants": tenants}, strict=False)


async def _timed(call: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await call()
    return (time.perf_counter() - began) * 1000


async def run(bed: Bed, _: int) -> Measured:
    """A directory of a thousand tenants, asked in every way."""
    settings = DirectorySettings.model_validate(bed.database.model_dump())
    figures: dict[str, float] = {}
    raw: dict[str, list[float]] = {}
    async with owner_database(settings) as owner:
        figures["apply 1,000 tenants"] = await _timed(lambda: apply(owner, document(), How("bench", prune=True)))
        async with _opened(settings) as live:
            raw["a miss"] = await _misses(live)
            raw["one bare query"] = await _bare(bed.database)
            raw["known"], raw["owner"] = await _cached(live)
            raw["a change seen"] = await _changes(owner, settings, live)
    raw |= await _refusals()
    for name, samples in raw.items():
        figures |= {f"{name} p50": percentile(samples, 50), f"{name} p99": percentile(samples, 99)}
    return Measured(figures, raw)


@asynccontextmanager
async def _opened(settings: DirectorySettings) -> AsyncIterator[Directory]:
    emitter = metrics_of("bench", metrics.CATALOGUE).emitter
    with TemporaryDirectory() as folder:
        surroundings = Surroundings(SystemClock(), emitter, Path(folder) / "snapshot.json")
        async with directory(settings, surroundings) as live:
            while live.trouble():  # noqa: ASYNC110 - asked as an operator asks
                await asyncio.sleep(0.01)
            yield live


async def _misses(live: Directory) -> list[float]:
    return [await _timed(partial(live.owner, f"T0{number}")) for number in range(TENANTS)]


async def _bare(settings: DatabaseSettings) -> list[float]:
    connection = await asyncpg.connect((settings.database_url or SecretStr("")).get_secret_value())
    try:
        question = "select * from threadline.tenant_of('slack', 'T01')"
        return [await _timed(lambda: connection.fetchrow(question)) for _ in range(TENANTS)]
    finally:
        await connection.close()


async def _cached(live: Directory) -> tuple[list[float], list[float]]:
    """In microseconds."""
    known, owner = [], []
    for number in range(CACHED):
        workspace = f"T9{number % TENANTS}"
        began = time.perf_counter()
        live.known(workspace)
        between = time.perf_counter()
        await live.owner(workspace)
        owner.append((time.perf_counter() - between) * 1e6)
        known.append((between - began) * 1e6)
    return known, owner


async def _changes(owner: OwnerDatabase, settings: DirectorySettings, one: Directory) -> list[float]:
    """From the commit until the last of two processes' directories has it."""
    took = []
    async with _opened(settings) as two:
        await two.owner("T00")
        for number in range(CHANGES):
            name = f"Acme {number}"
            await apply(owner, document(name), How("bench"))
            began = time.perf_counter()
            while not all(_has(each, name) for each in (one, two)):  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.0005)
            took.append((time.perf_counter() - began) * 1000)
    return took


def _has(live: Directory, name: str) -> bool:
    found = live.known("T00")
    return isinstance(found, Known) and found.facts.name == name


async def _refusals() -> dict[str, list[float]]:
    """How long each kind of refusal of the secrets' gateway takes, in turn."""
    reader, vault = "bench-reader-token", Vault()
    vault.put("slack_bot_token", SecretStr("xoxb-bench"))
    took: dict[str, list[float]] = {"404 unknown": [], "404 forbidden": [], "404 absent": []}
    questions = {
        "404 unknown": ("slack_user_token", reader),
        "404 forbidden": ("slack_bot_token", "another-token-than-it"),
        "404 absent": ("slack_app_token", reader),
    }
    keys = Keys(SecretStr(reader), SecretStr("bench-writer-token"))
    async with (
        served(gateway(vault, keys, SystemClock()), "127.0.0.1", 0) as address,
        aiohttp.ClientSession() as session,
    ):

        async def ask(name: str, token: str) -> None:
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(f"{address}/v1/secrets/{name}", headers=headers) as response:
                await response.read()

        for _ in range(REFUSALS):
            for kind, (name, token) in questions.items():
                took[kind].append(await _timed(partial(ask, name, token)))
    return took


def judge(runs: list[Measured]) -> list[Figure]:
    """The issue's limits, and what each stands beside."""

    def values(name: str) -> tuple[float, ...]:
        return tuple(each.figures[name] for each in runs)

    def beside(name: str) -> Peer:
        return Peer(name, percentile(values(name), 50))

    same = Goal("<=", 1.05)
    return [
        Figure("known, from memory, p50", "µs", values("known p50"), goal=Goal("<=", 20)),
        Figure("known, from memory, p99", "µs", values("known p99"), goal=Goal("<=", 20)),
        Figure("owner, from memory, p99", "µs", values("owner p99"), goal=Goal("<=", 20)),
        Figure("owner, from Postgres, p50", "ms", values("a miss p50"), peer=beside("one bare query p50")),
        Figure("owner, from Postgres, p99", "ms", values("a miss p99"), goal=Goal("<=", 5)),
        Figure("a change, until two processes have it, p99", "ms", values("a change seen p99"), goal=Goal("<=", 1000)),
        Figure("applying 1,000 tenants", "ms", values("apply 1,000 tenants")),
        Figure("404: unknown, p50", "ms", values("404 unknown p50"), peer=beside("404 forbidden p50"), ratio_goal=same),
        Figure("404: absent, p50", "ms", values("404 absent p50"), peer=beside("404 forbidden p50"), ratio_goal=same),
    ]


SUITE = Suite(
    name="directory",
    kind="bench",
    what=f"{TENANTS:,} tenants: whose workspace it is, by memory and by Postgres; changes; the gateway's refusals",
    runs=3,
    run=run,
    judge=judge,
    parts=(postgres.NAME,),
)

"""`threadline rules test --since`: what rules would have matched in a stretch of the log."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.directory.document import Tenant as Described
from services.directory.document import TenantFacts
from services.directory.owner import owner_database
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.kit.settings import load
from services.router.adapters.tenants import tenant_of
from services.router.decisions.facts import Tenant
from services.router.replay.backtest import Backtest, Tried
from services.router.replay.backtested import Backtested
from services.router.replay.directories import Directories, Reading
from services.router.replay.replay import Progress, Stretch, Under, replay
from services.router.replay.usual import spent
from services.router.settings import RouterSettings
from threadline.directory_file import tenants_in
from threadline.directory_past import as_recorded, forgotten_by, standing
from threadline.moments import moment_of
from threadline.running import database_settings, kafka_settings
from threadline.showing import bar, interruptible


@dataclass(frozen=True)
class Asked:
    """Which rules somebody wants to know about, and where they stand."""

    tenant: str | None
    """None for every tenant."""
    file: Path | None
    """The directory.yaml that is tried; the newest directory that was applied without it."""
    rules: Collection[str]
    """Only these, if any are named."""


def stretch_of(since: str, until: str) -> Stretch:
    """From when to when, as the options say it."""
    now = SystemClock().now()
    stretch = Stretch(moment_of("--since", since, now), moment_of("--until", until, now))
    if stretch.since >= stretch.until:
        raise Fault(f"--since {since} is not before --until {until}; nothing was read")
    return stretch


def backtested(asked: Asked, stretch: Stretch) -> Backtested:
    """Reads the stretch, and sends nothing."""
    described = tenants_in(asked.file) if asked.file is not None else None
    with interruptible("rules were only tried, so that everything is as it was"), bar("records") as progress:
        return asyncio.run(_backtested(asked, described, stretch, progress))


async def _backtested(
    asked: Asked, described: Iterable[Described] | None, stretch: Stretch, progress: Progress
) -> Backtested:
    settings, per_minute = kafka_settings(), load(RouterSettings).rate_limit_per_minute
    async with owner_database(database_settings()) as owner:
        recorded = as_recorded(owner)
        applied = {each.id: each for each in await recorded(None)}
        known = applied if described is None else {each.id: standing(each, applied.get(each.id)) for each in described}
        tenants = [tenant_of(each, per_minute) for each in _concerned(asked, known)]
        _must_have(asked.rules, tenants)
        named = f"each under {asked.file.name}" if asked.file is not None else "each under the newest directory"
        tried = Directories(_all_of({**applied, **known}), per_minute)
        backtest = Backtest(tenants)
        under = Under(Directories(recorded, per_minute, forgotten_by(owner)), tried, named)
        replayed = await replay(settings, stretch, under, backtest.take, progress)
    rules = tuple(each for each in backtest.tried() if _is_asked_for(each, asked))
    usual = await spent(settings, stretch)
    return Backtested(stretch, named, replayed.decided, replayed.undecided, rules, usual)


def _all_of(tenants: Mapping[str, TenantFacts]) -> Reading:
    async def read(_: int | None) -> Iterable[TenantFacts]:
        return tenants.values()

    return read


def _concerned(asked: Asked, known: Mapping[str, TenantFacts]) -> Iterable[TenantFacts]:
    """Whose rules are looked at."""
    if asked.tenant is None:
        return known.values()
    if asked.tenant in known:
        return [known[asked.tenant]]
    if asked.file is not None:
        raise Fault(f"there is no tenant {asked.tenant} in {asked.file}; nothing was read")
    raise Fault(f"there is no tenant {asked.tenant}; `threadline directory show` lists them. Nothing was read")


def _must_have(names: Collection[str], tenants: list[Tenant]) -> None:
    """A name that is misspelt would otherwise be as if its rule never matched."""
    known = sorted({rule.name for tenant in tenants for rule in tenant.rules})
    for name in names:
        if name not in known:
            there_are = f"there are {', '.join(known)}" if known else "there is none"
            raise Fault(f"--rule {name}: no rule of that name is switched on; {there_are}. Nothing was read")


def _is_asked_for(tried: Tried, asked: Asked) -> bool:
    return not asked.rules or tried.rule_name in asked.rules

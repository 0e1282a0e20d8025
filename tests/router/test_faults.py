"""A router whose surroundings fail: the audit refuses, Postgres is away."""

import asyncio

from bench.beds.database_link import database_link
from bench.beds.inbox import Inbox
from bench.beds.router import router_environment
from bench.beds.topics import AS_USUAL, NOTHING, takes_up_to
from schemas.topics import AUDIT_DECISIONS, RUNS_COMMANDS
from services.kit.groups import DatabaseSettings, KafkaSettings
from tests.deciding import Deciding
from tests.router.conftest import Runs
from tests.router.test_router import mentions


async def commands(inbox: Inbox, at_least: int) -> int:
    async with asyncio.timeout(30):
        while len(found := await inbox.found(RUNS_COMMANDS)) < at_least:  # noqa: ASYNC110 - a topic has no event
            await asyncio.sleep(0.1)
    return len(found)


async def test_answers_go_on_while_the_audit_refuses_but_not_without_end(
    routers: Runs, inbox: Inbox, topics: KafkaSettings
) -> None:
    """Auditing changes no reply; and so many envelopes are answered that no audit knows of, and no more."""
    made = mentions(Deciding(), 25)
    async with routers(THREADLINE_ROUTER_IN_FLIGHT="10") as router:
        await takes_up_to(topics, AUDIT_DECISIONS, NOTHING)
        await inbox.put_all(made[:6])
        assert await commands(inbox, 6) == 6
        await router.until("threadline_router_lane_down", 1, lane="audit")
        assert "audit.decisions takes nothing" in (await router.health())["reasons"]["lanes"]
        assert "records wait for it in memory" in router.child.said()
        await inbox.put_all(made[6:])
        assert await commands(inbox, 10) == 10
        await asyncio.sleep(2)
        assert await commands(inbox, 10) == 10, "the bound holds"
        await takes_up_to(topics, AUDIT_DECISIONS, AS_USUAL)
        assert [each.decision.kind for each in await inbox.decisions(60)] == ["dispatched"] * 25
        assert await commands(inbox, 25) == 25
        await router.until("threadline_router_lane_down", 0, lane="audit")
        await router.until_ready()


async def test_a_router_killed_in_its_work_goes_on_where_it_was(routers: Runs, inbox: Inbox) -> None:
    """Started again under its name it has its partitions at once, and everything it remembered."""
    made = mentions(Deciding(), 40)
    named = {"THREADLINE_ROUTER_NAME": "r1", "THREADLINE_ROUTER_SESSION_S": "6"}
    async with routers(**named) as router:
        await inbox.put_all(made[:20])
        await inbox.decisions()
        await inbox.put_all([*made[20:], *made[:20]])
        await router.child.kill()
    async with routers(**named):
        kinds = [each.decision.kind for each in await inbox.decisions()]
    assert kinds == ["dispatched"] * 30 + ["throttled"] * 10 + ["duplicate"] * 20
    assert await commands(inbox, 40) == 40


async def test_while_postgres_is_away_known_tenants_go_on_and_others_wait(
    routers: Runs, inbox: Inbox, described: DatabaseSettings
) -> None:
    async with (
        database_link(described) as (between, through),
        routers(**router_environment(inbox.kafka, through)) as router,
    ):
        await inbox.put_all(mentions(Deciding(), 1))
        await inbox.decisions()
        between.cut()
        await router.until("threadline_directory_away", 1)
        await inbox.put_all(mentions(Deciding(number=100), 2, "T2"))
        await inbox.put_all(mentions(Deciding(number=200), 3))
        assert await commands(inbox, 4) == 4
        await router.until("threadline_router_parked", 2)
        between.mend()
        kinds = {(each.connection, each.decision.kind) for each in await inbox.decisions()}
        assert kinds == {("A1:T1", "dispatched"), ("A1:T2", "dispatched")}
        await router.until("threadline_router_parked", 0)

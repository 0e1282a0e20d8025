"""A router in a process of its own decides what stands on slack.inbound."""

from bench.beds.inbox import Inbox
from schemas.envelope import Envelope
from schemas.topics import AUDIT_RUNS, RUNS_COMMANDS
from tests.deciding import Deciding, mention
from tests.router.conftest import Runs
from tests.samples import event_callback


def mentions(router: Deciding, count: int, workspace: str = "T1") -> list[Envelope]:
    """So many, each a thread of its own."""
    found: list[Envelope] = []
    for _ in range(count):
        router.number += 1
        auth = [{"team_id": workspace, "user_id": "UBOT", "is_bot": True}]
        said = mention("<@UBOT> hi", router.ts())
        payload = event_callback(said, event_id=f"Ev{router.number}", authorizations=auth, team_id=workspace)
        found.append(router.envelope("events_api", payload))
    return found


async def test_every_envelope_is_decided_once(routers: Runs, inbox: Inbox) -> None:
    made = mentions(Deciding(), 40)
    globex, nobody = mentions(Deciding(number=500), 3, "T2"), mentions(Deciding(number=600), 2, "T9")
    await inbox.put_all(made + made[:5] + globex + nobody)
    async with routers() as router:
        decisions = await inbox.decisions()
        kinds = [each.decision.kind for each in decisions if each.connection == "A1:T1"]
        assert kinds == ["dispatched"] * 30 + ["throttled"] * 10 + ["duplicate"] * 5
        assert [each.decision.kind for each in decisions if each.connection == "A1:T2"] == ["dispatched"] * 3
        assert [each.decision.kind for each in decisions if each.connection == "A1:T9"] == ["unknown_workspace"] * 2
        assert len(await inbox.found(RUNS_COMMANDS)) == 43, "33 runs, a notice, nine emoji"
        assert len(await inbox.found(AUDIT_RUNS)) == 33
        await router.until("threadline_router_lag", 0)
        await router.until("threadline_router_decisions_total", 33, kind="dispatched")

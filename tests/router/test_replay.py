"""`threadline replay`: the same directory gives the same decisions; another, exactly what it changes."""

import json
from pathlib import Path
from typing import Any

from bench.beds.inbox import Inbox
from services.kit.clock import SystemClock
from tests.commands import Command
from tests.deciding import Deciding
from tests.router.conftest import Runs
from tests.router.test_router import mentions
from tests.samples import event_callback

LIMITED = """
version: 1
tenants:
  - id: acme
    name: Acme
    connections: [{workspace: T1}]
    installations: [{app: A1, workspace: T1, bot_user: UBOT}]
    agents: [{id: mara, name: Mara, default: true}]
"""


def chatter(router: Deciding, *texts: str) -> list[Any]:
    """What people say to each other."""
    made = []
    for text in texts:
        router.number += 1
        ts = router.ts()
        said = {"type": "message", "user": "U1", "text": text, "ts": ts, "channel": "C1", "channel_type": "channel"}
        payload = event_callback({**said, "event_ts": ts}, event_id=f"Ev{router.number}", team_id="T1")
        made.append(router.envelope("events_api", payload))
    return made


async def replayed(threadline: Command, *arguments: str, code: int = 0) -> dict[str, Any]:
    """What it tells machines."""
    found: dict[str, Any] = json.loads(await threadline("replay", "--format", "json", *arguments, code=code))
    return found


async def test_under_the_same_directory_nothing_is_otherwise(routers: Runs, inbox: Inbox, threadline: Command) -> None:
    router = Deciding()
    made = [*mentions(router, 40), *chatter(router, "is the build down?", "good morning")]
    async with routers():
        await inbox.put_all(made)
        await inbox.decisions()
        since = SystemClock().now().isoformat()
        await inbox.put_all([*made[:20], *mentions(router, 5)])
        await inbox.decisions()
    found = await replayed(threadline, "--diff")
    assert (found["decided"], found["warmed_up"], found["differences"]) == (67, 0, [])
    rest = await replayed(threadline, "--from", since, "--diff")
    assert (rest["decided"], rest["warmed_up"], rest["warmed_up_otherwise"]) == (25, 42, 0)
    assert rest["differences"] == [], "duplicates and the limit rest on what was before the stretch"
    assert "67 decisions were taken again, 0 of them otherwise" in await threadline("replay")
    assert "nothing was read" in await threadline("replay", "--from", "1h", "--to", "2h", code=1)


async def test_another_limit_another_agent_and_a_rule_show_what_they_change(
    routers: Runs, inbox: Inbox, threadline: Command, tmp_path: Path
) -> None:
    router = Deciding()
    made = [*mentions(router, 40), *chatter(router, "is the build down?", "good morning", "is it down again?")]
    async with routers():
        await inbox.put_all(made)
        await inbox.decisions()
    file = tmp_path / "other.yaml"

    file.write_text(LIMITED, "utf-8")
    assert (await replayed(threadline, "--directory", str(file), "--diff"))["differences"] == []

    file.write_text(f"{LIMITED}    limits: [{{scope: connection, per_minute: 10}}]\n", "utf-8")
    fewer = await replayed(threadline, "--directory", str(file), "--diff", code=1)
    assert fewer["kinds"]["dispatched to mara → throttled by the connection's limit"] == 20
    waits = {each["after"]["retry_after_s"] for each in fewer["differences"]}
    assert waits == {6.0}, "ten a minute fill up one in six seconds"
    assert len(fewer["differences"]) == 30, "those that were refused wait longer, too"

    file.write_text(LIMITED.replace("id: mara, name: Mara", "id: vera, name: Vera"), "utf-8")
    other = await replayed(threadline, "--directory", str(file))
    assert other["kinds"] == {"dispatched to mara → dispatched to vera": 30}

    file.write_text(f"{LIMITED}    rules: [{{name: outage, pattern: 'is .* down'}}]\n", "utf-8")
    ruled = await replayed(threadline, "--directory", str(file))
    changed = {"ignored: not_addressed → throttled by the connection's limit": 2}
    assert ruled["kinds"] == changed, "the two that match come when nothing is left of the limit"
    told = await threadline("replay", "--directory", str(file))
    assert "43 decisions were taken again, 2 of them otherwise" in told

    file.write_text("version: 1\ntenants: [{id: 7}]\n", "utf-8")
    assert "is not right" in await threadline("replay", "--directory", str(file), code=1)

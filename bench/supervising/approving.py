"""From the click of a person until the program that waits is told."""

import asyncio
from typing import Final

from aiohttp import ClientSession

from bench.beds.supervisor import OwnSupervisor, Reporter
from bench.beds.watched import Watched
from bench.supervising.seen import Heads, under
from schemas.buttons import APPROVAL
from services.kit.clock import SystemClock
from services.slack_sim.control import asks

TASKS, OF_EACH = 65, 2
WARMS = 10
"""So many clicks come before those that count: processes that have only started are slow for a while."""
AT_ONCE: Final = 3
HEARD_S: Final = 0.3
"""Until the question of who waits has reached the supervisor."""
HEAD_WITHIN_S: Final = 60.0
CLOCK: Final = SystemClock()


async def approve(watched: Watched, supervisor: OwnSupervisor) -> list[float]:
    """In milliseconds, for each approval; a few tasks at a time."""
    took_ms: list[float] = []
    room = asyncio.Semaphore(AT_ONCE)
    async with ClientSession() as session, asyncio.TaskGroup() as group:
        for number in range(TASKS):
            group.create_task(
                _one_task(room, watched, _reporter(watched, supervisor, session, number), number, took_ms)
            )
    return took_ms[WARMS:]


def _reporter(watched: Watched, supervisor: OwnSupervisor, session: ClientSession, number: int) -> Reporter:
    agent = watched.agent(number)
    return Reporter(supervisor.agents, agent.token, session, f"asks-{number}", channel=agent.channel)


async def _one_task(
    room: asyncio.Semaphore, watched: Watched, program: Reporter, number: int, took_ms: list[float]
) -> None:
    sim, person = watched.slack.sim, watched.workspace_of(number).people[0]
    async with room:
        await program.start()
        heads = Heads(sim)
        async with asyncio.timeout(HEAD_WITHIN_S):
            while program.task_id not in heads.found:
                await heads.look([program.channel or ""], [program.task_id])
                await asyncio.sleep(0.1)
        for nth in range(OF_EACH):
            name = await program.ask_to(f"step {nth} of {program.task_id}", {"nth": nth})
            asking = await under(sim, heads.found[program.task_id], f"step {nth} of {program.task_id}")
            waiting = asyncio.create_task(program.answer(name))
            await asyncio.sleep(HEARD_S)
            began = CLOCK.monotonic()
            press = asks.Press(user_id=person, action_id=APPROVAL, channel_id=asking["channel"], ts=asking["ts"])
            pressing = asyncio.create_task(sim.ask(press))
            answer = await waiting
            took_ms.append((CLOCK.monotonic() - began) * 1000)
            await pressing
            if answer["state"] != "approved":
                raise RuntimeError(f"{name} is {answer['state']} after a click that approves")
        await program.end()

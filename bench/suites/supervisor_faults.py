"""Supervised tasks under kill -9: of the supervisor, the responder, Kafka and Postgres, while people decide."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
from aiohttp import ClientSession
from pydantic import SecretStr

from bench.beds.answered import entries
from bench.beds.broker import OwnBroker, own_broker
from bench.beds.database import OwnDatabase, own_database
from bench.beds.supervisor import Reporter
from bench.beds.watched import Watched, watched
from bench.beds.worker import Worker
from bench.figure import Figure, Goal
from bench.suite import Bed, Measured, Suite
from bench.supervising.checking import CHECKS, Facts, story, wrong
from bench.supervising.clicking import People
from bench.supervising.programs import Plan, Program, plans
from bench.supervising.rebuilding import dumps, rebuilt
from bench.supervising.seen import task_of
from schemas.topics import AGENTS_EVENTS
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.local import ports
from services.slack_sim.client import SlackSim
from services.slack_sim.control.conditions import SomeSockets
from services.supervisor.adapters.projections import held_of

TASKS, AT_ONCE, WORKSPACES = 200, 30, 12
KILLS: Final = ("supervisor", "responder", "kafka", "postgres")
ROUNDS: Final = 4
"""How often each is killed."""
BETWEEN_S, AWAY_S = (2.0, 7.0), (0.5, 4.0)
SESSION_S: Final = 6.0
READY_WITHIN_S, DONE_WITHIN_S, SHOWN_WITHIN_S = 60.0, 600.0, 180.0
LOOK_EVERY_S: Final = 0.3
LAST_LINES: Final = 5
SERVICES: Final = ("router", "responder", "supervisor", "ingress")
ENDED, KILLED, STORIES = "services that ended by themselves", "kills", 5


@dataclass
class Scene:
    """Everything of one run."""

    broker: OwnBroker
    database: OwnDatabase
    kafka: KafkaSettings
    watched: Watched
    folder: Path
    workers: dict[str, Worker]
    chance: random.Random
    address: str
    """Where agents report, from process to process."""
    killed: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Size:
    """How much of it."""

    tasks: int = TASKS
    at_once: int = AT_ONCE
    workspaces: int = WORKSPACES
    rounds: int = ROUNDS


async def run(bed: Bed, number: int) -> Measured:
    """All of it, then the count."""
    folder = bed.home.root / f"chaos-supervisor-{bed.seed + number}"
    return await play(folder, bed.seed + number, Size())


async def play(folder: Path, seed: int, size: Size) -> Measured:
    """Programs, people and kills; what stands afterwards is held to account."""
    clock, began = SystemClock(), SystemClock().monotonic()
    async with _scene(folder, seed, size) as scene, ClientSession() as session:
        programs = [_program(scene, session, plan, seed) for plan in plans(seed, size.tasks)]
        people = People(scene.watched, programs)
        await _all_of_it(scene, people, programs, size)
        ended_s = clock.monotonic() - began
        shown_after_s = await _until_shown(scene, programs)
        await scene.workers["supervisor"].end(gently=True)
        facts = await _facts(scene, people, programs)
    found, exits = wrong(facts), sum((each.exits for each in scene.workers.values()), Counter[str]())
    for task_id in dict.fromkeys(each for names in found.values() for each in names[:STORIES]):
        print(f"--- {task_id}", *story(facts, task_id), sep="\n", file=sys.stderr)
    questions = [question for program in programs for question in program.plan.questions]
    return Measured(
        {
            **{check: float(len(names)) for check, names in found.items()},
            ENDED: float(exits.total()),
            "tasks": float(len(programs)),
            "questions": float(len(questions)),
            "clicks": float(len(people.clicks)),
            "of who may not": float(sum(not each.may for each in people.clicks)),
            **{f"{KILLED}: {name}": float(scene.killed[name]) for name in KILLS},
            "until Slack showed every end, s": shown_after_s,
            "took, s": ended_s,
        },
        {"seed": seed, "wrong": found, "ended": dict(exits)},
    )


@asynccontextmanager
async def _scene(folder: Path, seed: int, size: Size) -> AsyncIterator[Scene]:
    await asyncio.to_thread(folder.mkdir, parents=True)
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(own_broker(folder / "kafka"))
        database = await stack.enter_async_context(own_database(folder / "postgres"))
        prefix = f"chaos-supervisor-{seed}."
        await broker.make_topics(prefix)
        kafka = broker.settings.model_copy(update={"topic_prefix": prefix})
        there = await stack.enter_async_context(watched(kafka, database.settings, folder, size.workspaces))
        port = ports.free()
        workers = {name: _worker(name, folder, {**there.environment}, port) for name in SERVICES}
        scene = Scene(
            broker, database, kafka, there, folder, workers, random.Random(seed), f"http://127.0.0.1:{port}"  # noqa: S311 - a seeded plan
        )  # fmt: skip
        try:
            yield scene
        finally:
            for worker in workers.values():
                await worker.end(gently=False)


def _worker(name: str, folder: Path, environment: dict[str, str], port: int) -> Worker:
    told = environment | {f"THREADLINE_{name.upper()}_SESSION_S": str(SESSION_S)} if name != "ingress" else environment
    told |= {"THREADLINE_SUPERVISOR_HTTP_PORT": str(port), "THREADLINE_SUPERVISOR_UPDATE_S": "5"}
    told |= {"THREADLINE_SPOOL_FOLDER": str(folder / name / "spool")} if name == "ingress" else {}
    return Worker(name, folder / name, told, log=folder / f"{name}.log")


def _program(scene: Scene, session: ClientSession, plan: Plan, seed: int) -> Program:
    agent = scene.watched.agent(plan.number)
    reporter = Reporter(scene.address, agent.token, session, plan.task_id, channel=agent.channel)
    return Program(plan, reporter, random.Random(f"{seed}-{plan.number}"))  # noqa: S311 - a seeded plan


async def _all_of_it(scene: Scene, people: People, programs: Sequence[Program], size: Size) -> None:
    for worker in scene.workers.values():
        await worker.start()
    for worker in scene.workers.values():
        await worker.until_ready(READY_WITHIN_S)
    await scene.watched.slack.sim.wait(SomeSockets(app_id=scene.watched.workspaces.app, count=2), READY_WITHIN_S)
    room = asyncio.Semaphore(size.at_once)

    async def one(program: Program) -> None:
        async with room:
            await program.run()

    try:
        async with asyncio.timeout(DONE_WITHIN_S), asyncio.TaskGroup() as beside:
            others = [beside.create_task(_keep_up(scene)), beside.create_task(people.run())]
            async with asyncio.TaskGroup() as group:
                for program in programs:
                    group.create_task(one(program))
                group.create_task(_kill_all(scene, size.rounds))
            for each in others:
                each.cancel()
    except TimeoutError:
        pass  # what stands then is held to account all the same
    finally:
        for line in _not_done(scene, programs):
            print(line, file=sys.stderr)


def _not_done(scene: Scene, programs: Sequence[Program]) -> Iterator[str]:
    """Programs that did not come to their end, and what services do instead."""
    left = [each for each in programs if not each.is_done]
    for each in left:
        told = f"{len(each.statuses)} statuses reported, answers to {sorted(each.heard)}"
        yield f"{each.plan.task_id} did not come to its end: {told}"
    for name, worker in scene.workers.items() if left else ():
        running = worker.child
        if running is None or not running.is_running:
            yield f"{name} does not run"
        else:
            yield f"{name} has used {running.cpu_s():.0f} s of a core since it began, and says:"
            yield from running.said().splitlines()[-LAST_LINES:]


async def _keep_up(scene: Scene) -> None:
    """Who ends by itself is started again, as whoever runs services does."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        for worker in scene.workers.values():
            await worker.revive()


async def _kill_all(scene: Scene, rounds: int) -> None:
    """One after the other, each as often, in any order."""
    wanted = [name for name in KILLS for _ in range(rounds)]
    scene.chance.shuffle(wanted)
    for name in wanted:
        await asyncio.sleep(scene.chance.uniform(*BETWEEN_S))
        scene.killed[name] += 1
        match name:
            case "kafka":
                await _away(scene, scene.broker.kill(), scene.broker.start)
            case "postgres":
                await _away(scene, scene.database.kill(), scene.database.start)
            case _:
                await _away(scene, scene.workers[name].end(gently=False), scene.workers[name].start)


async def _away(scene: Scene, kill: Awaitable[None], start: Any) -> None:
    await kill
    await asyncio.sleep(scene.chance.uniform(*AWAY_S))
    await start()


async def _until_shown(scene: Scene, programs: Sequence[Program]) -> float:
    """Until Slack shows how every task ended, and no button is left; or too long."""
    clock, began = SystemClock(), SystemClock().monotonic()
    while clock.monotonic() - began < SHOWN_WITHIN_S:
        messages, _ = await _in_slack(scene.watched.slack.sim, programs)
        left = [
            each for each in programs
            if not any("'type': 'actions'" not in str(one) for one in messages.get(each.plan.task_id, ()))
        ]  # fmt: skip
        if not left:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    took_s = clock.monotonic() - began
    await asyncio.sleep(SETTLES_S)
    return took_s


SETTLES_S: Final = 5.0
"""What stands in the threads comes behind."""


async def _in_slack(
    sim: SlackSim, programs: Sequence[Program], *, threads: bool = False
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    wanted = {each.plan.task_id for each in programs}
    messages: dict[str, list[Any]] = {}
    under: dict[str, list[Any]] = {}
    for channel in sorted({each.reporter.channel or "" for each in programs}):
        for message in (await sim.transcript(channel)).messages:
            task_id = task_of(message, wanted) if message.get("app_id") else None
            if task_id is not None:
                messages.setdefault(task_id, []).append(message)
                if threads:
                    under.setdefault(task_id, []).extend((await sim.transcript(channel, message["ts"])).messages[1:])
    return messages, under


async def _facts(scene: Scene, people: People, programs: list[Program]) -> Facts:
    database = scene.database.settings
    connection = await asyncpg.connect((database.database_owner_url or SecretStr("")).get_secret_value())
    try:
        held = dict(held_of(each["tenant_id"], each) for each in await connection.fetch(_TASKS))
        approvals = [dict(each) for each in await connection.fetch(_APPROVALS)]
        checkpoints = frozenset(each["event_id"] for each in await connection.fetch(_CHECKPOINTS))
    finally:
        await connection.close()
    messages, threads = await _in_slack(scene.watched.slack.sim, programs, threads=True)
    before = await dumps(database)
    await rebuilt(scene.kafka, database, scene.folder)
    after = await dumps(database)
    return Facts(
        programs=programs,
        clicks=people.clicks,
        events=await entries(scene.kafka, AGENTS_EVENTS),
        tasks={task_id: each.task for (_, task_id), each in held.items() if each.task is not None},
        approvals=approvals,
        checkpoints=checkpoints,
        messages=messages,
        threads=threads,
        differ=[table for table in before if before[table] != after[table]],
        tenant_of={each.plan.task_id: scene.watched.workspace_of(each.plan.number).tenant_id for each in programs},
    )


_TASKS: Final = "select tenant_id, state, recent from threadline.agent_tasks"
_APPROVALS: Final = "select * from threadline.human_interventions where kind = 'decision'"
_CHECKPOINTS: Final = "select event_id from threadline.agent_checkpoints"

GOALS: Final = {
    **dict.fromkeys((*CHECKS, ENDED), Goal("==", 0)),
    **{f"{KILLED}: {name}": Goal(">=", 1) for name in KILLS},
}


def judge(measured: list[Measured]) -> list[Figure]:
    """Nothing lost, nothing doubled, nothing granted that nobody clicked."""
    return [
        Figure(
            name.removesuffix(", s"), "s" if name.endswith(", s") else "",
            tuple(each.figures[name] for each in measured), GOALS.get(name),
        )
        for name in measured[0].figures
    ]  # fmt: skip


SUITE = Suite(
    name="supervisor",
    kind="chaos",
    what=f"{TASKS} supervised tasks, while supervisor, responder, Kafka and Postgres are killed {ROUNDS} times each",
    runs=1,
    run=run,
    judge=judge,
    parts=(),
)

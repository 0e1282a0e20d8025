"""A supervisor over real sockets that keeps what arrives, answers by its contract, and has every fault on demand."""

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web
from pydantic import ValidationError

from tests.sdk.contract import EVENT, Artifact, Asked, Checkpoint, Ended, Started

Taken = Started | Checkpoint | Artifact | Ended | Asked
Answering = Callable[[bytes], web.Response | None]
Kind = TypeVar("Kind", bound=Taken)
TOKEN = "tl_sdk-test"
PATIENCE_S = 30.0


@dataclass
class Wanted:
    """What people want of a task."""

    version: int = 0
    cancel: dict[str, Any] | None = None
    paused: bool = False
    messages: list[dict[str, Any]] = field(default_factory=list)
    lease_lost: bool = False


class Supervisor:
    """What it holds is written by its own thread, and read by the test's."""

    def __init__(self) -> None:
        self.token = TOKEN
        self.taken: list[Taken] = []
        """Each event once, in the order in which it came first."""
        self.times: dict[str, int] = {}
        """How often each id came."""
        self.requests: list[dict[str, Any]] = []
        self.alive: list[dict[str, int]] = []
        self.leases: dict[str, str] = {}
        """By which programs say that they have tasks."""
        self.faults: list[Answering] = []
        """Each answers one request with events in the usual one's place; with None after that."""
        self.always: Answering | None = None
        self.refuse: Callable[[Taken], str | None] = lambda _: None
        self.wanted: dict[str, Wanted] = {}
        self.decided: dict[str, dict[str, Any]] = {}
        self.approvals_fault: Callable[[], web.Response | None] = lambda: None
        self.polls = 0
        self.port = 0
        self.tls: ssl.SSLContext | None = None
        self._seen: set[str] = set()

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    # ---- what a test looks at

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.taken if isinstance(event, kind)]

    def story(self, task_id: str | None = None) -> list[str]:
        """What happened, in short."""
        return [_told(event) for event in self.taken if task_id in {None, event.task_id}]

    def wait_until(self, holds: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < until, self.story()
            time.sleep(0.01)

    def wait_for(self, kind: type[Kind], number: int = 1) -> list[Kind]:
        self.wait_until(lambda: len(self.of(kind)) >= number)
        return self.of(kind)

    # ---- what people do

    def order(self, task_id: str, **wanted: Any) -> None:
        before = self.wanted.get(task_id, Wanted())
        self.wanted[task_id] = Wanted(**{**vars(before), **wanted, "version": before.version + 1})

    def decide(self, asked: Asked, state: str, **more: Any) -> None:
        self.decided[asked.approval_id] = {"state": state, "arguments_hash": asked.arguments_hash, **more}

    # ---- what it answers

    async def events(self, request: web.Request) -> web.StreamResponse:
        if (refused := self._signed_in(request)) is not None:
            return refused
        raw = await request.read()
        said = json.loads(raw)
        self.requests.append({key: value for key, value in said.items() if key != "events"})
        answer = self.faults.pop(0)(raw) if self.faults else self.always(raw) if self.always else None
        if answer is not None:
            return answer
        assert set(said) <= {"workspace", "app", "channel", "events"}
        assert 1 <= len(said["events"]) <= 100
        assert len(raw) <= 2**20
        problems = [self._take(place, event) for place, event in enumerate(said["events"])]
        refusals = [problem for problem in problems if problem is not None]
        accepted = len(problems) - len(refusals)
        return web.json_response({"accepted": accepted, "refused": refusals}, status=202 if accepted else 400)

    def _take(self, place: int, raw: dict[str, Any]) -> dict[str, Any] | None:
        try:
            event = EVENT.validate_python(raw)
        except ValidationError as error:
            return {"id": raw.get("id"), "index": place, "error": "wrong_event", "message": str(error)}
        if (why := self.refuse(event)) is not None:
            return {"id": event.id, "index": place, "error": "wrong_event", "message": why}
        self.times[event.id] = self.times.get(event.id, 0) + 1
        if self.times[event.id] == 1:
            self.taken.append(event)
        return None

    async def alives(self, request: web.Request) -> web.StreamResponse:
        if (refused := self._signed_in(request)) is not None:
            return refused
        said = await request.json()
        self.alive.append(said["tasks"])
        self.leases |= said.get("leases", {})
        await _waited(said["wait_s"], lambda: self._changed(said["tasks"]))
        return web.json_response({"tasks": {each: vars(self.wanted.get(each, Wanted())) for each in said["tasks"]}})

    def _changed(self, seen: dict[str, int]) -> bool:
        return any(self.wanted.get(each, Wanted()).version != version for each, version in seen.items())

    async def approval(self, request: web.Request) -> web.StreamResponse:
        self.polls += 1
        if (refused := self._signed_in(request) or self.approvals_fault()) is not None:
            return refused
        approval_id = request.match_info["approval_id"]
        asked = next((each for each in self.of(Asked) if each.approval_id == approval_id), None)
        if asked is None:
            return web.json_response({"error": "unknown_approval"}, status=404)
        await _waited(float(request.query["wait"]), lambda: approval_id in self.decided)
        said = {
            "approval_id": approval_id,
            "task_id": asked.task_id,
            "state": "open",
            "arguments_hash": asked.arguments_hash,
            **self.decided.get(approval_id, {}),
        }
        return web.json_response(said)

    def _signed_in(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {self.token}":
            return None
        return web.json_response({"error": "wrong_token", "message": "this token is not known"}, status=401)

    # ---- how it runs

    @contextmanager
    def running(self) -> Iterator["Supervisor"]:
        """At the port that it had before, if it had one."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        runner = asyncio.run_coroutine_threadsafe(self._listen(), loop).result(PATIENCE_S)
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(_end(runner), loop).result(PATIENCE_S)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(PATIENCE_S)
            loop.close()

    async def _listen(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/v1/agents/events", self.events)
        app.router.add_post("/v1/agents/alive", self.alives)
        app.router.add_get("/v1/approvals/{approval_id}", self.approval)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, reuse_address=True, ssl_context=self.tls)
        await site.start()
        self.port = runner.addresses[0][1]
        return runner


async def _waited(seconds: float, holds: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not holds():  # noqa: ASYNC110 - what it waits for is set in another thread
        await asyncio.sleep(0.01)


async def _end(runner: web.AppRunner) -> None:
    """At once, as if it were killed: nobody gets an answer any more."""
    for site in list(runner.sites):
        await site.stop()
    requests = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in requests:
        task.cancel()
    await asyncio.gather(*requests, return_exceptions=True)
    await runner.cleanup()


def answering(status: int, text: str = "", **headers: str) -> Answering:
    """A fault: it answers so."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.Response(status=status, text=text, headers=named)


def _told(event: Taken) -> str:
    match event:
        case Started():
            return f"started {event.task_name}"
        case Checkpoint():
            return event.action
        case Artifact():
            return f"{event.artifact} {event.title}"
        case Ended():
            return f"ended {event.status}"
        case Asked():
            return f"asked {event.action}"

"""What is sent, when it is sent again, and what becomes of it where the supervisor is away, slow, full, or wrong."""

import json
import logging
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web

import threadline_agent
from services.kit.settings import child_environment
from tests.sdk.contract import Checkpoint, Ended, Started
from tests.sdk.supervisor import TOKEN, Answering, Supervisor, answering
from threadline_agent import agent_task, flush, sender
from threadline_agent.answer import Answer
from threadline_agent.checkpoint import AgentCheckpoint
from threadline_agent.events import Event, Task, letter
from threadline_agent.outbox import MOST_WEIGHT, Outbox
from threadline_agent.verdict import Held, Later, Taken, TooMuch, verdict_on

WHOLE = ["started Deploy", "One", "Two", "Three", "ended complete"]


def deploy() -> None:
    with agent_task("deployer", "Deploy") as task:
        for action in WHOLE[1:-1]:
            task.checkpoint(action)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are short, so that tests are."""
    monkeypatch.setattr(sender, "HOLD_S", 0.02)
    monkeypatch.setattr(sender, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(sender, "LONGEST_PAUSE_S", 0.05)


def cut_off(_: bytes) -> web.Response:
    """A fault: the connection breaks before there is an answer."""
    raise ConnectionResetError


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    "fault",
    [
        answering(503, Retry_After="0"),
        answering(500, "<html>"),
        answering(429),
        answering(202, "welcome to the hotel's network"),
        answering(200, "{}"),
        answering(401),
        answering(404),
        answering(422, '{"error": "which_connection", "message": "the tenant has two"}'),
        answering(302, Location="http://127.0.0.1:9/"),
        cut_off,
    ],
    ids=["503", "500", "429", "not json", "200", "401", "404", "422", "302", "cut off"],
)
def test_what_was_not_taken_is_sent_again_in_its_order_with_the_same_ids(
    supervisor: Supervisor, fault: Answering
) -> None:
    heard: list[list[str]] = []

    def kept(raw: bytes) -> web.Response | None:
        heard.append([event["id"] for event in json.loads(raw)["events"]])
        return fault(raw)

    supervisor.faults = [kept, kept]
    deploy()
    supervisor.wait_for(Ended)
    assert supervisor.story() == WHOLE
    assert set(supervisor.times.values()) == {1}
    assert {each for ids in heard for each in ids} <= set(supervisor.times)


@pytest.mark.usefixtures("hurried")
def test_an_answer_that_is_lost_leads_to_no_second_event(supervisor: Supervisor) -> None:
    def taken_and_cut_off(raw: bytes) -> web.Response:
        for place, event in enumerate(json.loads(raw)["events"]):
            supervisor._take(place, event)
        raise ConnectionResetError

    supervisor.faults = [taken_and_cut_off]
    deploy()
    assert flush(30)
    assert supervisor.story() == WHOLE
    assert max(supervisor.times.values()) == 2


@pytest.mark.usefixtures("hurried")
def test_a_supervisor_that_comes_later_hears_everything(caplog: pytest.LogCaptureFixture) -> None:
    later = Supervisor()
    with later.running():
        pass
    threadline_agent.configure(url=later.url, token=TOKEN)
    deploy()
    assert not flush(0.3)
    with later.running():
        assert flush(30)
    assert later.story() == WHOLE
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2, told
    assert f"nothing reaches the supervisor at {later.url}: connection refused; the agent goes on" in told[0]
    assert told[1] == f"the supervisor at {later.url} is back"


def test_what_is_refused_is_told_once_and_the_rest_is_taken(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor.refuse = lambda event: "not that" if isinstance(event, Checkpoint) and event.action != "Two" else None
    deploy()
    assert flush(30)
    assert supervisor.story() == ["started Deploy", "Two", "ended complete"]
    assert caplog.text.count("the supervisor refused a task.checkpoint of deployer: not that") == 1


@pytest.mark.parametrize("status", [400, 413])
def test_a_batch_that_cannot_be_taken_whole_is_taken_in_parts(supervisor: Supervisor, status: int) -> None:
    def poisoned(raw: bytes) -> web.Response | None:
        return web.Response(status=status, text="?") if b'"Two"' in raw else None

    supervisor.always = poisoned
    deploy()
    assert flush(30)
    assert supervisor.story() == [each for each in WHOLE if each != "Two"]


@pytest.mark.usefixtures("hurried")
def test_a_token_in_a_file_may_be_rotated(
    supervisor: Supervisor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "token").write_text("tl_old\n")
    threadline_agent.configure(url=supervisor.url, token_file=str(tmp_path / "token"))
    deploy()
    supervisor.wait_until(lambda: "it refuses the token (401: this token is not known)" in caplog.text)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert supervisor.wait_for(Ended)
    assert supervisor.story() == WHOLE
    assert "tl_old" not in caplog.text


def test_many_events_go_in_few_requests(supervisor: Supervisor) -> None:
    with agent_task("deployer", "Deploy") as task:
        supervisor.wait_for(Started)
        for number in range(1000):
            task.checkpoint(f"{number}", status="starting")
        assert flush(30)
        assert [each.action for each in supervisor.of(Checkpoint)] == [str(number) for number in range(1000)]
    assert len(supervisor.requests) <= 20


@pytest.mark.usefixtures("hurried")
def test_what_has_gathered_goes_without_waiting_for_more(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "GATHERED_S", 3600)
    supervisor.always = answering(503)
    with agent_task("deployer", "Deploy") as task:
        for number in range(300):
            task.checkpoint(f"{number}", status="starting")
        supervisor.always = None
        supervisor.wait_for(Checkpoint, 200)


ENDS = """
import threadline_agent
with threadline_agent.agent_task("deployer", "Deploy") as task:
    task.checkpoint("The last")
"""


def test_a_process_that_ends_has_sent_its_last(supervisor: Supervisor) -> None:
    environment = child_environment({"THREADLINE_AGENT_URL": supervisor.url, "THREADLINE_AGENT_TOKEN": TOKEN})
    subprocess.run([sys.executable, "-c", ENDS], env=environment, check=True, timeout=60)
    assert supervisor.story() == ["started Deploy", "The last", "ended complete"]


@pytest.mark.parametrize("answers", [False, True], ids=["never answers", "takes nothing"])
def test_a_process_ends_also_where_nothing_is_taken(supervisor: Supervisor, answers: bool) -> None:
    supervisor.always = answering(503, Retry_After="100")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = supervisor.url if answers else f"http://127.0.0.1:{silent.getsockname()[1]}"
        environment = child_environment({"THREADLINE_AGENT_URL": url, "THREADLINE_AGENT_TOKEN": TOKEN})
        ended = subprocess.run(
            [sys.executable, "-c", ENDS], env=environment, check=True, timeout=60, capture_output=True, text=True
        )
    assert "the process ends, and the last that it reported" in ended.stderr
    assert TOKEN not in ended.stderr


# ---- the outbox, alone


def checkpoint(task: str, action: str = "On its way", cost: float | None = None, *, important: bool = False) -> Event:
    return Event("task.checkpoint", Task(task, "a"), AgentCheckpoint(action, cost=cost), important=important)


def everything(outbox: Outbox) -> list[Event]:
    taken: list[Event] = []
    while events := outbox.take():
        taken += events
        for event in events:
            outbox.done(event)
    return taken


def test_plain_checkpoints_are_given_up_first_and_no_cost_is_lost() -> None:
    outbox = Outbox()
    started = Event("task.started", Task("t", "a"), {"task_name": "T"})
    assert outbox.put(started)
    for _ in range(20_000):
        assert outbox.put(checkpoint("t", cost=0.25))
        assert outbox.weight <= MOST_WEIGHT
    ended = Event("task.ended", Task("t", "a"), {"status": "complete"})
    assert outbox.put(ended)
    first, *middle, last = everything(outbox)
    assert (first, last) == (started, ended)
    said = [each.says for each in middle]
    assert sum(each.cost or 0 for each in said if isinstance(each, AgentCheckpoint)) == 20_000 * 0.25
    assert len(middle) < 20_000
    assert isinstance(said[0], AgentCheckpoint)
    assert said[0].details == {"checkpoints_left_out": 20_000 - len(middle)}
    assert outbox.told_of_left_out() == 20_000 - len(middle)
    assert outbox.weight == 0


def test_what_all_of_a_tasks_checkpoints_cost_is_told_before_its_end() -> None:
    outbox = Outbox()
    outbox.put(checkpoint("t", cost=0.5))
    while outbox.left_out == 0:
        outbox.put(checkpoint("another", important=True))
    outbox.put(Event("task.ended", Task("t", "a"), {"status": "complete"}))
    *_, told, _ = everything(outbox)
    assert isinstance(told.says, AgentCheckpoint)
    assert (told.task.task_id, told.says.cost, told.says.action) == ("t", 0.5, "Ending")


def test_where_nothing_can_be_given_up_ends_still_have_room() -> None:
    outbox = Outbox()
    while outbox.put(checkpoint("t", important=True)):
        pass
    lost: list[str] = []
    assert not outbox.put(Event("approval.requested", Task("t", "a"), {"action": "deploy"}, lost=lost.append))
    assert lost == ["too much waits to be sent"]
    assert outbox.put(Event("task.ended", Task("t", "a"), {"status": "complete"}))


def test_an_event_is_written_the_same_however_often() -> None:
    event = checkpoint("t")
    assert letter(event) == letter(event)


# ---- what answers mean


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Answer(202, b'{"accepted": 2, "refused": []}'), Taken({})),
        (Answer(202, b'{"accepted": 1, "refused": [{"index": 1, "message": "no"}]}'), Taken({1: "no"})),
        (Answer(202, b'{"accepted": 1, "refused": [{"index": 7, "message": "no"}, 3]}'), Taken({})),
        (Answer(400, b'{"refused": [{"index": 0, "error": "a"}]}'), Taken({0: "a"})),
        (Answer(400, b'{"error": "wrong_body", "message": "no list"}'), TooMuch("400: no list")),
        (Answer(413, b""), TooMuch("it answered 413")),
        (Answer(503, b'{"error": "full"}', 7), Later("503: full", 7)),
        (Answer(429, b'{"error": "too_fast"}', 2), Later("429: too_fast", 2)),
        (Answer(503, b"", 1e9), Later("it answered 503", 300)),
        (Answer(503, b"", -1), Later("it answered 503", 0)),
        (Answer(403, b"[]"), Held("it refuses the token (it answered 403)")),
    ],
)
def test_what_an_answer_means(answer: Answer, verdict: object) -> None:
    assert verdict_on(answer, 2) == verdict


def test_warnings_of_the_same_kind_come_once(supervisor: Supervisor, caplog: pytest.LogCaptureFixture) -> None:
    with agent_task("deployer", "Deploy") as task:
        for _ in range(10):
            task.checkpoint("One", progress=40)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "progress is from 0 to 1; 40.0 was brought within that" in caplog.text
    assert {each.progress for each in supervisor.wait_for(Checkpoint, 10)} == {1}


@pytest.mark.usefixtures("hurried")
def test_an_agent_that_seeded_its_chance_gets_the_numbers_that_it_would_get_alone(supervisor: Supervisor) -> None:
    random.seed(7)
    expected = [random.random() for _ in range(3)]
    random.seed(7)
    supervisor.faults = [answering(503)] * 3
    deploy()
    supervisor.wait_for(Ended)
    assert [random.random() for _ in range(3)] == expected


@pytest.mark.usefixtures("hurried")
def test_what_people_must_mend_is_told_also_after_it_was_away(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor.faults = [answering(503), answering(401, '{"message": "revoked"}'), answering(401), answering(503)]
    deploy()
    supervisor.wait_for(Ended)
    supervisor.wait_until(lambda: "is back" in caplog.text)
    told = [record.getMessage() for record in caplog.records]
    assert ["503" in told[0], "refuses the token (401: revoked)" in told[1], len(told)] == [True, True, 3]

"""Whatever a program says, nothing is raised, and what is sent is what the supervisor takes."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from tests.sdk.contract import EVENT, Checkpoint, Started
from tests.sdk.supervisor import Supervisor
from threadline_agent import AgentStatus, SyncCheckpointEmitter, flush
from threadline_agent.events import Event, letter
from threadline_agent.line import LogLine
from threadline_agent.outbox import Outbox
from threadline_agent.settings import Settings as Told
from threadline_agent.task_orders import Orders


class Hostile:
    """An object that fails at whatever is done with it."""

    def _fail(self, *_: object) -> Any:
        raise ZeroDivisionError

    __str__ = __float__ = __index__ = __bool__ = __len__ = __iter__ = _fail


class HostileMapping(Mapping[str, object]):
    @override
    def __getitem__(self, key: str) -> object:
        raise ZeroDivisionError

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(["a"])

    @override
    def __len__(self) -> int:
        return 1


class Text(str):
    """A text that says something else of itself."""

    __slots__ = ()

    @override
    def __str__(self) -> str:
        return "\ud800\0" * 1000


NESTED: list[Any] = []
NESTED.append(NESTED)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=400)
    | st.binary(max_size=10)
    | st.builds(Hostile)
    | st.builds(HostileMapping)
    | st.sampled_from([Text("a"), NESTED, 10**400, -1, 1e308, "\ud800", "\0", " ", ""])
    | st.sampled_from([Path("a/b"), datetime(2026, 1, 1, tzinfo=UTC), object, 3 + 4j, "x" * 1200, AgentStatus.STALLED])
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner), max_leaves=8
)
some = settings(max_examples=50)


class Kept(LogLine):
    """A line that keeps what it is given, as it would be sent."""

    def __init__(self) -> None:
        super().__init__(Told(), "it is a test")
        self.outbox = Outbox()
        self.sent: list[bytes] = []

    @override
    def put(self, event: Event) -> bool:
        super().put(event)
        assert self.outbox.put(event)
        for each in self.outbox.take():
            self.sent.append(letter(each).encoded)
            self.outbox.done(each)
        return True


SAID = dict.fromkeys(("action", "progress", "step", "tokens", "cost"), anything)


@some
@given(
    method=st.sampled_from(["checkpoint", "warn", "error"]),
    said=st.fixed_dictionaries(SAID),
    more=st.dictionaries(st.text(max_size=50).filter(lambda name: name != "self"), anything, max_size=5),
)
def test_no_checkpoint_is_ever_refused(method: str, said: dict[str, Any], more: dict[str, Any]) -> None:
    task = SyncCheckpointEmitter("deployer", "Deploy")
    task._line = line = Kept()
    getattr(task, method)(**{**more, **said})
    task.add_artifact(said["action"], said["step"], link=said["cost"])
    task.complete(said["action"])
    types = [EVENT.validate_json(each).type for each in line.sent]
    assert types == ["task.started", "task.checkpoint", "task.artifact", "task.ended"]


@some
@given(
    agent=anything,
    name=anything,
    options=st.fixed_dictionaries(
        {},
        optional={
            "repo_scope": anything,
            "context_size": anything,
            "parent_task_id": anything,
            "started_by": anything,
            "heartbeat": anything,
            "channel": anything,
        },
    ),
)
def test_no_task_is_ever_refused(agent: Any, name: Any, options: dict[str, Any]) -> None:
    task = SyncCheckpointEmitter(agent, name if name is not None else "Deploy", **options)
    task._line = line = Kept()
    task.start()
    (started,) = (EVENT.validate_json(each) for each in line.sent)
    assert isinstance(started, Started)


NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
NONSENSE: list[dict[str, Any]] = [
    {"progress": "half", "tokens": "many", "cost": -3, "step": 3},
    {"progress": float("nan"), "tokens": -1, "cost": float("inf"), "status": "stalled"},
    {
        "progress": 1e300,
        "details": {"deep": [[[[[[[[1]]]]]]]]},
        "path": Path("a/b"),
        "when": datetime(2026, 1, 1, tzinfo=UTC),
    },
    {"huge": {str(n): "x" * 500 for n in range(100)}, "small": 1},
    {"half": "\ud800", "nothing": "\0", "none": Hostile()},
]


def test_nonsense_arrives_as_what_can_be_made_of_it(supervisor: Supervisor, caplog: pytest.LogCaptureFixture) -> None:
    task = SyncCheckpointEmitter("my agent", "x" * 1000)
    for said in NONSENSE:
        task.checkpoint("\ud83d nonsense", **said)
    task.complete()
    assert flush(30)
    told = supervisor.of(Checkpoint)
    assert [(each.progress, each.context_used, each.cost_usd, each.step) for each in told[:3]] == [
        (None, None, 0, "3"),
        (None, 0, None, None),
        (1, None, None, None),
    ]
    assert {each.action for each in told} == {"? nonsense"}
    assert told[2].details == {
        "details": {"deep": [[[[["…"]]]]]},
        "path": "a/b",
        "when": "2026-01-01T00:00:00+00:00",
    }
    assert told[3].details == {"small": 1}
    assert told[4].details == {"half": "?", "nothing": "�", "none": "<Hostile>"}
    (started,) = supervisor.of(Started)
    assert (started.agent_id, len(started.task_name)) == ("my-agent", 300)
    assert "agent_id has up to 60 letters, digits and . _ : -; it became 'my-agent'" in caplog.text


def test_details_are_those_of_the_moment() -> None:
    task = SyncCheckpointEmitter("deployer", "Deploy")
    tags = ["a"]
    task.checkpoint("Tagged", tags=tags)
    tags.append("b")
    assert task.last is not None
    assert task.last.details == {"tags": ["a"]}


@some
@given(wanted=anything)
def test_no_order_is_taken_half(wanted: Any) -> None:
    orders = Orders("t", 10)
    try:
        orders.hear(wanted)
    except (ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError, OverflowError):
        assert (orders.version, orders.messages) == (0, ())


def test_what_is_kept_is_json() -> None:
    task = SyncCheckpointEmitter("deployer", "Deploy")
    task._line = line = Kept()
    task.checkpoint("Ünïcode 🚀")
    assert json.loads(line.sent[-1])["action"] == "Ünïcode 🚀"

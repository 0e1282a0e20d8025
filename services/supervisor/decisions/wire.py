"""What programs send: each event of theirs, checked, and what it becomes in the log."""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from schemas import ids
from schemas.agent import (
    ApprovalKind,
    ApprovalRequested,
    ArtifactKind,
    EndStatus,
    Level,
    ReportedStatus,
    TaskArtifact,
    TaskCheckpoint,
    TaskEnded,
    TaskHandedOver,
    TaskHome,
    TaskStarted,
)

LARGEST_DETAILS: Final = 4 << 10
LARGEST_ARGUMENTS: Final = 16 << 10
MOST_TOKENS: Final = 10**12
MOST_COST: Final = 1e9
FIRST_YEAR, LAST_YEAR = 2000, 2200
SHOWN: Final = "\r\n\t\u200d"
"""Line ends, tabs, and what joins emoji."""


def readable(text: str) -> str:
    """Characters that control how others are shown have no place in what people read."""
    if text.isprintable():
        return text
    return "".join(each if _is_shown(each) else "\ufffd" for each in text)


def _read_as_it_is(text: str) -> str:
    """What an answer is bound to is not changed: what cannot be read is refused."""
    if not text.strip():
        raise ValueError("it is blank")
    if not all(_is_shown(each) for each in text):
        raise ValueError("it holds characters that control how others are shown")
    return text


def _is_shown(character: str) -> bool:
    return character.isprintable() or character in SHOWN or unicodedata.category(character) == "Zs"


def _of_our_time(moment: datetime) -> datetime:
    """In UTC, and in years that every clock and table knows."""
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise ValueError(f"a moment between {FIRST_YEAR} and {LAST_YEAR}")
    return moment.astimezone(UTC)


_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}")
EventName = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")]
TaskName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
AgentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,60}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(readable)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(readable)]
Summary = Annotated[str, StringConstraints(max_length=3000), AfterValidator(readable)]
Choice = Annotated[str, StringConstraints(min_length=1, max_length=75), AfterValidator(_read_as_it_is)]
Action = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_read_as_it_is)]
Moment = Annotated[AwareDatetime, AfterValidator(_of_our_time)]
Link = Annotated[str, StringConstraints(min_length=1, max_length=3000), AfterValidator(readable)]
"""An address, or a path, or where else it is found."""


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    id: EventName
    at: Moment
    task_id: TaskName
    agent_id: AgentName
    lease_id: TaskName | None = None
    """By which a worker has it, as taking it was answered."""


class Started(_Said):
    """A task begins."""

    type: Literal["task.started"]
    task_name: Words
    repo_scope: Words | None = None
    context_size: Annotated[int, Field(ge=1, le=MOST_TOKENS)] = 200_000
    parent_task_id: TaskName | None = None
    started_by: Label | None = None
    worker: Label | None = None
    heartbeat_s: Annotated[float, Field(gt=0, le=3600)] | None = None


class Checkpoint(_Said):
    """It went on."""

    type: Literal["task.checkpoint"]
    action: Words
    status: ReportedStatus = "working"
    level: Level = "info"
    progress: Annotated[float, Field(ge=0, le=1)] | None = None
    step: Label | None = None
    context_used: Annotated[int, Field(ge=0, le=MOST_TOKENS)] | None = None
    cost_usd: Annotated[float, Field(ge=0, le=MOST_COST)] | None = None
    details: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _small(self) -> Self:
        if self.details is not None and len(_json(self.details)) > LARGEST_DETAILS:
            raise ValueError(f"details have at most {LARGEST_DETAILS} bytes")
        return self


class Made(_Said):
    """It made something."""

    type: Literal["task.artifact"]
    artifact: ArtifactKind
    title: Words
    link: Link | None = None


class Ended(_Said):
    """It is over."""

    type: Literal["task.ended"]
    status: EndStatus
    summary: Summary | None = None


class HandedOver(_Said):
    """Its worker leaves it to another agent."""

    type: Literal["task.handed_over"]
    to_agent_id: AgentName
    text: Summary


class Asks(_Said):
    """It waits for a person."""

    type: Literal["approval.requested"]
    approval_id: TaskName
    kind: ApprovalKind = "decision"
    action: Action
    arguments: dict[str, Any] = Field(default_factory=dict)
    choices: Annotated[tuple[Choice, ...], Field(max_length=20)] = ()
    expires_at: Moment

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len(_json(self.arguments)) > LARGEST_ARGUMENTS:
            raise ValueError(f"arguments have at most {LARGEST_ARGUMENTS} bytes")
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("a choice has choices, and nothing else has")
        if len(set(self.choices)) != len(self.choices):
            raise ValueError("each choice stands once")
        return self


Said: TypeAlias = Annotated[Started | Checkpoint | Made | Ended | HandedOver | Asks, Field(discriminator="type")]
_SAID: TypeAdapter[Said] = TypeAdapter(Said)

LogEvent: TypeAlias = TaskStarted | TaskCheckpoint | TaskArtifact | TaskEnded | TaskHandedOver | ApprovalRequested


class WrongEvent(ValueError):
    """One event that is not taken. The words name fields, and quote no values."""

    def __init__(self, words: str, event_id: str | None) -> None:
        super().__init__(words)
        self.event_id = event_id


@dataclass(frozen=True)
class From:
    """Whose program says it, where it is told, and when it came."""

    tenant_id: str
    token_id: str
    home: TaskHome
    now: datetime


def read(raw: Any) -> Said:
    """One event as a program sent it."""
    try:
        return _SAID.validate_python(raw)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        words = "; ".join(f"{_where(each['loc'])}: {each['msg']}" for each in problems)
        named = raw.get("id") if isinstance(raw, dict) else None
        raise WrongEvent(words[:1000], named if isinstance(named, str) and len(named) <= 100 else None) from None  # noqa: PLR2004 - as long as one may be
    except (ValueError, RecursionError):  # a lone surrogate, or a number that JSON has not
        raise WrongEvent("it holds what cannot stand as JSON", None) from None


def to_log(said: Said, source: From) -> tuple[LogEvent, str]:
    """What stands in the log, and the record's id."""
    common: dict[str, Any] = {
        "at": min(said.at, source.now),
        "received_at": source.now,
        "task_id": said.task_id,
        "tenant_id": source.tenant_id,
        "agent_id": said.agent_id,
        "home": source.home,
        "token_id": source.token_id,
        "lease_id": said.lease_id,
    }
    return _MAKE[type(said)](said, common), ids.task_record_id(source.tenant_id, said.task_id, said.id)


def _started(said: Started, common: dict[str, Any]) -> TaskStarted:
    own = said.model_dump(exclude={"id", "at", "task_id", "agent_id", "lease_id", "type"})
    return TaskStarted(**common, **own)


def _checkpoint(said: Checkpoint, common: dict[str, Any]) -> TaskCheckpoint:
    return TaskCheckpoint(
        **common,
        status=said.status,
        level=said.level,
        action=said.action,
        progress=said.progress,
        step=said.step,
        context_used=said.context_used,
        cost_usd=said.cost_usd,
        details_json=None if said.details is None else _json(said.details).decode(),
    )


def _made(said: Made, common: dict[str, Any]) -> TaskArtifact:
    return TaskArtifact(**common, artifact=said.artifact, title=said.title, link=said.link)


def _ended(said: Ended, common: dict[str, Any]) -> TaskEnded:
    return TaskEnded(**common, status=said.status, summary=said.summary)


def _handed_over(said: HandedOver, common: dict[str, Any]) -> TaskHandedOver:
    return TaskHandedOver(**common, to_agent_id=said.to_agent_id, text=said.text)


def _asks(said: Asks, common: dict[str, Any]) -> ApprovalRequested:
    return ApprovalRequested(
        **common,
        approval_id=ids.approval_id(common["tenant_id"], said.task_id, said.approval_id, said.id),
        request_id=said.approval_id,
        kind=said.kind,
        action=said.action,
        arguments_json=_json(said.arguments).decode(),
        arguments_hash=ids.approval_hash(said.action, said.arguments),
        choices=said.choices,
        expires_at=said.expires_at,
    )


_MAKE: Final[dict[type[BaseModel], Callable[[Any, dict[str, Any]], LogEvent]]] = {
    Started: _started,
    Checkpoint: _checkpoint,
    Made: _made,
    Ended: _ended,
    HandedOver: _handed_over,
    Asks: _asks,
}


def is_name(text: str) -> bool:
    """Whether it could be the name of a task, an agent or an approval."""
    return _NAME.fullmatch(text) is not None


def words(text: str | None) -> str | None:
    """What a person wrote, fit to stand in the log."""
    return None if text is None else readable(text)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _where(path: tuple[int | str, ...]) -> str:
    """Without the name of the alternative, which pydantic puts first."""
    return ".".join(str(each) for each in path[1:] or path) or "the event"

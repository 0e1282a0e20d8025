"""What the supervisor takes, as its contract says: anything else is refused."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, field_validator

from schemas.ids import payload_hash

Named = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
DETAILS, ARGUMENTS = 4096, 16 * 1024


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False, frozen=True)

    id: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,100}$")]
    at: AwareDatetime
    task_id: Named
    agent_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,60}$")]
    lease_id: Named | None = None


class Started(_Event):
    type: Literal["task.started"]
    task_name: Annotated[str, Field(min_length=1, max_length=300)]
    repo_scope: str | None = None
    context_size: Annotated[int, Field(ge=1)]
    parent_task_id: Named | None = None
    started_by: str | None = None
    worker: str | None = None
    heartbeat_s: Annotated[float, Field(gt=0)] | None = None


class Checkpoint(_Event):
    type: Literal["task.checkpoint"]
    action: Annotated[str, Field(min_length=1, max_length=300)]
    status: Literal["starting", "working", "paused", "error"] = "working"
    level: Literal["info", "warning", "error"] = "info"
    progress: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    step: Annotated[str, Field(max_length=100)] | None = None
    context_used: Annotated[int, Field(ge=0)] | None = None
    cost_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    details: dict[str, JsonValue] | None = None

    @field_validator("details")
    @classmethod
    def _small(cls, details: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
        assert len(TypeAdapter(Any).dump_json(details)) <= DETAILS
        return details


class Artifact(_Event):
    type: Literal["task.artifact"]
    artifact: Literal["pull_request", "file", "deploy", "link"]
    title: Annotated[str, Field(min_length=1, max_length=300)]
    link: str | None = None


class Ended(_Event):
    type: Literal["task.ended"]
    status: Literal["complete", "error", "cancelled"]
    summary: Annotated[str, Field(max_length=3000)] | None = None


class Asked(_Event):
    type: Literal["approval.requested"]
    approval_id: Named
    kind: Literal["decision", "choice", "question"] = "decision"
    action: Annotated[str, Field(min_length=1, max_length=300)]
    arguments: dict[str, JsonValue]
    choices: Annotated[list[Annotated[str, Field(max_length=75)]], Field(min_length=1, max_length=20)] | None = None
    expires_at: AwareDatetime

    @property
    def arguments_hash(self) -> str:
        return payload_hash({"action": self.action, "arguments": self.arguments})


Event = Annotated[Started | Checkpoint | Artifact | Ended | Asked, Field(discriminator="type")]
EVENT: TypeAdapter[Started | Checkpoint | Artifact | Ended | Asked] = TypeAdapter(Event)

"""The supervisor's tables: projections of agents.events, and what only the running service needs to know.

`agent_tasks`, `agent_checkpoints`, `human_interventions` and `task_artifacts` follow from the topic alone, and one
command makes them anew. `agent_heartbeats` and `agent_tellings` do not, and stay.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Double, Index, Integer, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model import Base
from services.directory.model.base import OfTenant

_MOMENT = DateTime(timezone=True)


class AgentTaskRow(OfTenant, Base):
    """One task as it stands."""

    __tablename__ = "agent_tasks"
    __table_args__ = (
        Index("agent_tasks_of_partition", "partition", "last_at"),
        Index("agent_tasks_by_status", "tenant_id", "status", "last_at"),
        Index("agent_tasks_of_agent", "tenant_id", "agent_id", "last_at"),
        Index("agent_tasks_under", "tenant_id", "parent_task_id"),
        Index("agent_tasks_offered", "tenant_id", "agent_id", "started_at", postgresql_where=text("is_offered")),
    )

    task_id: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(Integer)
    """Of agents.events."""
    agent_id: Mapped[str]
    task_name: Mapped[str]
    status: Mapped[str]
    parent_task_id: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(_MOMENT)
    last_at: Mapped[datetime] = mapped_column(_MOMENT)
    """When the supervisor heard of it last."""
    ended_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    cost_usd: Mapped[float] = mapped_column(Double)
    version: Mapped[int] = mapped_column(BigInteger)
    """Counts what happened to it."""
    is_offered: Mapped[bool]
    """Whether a worker may take it."""
    orders: Mapped[int] = mapped_column(BigInteger)
    """Counts what people told it."""
    state: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """All that is known of it."""
    recent: Mapped[bytes] = mapped_column(LargeBinary)
    """The last events of it, by which a repeat is recognised."""


class AgentCheckpointRow(OfTenant, Base):
    """How far a task was."""

    __tablename__ = "agent_checkpoints"
    __table_args__ = (Index("agent_checkpoints_by_day", "tenant_id", "received_at"),)

    task_id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(_MOMENT)
    """By the clock of its program."""
    received_at: Mapped[datetime] = mapped_column(_MOMENT)
    """By ours: what a day cost goes by it."""
    status: Mapped[str]
    level: Mapped[str]
    action: Mapped[str]
    progress: Mapped[float | None] = mapped_column(Double)
    step: Mapped[str | None]
    context_used: Mapped[int | None] = mapped_column(BigInteger)
    cost_usd: Mapped[float | None] = mapped_column(Double)
    details_json: Mapped[str | None]


class HumanInterventionRow(OfTenant, Base):
    """Where a person comes in: an approval and what became of it, an order, or an attempt that led to nothing."""

    __tablename__ = "human_interventions"
    __table_args__ = (
        Index("human_interventions_of_task", "tenant_id", "task_id", "at"),
        Index("human_interventions_as_asked", "tenant_id", "request_id"),
        Index("human_interventions_open", "tenant_id", "at", postgresql_where=text("state = 'open'")),
    )

    intervention_id: Mapped[str] = mapped_column(primary_key=True)
    """An approval's id, or that of the event."""
    request_id: Mapped[str | None]
    """What the program calls an approval."""
    task_id: Mapped[str]
    partition: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str]
    state: Mapped[str]
    action: Mapped[str]
    arguments_json: Mapped[str | None]
    arguments_hash: Mapped[str | None]
    choices: Mapped[list[str]]
    answer: Mapped[str | None]
    reason: Mapped[str | None]
    by_user: Mapped[str | None]
    via: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(_MOMENT)
    expires_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    decided_at: Mapped[datetime | None] = mapped_column(_MOMENT)


class TaskArtifactRow(OfTenant, Base):
    """Something that a task made."""

    __tablename__ = "task_artifacts"
    task_id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(_MOMENT)
    artifact: Mapped[str]
    title: Mapped[str]
    link: Mapped[str | None]


class AgentHeartbeatRow(OfTenant, Base):
    """When a task's program was heard of last, beside its events."""

    __tablename__ = "agent_heartbeats"

    task_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(_MOMENT)


class AgentTellingRow(OfTenant, Base):
    """What was handed to the responder of a task: by post, a digest of its words, when, and how its task stood then."""

    __tablename__ = "agent_tellings"

    task_id: Mapped[str] = mapped_column(primary_key=True)
    posts: Mapped[dict[str, Any]] = mapped_column(JSONB)


class AgentProjectionRow(Base):
    """How far a partition of agents.events is folded. Whoever moves it on owns what follows from it."""

    __tablename__ = "agent_projections"

    partition: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    next_offset: Mapped[int] = mapped_column(BigInteger)

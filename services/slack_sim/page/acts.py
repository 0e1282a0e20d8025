"""What the page asks for when somebody does something."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Id = Annotated[str, Field(max_length=300)]
Text = Annotated[str, Field(max_length=40_000)]
Value = Text | list[Text] | None


class Act(BaseModel):
    """Somebody does something."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: Id


class Say(Act):
    """Somebody says something."""

    what: Literal["say"]
    channel: Id
    text: Text
    thread: Id | None = None
    broadcast: bool = False


class Edit(Act):
    """Somebody says it differently."""

    what: Literal["edit"]
    channel: Id
    ts: Id
    text: Text


class Delete(Act):
    """Somebody takes it back."""

    what: Literal["delete"]
    channel: Id
    ts: Id


class React(Act):
    """Somebody puts an emoji on a message, or takes it off again."""

    what: Literal["react"]
    channel: Id
    ts: Id
    name: Annotated[str, Field(pattern=r"^[a-z0-9_+'-]{1,60}$")]


class At(Act):
    """Where somebody acts: on a message, or in a view."""

    channel: Id | None = None
    ts: Id | None = None
    view: Id | None = None


class Filled(BaseModel):
    """What stands in one input of a modal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    block: Id
    action: Id
    value: Value = None


class Press(At):
    """Somebody presses or chooses something; in a modal, with what stands in all of it."""

    what: Literal["press"]
    action: Id
    block: Id | None = None
    value: Value = None
    values: list[Filled] = Field(default_factory=list, max_length=1000)


class Suggest(At):
    """Somebody types into a select whose options the app knows."""

    what: Literal["suggest"]
    action: Id
    typed: Text


class Submit(Act):
    """Somebody submits a modal."""

    what: Literal["submit"]
    view: Id
    values: Annotated[list[Filled], Field(max_length=1000)]


class Close(Act):
    """Somebody closes a modal."""

    what: Literal["close"]
    view: Id


class Command(Act):
    """Somebody types a slash command."""

    what: Literal["command"]
    channel: Id
    line: Text


class Shortcut(Act):
    """Somebody chooses a shortcut: a message's, or everybody's."""

    what: Literal["shortcut"]
    app: Id
    callback: Id
    channel: Id | None = None
    ts: Id | None = None


class Stop(Act):
    """Somebody presses an agent's Stop."""

    what: Literal["stop"]
    channel: Id
    thread: Id
    app: Id


class Open(Act):
    """Somebody opens an app, or the direct conversation with a person."""

    what: Literal["open"]
    app: Id | None = None
    person: Id | None = None
    tab: Literal["messages", "home"] = "messages"


class Assistant(Act):
    """Somebody opens a thread with an assistant of the older kind."""

    what: Literal["assistant"]
    app: Id
    looking_at: Id | None = None


class Join(Act):
    """Somebody comes into a channel."""

    what: Literal["join"]
    channel: Id


AnyAct = Annotated[
    Say
    | Edit
    | Delete
    | React
    | Press
    | Suggest
    | Submit
    | Close
    | Command
    | Shortcut
    | Stop
    | Open
    | Assistant
    | Join,
    Field(discriminator="what"),
]
ACTS: TypeAdapter[AnyAct] = TypeAdapter(AnyAct)

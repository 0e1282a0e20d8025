"""The first world: a workspace with three people, four channels, and an agent that hears and may do what agents do."""

from services.slack_sim.world.entities import App, Channel, Command, Shortcut, User, Workspace
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.names import Names
from services.slack_sim.world.world import World

SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "chat:write.customize",
    "chat:write.public",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "mpim:write",
    "reactions:read",
    "reactions:write",
    "team:read",
    "users:read",
    "users:read.email",
)
EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "assistant_thread_context_changed",
    "assistant_thread_started",
    "member_joined_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
    "reaction_removed",
    "tokens_revoked",
)
COMMANDS = (
    Command("/ask", "Ask the agent", "a question"),
    Command("/stop", "Stop what the agent is doing for you"),
    Command("/agent-task", "Give a supervised agent a task", "what to do"),
)
SHORTCUTS = (
    Shortcut("threadline:ask", "Ask about this"),
    Shortcut("threadline:task", "Ask for this as a task"),
    Shortcut("new_task", "New task", "global"),
)
AGENT = "Mara"
PEOPLE = (("you", "You"), ("colleague", "A Colleague"), ("customer", "A Customer"))
CHANNELS = ("general", "support", "random", "agent-supervisory")
WITHOUT_AGENT = {"random"}


def new_app(names: Names, name: str) -> App:
    """An app with everything that an agent needs."""
    app_id = names.id("A")
    return App(
        id=app_id,
        name=name,
        client_id=f"{names.number('client')}.{names.number('client')}",
        client_secret=names.secret("client_secret"),
        signing_secret=names.secret("signing_secret"),
        verification_token=names.secret("verification")[:24],
        app_token=f"xapp-1-{app_id}-{names.number('app_token')}-{names.secret('app_token')}",
        scopes=list(SCOPES),
        events=list(EVENTS),
        commands=[Command(each.name, each.description, each.usage_hint) for each in COMMANDS],
        shortcuts=[Shortcut(each.callback_id, each.name, each.on) for each in SHORTCUTS],
    )


def first_workspace(world: World, names: Names, moments: Moments) -> tuple[Workspace, list[Channel]]:
    """A workspace with people and channels, and nothing said in it yet."""
    workspace = Workspace(names.id("T"), "Acme", "acme")
    world.keep(workspace)
    people: list[str] = []
    for name, real_name in PEOPLE:
        user = User(names.id("U"), workspace.id, name, real_name, f"{name}@acme.example", is_admin=not people)
        world.keep(user)
        people.append(user.id)
    channels = []
    for name in CHANNELS:
        channel = Channel(names.id("C"), workspace.id, name, "channel", people[0], moments.seconds(), list(people))
        world.keep(channel)
        channels.append(channel)
    return workspace, channels

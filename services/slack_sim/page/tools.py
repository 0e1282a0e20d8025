"""What people can do with a message: answer it, react to it, change it, and what apps offer."""

import json

from services.kit.markup import Markup, el
from services.slack_sim.page import emoji
from services.slack_sim.page.seen import Seen
from services.slack_sim.page.typed import as_typed
from services.slack_sim.world.entities import Message, Shortcut


def tools(seen: Seen, message: Message, *, in_thread: bool) -> Markup:
    """The buttons on a message. They show when it is pointed at, or has the focus."""
    own = message.user == seen.user.id
    answer = el("a", "Reply", href=seen.address(thread=message.root_ts), data_do="go", class_="tool")
    react = el("button", "React", type="button", data_do="menu", data_menu="react", class_="tool", aria_haspopup="true")
    more = el(
        "button", "More", type="button", data_do="menu", data_menu="more", class_="tool", aria_haspopup="true",
        data_text=as_typed(seen.viewer, message.text) if own else None, data_deletes=own or seen.user.is_admin,
    )  # fmt: skip
    return el("div", None if in_thread else answer, react, more, class_="tools", role="toolbar", aria_label="Message")


def reactions(seen: Seen, message: Message) -> Markup | None:
    """The emoji on a message, and who put them there."""
    if not message.reactions:
        return None
    drawn = [_reaction(seen, name, people) for name, people in message.reactions.items()]
    return el("div", drawn, class_="reactions")


def _reaction(seen: Seen, name: str, people: list[str]) -> Markup:
    names = ", ".join(seen.viewer.name(each) for each in people)
    return el(
        "button", el("span", emoji.shown(name), class_="sign"), str(len(people)), type="button", class_="reaction",
        data_do="react", data_name=name, title=f"{names} reacted with :{name}:", aria_label=f"{name}: {names}",
        aria_pressed="true" if seen.user.id in people else "false",
    )  # fmt: skip


def offered(seen: Seen) -> list[tuple[str, str, Shortcut]]:
    """The shortcuts of every app in the workspace, with the app's id and name."""
    world = seen.slack.world
    installed = [each for each in world.installations.values() if each.team_id == seen.team.id and not each.ended]
    apps = [world.apps[each.app_id] for each in installed]
    return [(app.id, app.name, shortcut) for app in apps for shortcut in app.shortcuts]


def known(seen: Seen) -> Markup:
    """What the script must know to complete what is typed, and to offer what can be done."""
    world = seen.slack.world
    handles = seen.viewer.handles()
    installed = [each for each in world.installations.values() if each.team_id == seen.team.id and not each.ended]
    commands = [
        {"name": each.name, "about": each.description, "hint": each.usage_hint, "app": world.apps[one.app_id].name}
        for one in installed
        for each in world.apps[one.app_id].commands
    ]
    said = {
        "people": [
            {"name": name, "about": world.users[user_id].name, "bot": world.users[user_id].bot_id is not None}
            for user_id, name in handles.items()
        ],
        "channels": [each.name for each in world.channels_of(seen.team.id) if each.name and seen.viewer.sees(each)],
        "commands": commands,
        "shortcuts": [
            {"app": app_id, "by": name, "callback": each.callback_id, "name": each.name, "on": each.on}
            for app_id, name, each in offered(seen)
        ],
        "palette": [[name, emoji.shown(name)] for name in emoji.PALETTE],
    }
    return el("div", id="known", hidden=True, data_known=json.dumps(said))

"""The list of conversations, and the choice of workspace and person."""

from services.kit.markup import Markup, el
from services.slack_sim.page.reading import Reading
from services.slack_sim.page.seen import Seen, address, people_of
from services.slack_sim.page.viewer import hue, initials
from services.slack_sim.world.entities import Channel


def sidebar(seen: Seen, reading: Reading) -> Markup:
    """All of it."""
    return el(
        "nav", _switches(seen), _filter(), el("div", _channels(seen, reading), _direct(seen, reading), class_="rows"),
        id="sidebar", aria_label="Conversations",
    )  # fmt: skip


def _switches(seen: Seen) -> Markup:
    world = seen.slack.world
    inspector = seen.inspector
    teams = [
        el("option", each.name, value=address({"team": each.id, "inspector": inspector}), selected=each is seen.team)
        for each in world.workspaces.values()
        if people_of(world, each.id)
    ]
    people = [
        el("option", each.real_name, value=seen.address(user=each.id, thread=None), selected=each.id == seen.user.id)
        for each in people_of(world, seen.team.id)
    ]
    return el(
        "div", el("span", initials(seen.team.name), class_=f"picture {hue(seen.team.id)}", aria_hidden="true"),
        el("div", el("select", teams, aria_label="Workspace", data_do="switch", class_="workspace", autocomplete="off"),
           el("select", people, aria_label="You are", data_do="switch", autocomplete="off"), class_="stacked"),
        class_="switches",
    )  # fmt: skip


def _filter() -> Markup:
    return el(
        "input", type="search", id="filter", placeholder="Find a conversation", aria_label="Find a conversation",
        autocomplete="off", title="Ctrl+K",
    )  # fmt: skip


def _channels(seen: Seen, reading: Reading) -> Markup:
    around = [each for each in seen.slack.world.channels_of(seen.team.id) if each.name and each.kind != "mpim"]
    rows = [_row(seen, reading, each) for each in around if seen.viewer.sees(each) and not each.archived]
    return el("section", el("h2", "Channels"), el("ul", rows))


def _row(seen: Seen, reading: Reading, channel: Channel) -> Markup:
    unread = reading.is_unread(seen.user, channel)
    here = seen.channel is channel
    sign = {"channel": "#", "group": "◦"}.get(channel.kind, "")
    known = "row" if seen.user.id in channel.members else "row outside"
    label = el(
        "a", el("span", sign, class_="sign", aria_hidden="true"), el("span", seen.viewer.channel_name(channel)),
        _dot(unread), class_=f"{known} unread" if unread else known, data_do="go",
        href=seen.address(channel=channel.id, thread=None, tab=None), aria_current="page" if here else None,
    )  # fmt: skip
    return el("li", label, id=f"row-{channel.id}")


def _dot(unread: bool) -> Markup | None:  # noqa: FBT001 - it is what the dot says
    return el("span", class_="dot", role="img", aria_label="unread") if unread else None


def _direct(seen: Seen, reading: Reading) -> Markup:
    world = seen.slack.world
    rows = [
        _opener(seen, reading, each.bot_user_id, each.app_id)
        for each in world.installations.values()
        if each.team_id == seen.team.id and each.ended is None
    ]
    rows += [_opener(seen, reading, each.id, None) for each in people_of(world, seen.team.id) if each is not seen.user]
    rows += [
        _row(seen, reading, each)
        for each in world.channels_of(seen.team.id)
        if each.kind == "mpim" and seen.user.id in each.members
    ]
    return el("section", el("h2", "Direct messages"), el("ul", rows))


def _opener(seen: Seen, reading: Reading, other: str, app_id: str | None) -> Markup:
    """Opens the direct conversation with an app or a person; before that there may be none."""
    world = seen.slack.world
    channel = world.direct(seen.team.id, [seen.user.id, other])
    unread = channel is not None and reading.is_unread(seen.user, channel)
    here = channel is not None and seen.channel is channel
    name = world.apps[app_id].name if app_id else seen.viewer.name(other)
    connected = app_id is not None and bool(seen.slack.sockets.links(app_id))
    badge = el("span", "APP", class_="badge") if app_id else None
    picture = el("span", initials(name), class_=f"picture small {'app ' if app_id else ''}{hue(other)}",
                 aria_hidden="true")  # fmt: skip
    presence = el("span", class_="connected", role="img", aria_label="connected", title="It has a socket open")
    button = el(
        "button", picture, el("span", name), badge, presence if connected else None, _dot(unread), type="button",
        class_="row unread" if unread else "row", data_do="open", data_app=app_id,
        data_person=None if app_id else other,
        aria_current="page" if here else None,
    )  # fmt: skip
    return el("li", button, id=f"with-{other}")

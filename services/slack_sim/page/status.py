"""What agents say of themselves: that they work and can be stopped, what they think about, what one might ask them."""

from services.kit.markup import Markup, el
from services.slack_sim.page.seen import Seen
from services.slack_sim.world.entities import Session

SAID = {"suspended": "waits for an answer", "closed": "is done here"}


def sessions_of(seen: Seen, channel_id: str, thread_ts: str) -> list[Session]:
    """The sessions of a thread, of every app in the workspace."""
    world = seen.slack.world
    found = (
        world.session(app_id, channel_id, thread_ts) for app_id, team in world.installations if team == seen.team.id
    )
    return [each for each in found if each is not None]


def thread_status(seen: Seen) -> Markup:
    """The line below a thread. Its place is kept where there is nothing to say, so that nothing moves."""
    lines: list[Markup] = []
    if seen.channel is not None and seen.thread is not None:
        lines = _lines(seen, seen.channel.id, [seen.thread])
    return _strip("thread-status", lines)


def channel_status(seen: Seen) -> Markup:
    """The line below a channel: of what is streamed in the channel itself."""
    lines: list[Markup] = []
    if seen.channel is not None:
        streamed = [each.ts for each in seen.messages() if each.stream and each.stream.state == "streaming"]
        lines = _lines(seen, seen.channel.id, streamed)
    return _strip("channel-status", lines)


def _strip(name: str, lines: list[Markup]) -> Markup:
    return el("div", lines, id=name, class_="status", role="status", aria_live="polite")


def _lines(seen: Seen, channel_id: str, threads: list[str]) -> list[Markup]:
    """One for each agent that is at work in any of these threads."""
    lines = []
    for app_id, team_id in seen.slack.world.installations:
        for thread_ts in threads if team_id == seen.team.id else ():
            line = _line(seen, app_id, channel_id, thread_ts)
            lines += [line] if line is not None else []
    return lines


def _line(seen: Seen, app_id: str, channel_id: str, thread_ts: str) -> Markup | None:
    slack = seen.slack
    name = slack.world.apps[app_id].name
    session = slack.world.session(app_id, channel_id, thread_ts)
    working = bool(slack.streams.of_thread(app_id, channel_id, thread_ts))
    status = session.status if session else None
    words = f"{name} {SAID[status]}" if status in SAID and not working else ""
    if working or status == "processing":
        words = f"{name} is working…"
    if session is not None and session.line:
        more = f" {session.loading_messages[0]}" if session.loading_messages else ""
        words = f"{name} {session.line}{more}"
    if not words:
        return None
    stop = el("button", "Stop", type="button", class_="button danger", data_do="stop", data_app=app_id,
              data_thread=thread_ts, data_channel=channel_id)  # fmt: skip
    stops = working or status == "processing"
    moves = stops or (session is not None and session.line)
    dots = el("span", class_="dots", aria_hidden="true") if moves else None
    return el("div", dots, el("span", words), stop if stops else None, class_="line")


def title(seen: Seen) -> str | None:
    """What the agents call the thread."""
    if seen.channel is None or seen.thread is None:
        return None
    return next((each.title for each in sessions_of(seen, seen.channel.id, seen.thread) if each.title), None)


def prompts(seen: Seen, *, in_thread: bool) -> Markup:
    """What an agent suggests to ask it. In a thread this goes when somebody has said something there."""
    name = f"{'thread' if in_thread else 'channel'}-prompts"
    if seen.channel is None:
        return el("div", id=name, class_="prompts")
    spoken = in_thread and any(each.bot_id is None for each in seen.replies()[1:])
    thread_ts = (seen.thread or "") if in_thread else ""
    drawn: list[Markup] = []
    for session in [] if spoken else sessions_of(seen, seen.channel.id, thread_ts):
        if session.prompts and session.prompts_title:
            drawn.append(el("b", session.prompts_title))
        drawn += [
            el("button", each["title"], type="button", class_="button", data_do="prompt", data_text=each["message"])
            for each in session.prompts
        ]
    return el("div", drawn, id=name, class_="prompts")

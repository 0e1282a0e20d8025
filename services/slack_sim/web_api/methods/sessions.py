"""agents.sessions.* and assistant.threads.*: what an agent says of itself."""

from typing import get_args

from services.slack_sim.refusal import Refusal
from services.slack_sim.telling.shapes import Json
from services.slack_sim.web_api.call import Call, Method
from services.slack_sim.world.entities import Channel, Session, SessionStatus

STATUSES = get_args(SessionStatus)
LONGEST_TITLE = 200
MOST_LOADING, LONGEST_LOADING = 10, 50
MOST_PROMPTS = 4


def _place(call: Call) -> tuple[Channel, str]:
    channel = call.channel("channel_id")
    if call.bot.id not in channel.members:
        raise Refusal("not_authorized")
    thread_ts = call.args.text("thread_ts")
    if not thread_ts:
        raise Refusal("thread_ts_required")
    return channel, thread_ts


def _session(call: Call, channel: Channel, thread_ts: str) -> Session:
    return call.slack.sessions.get(call.installation.app_id, call.team_id, channel.id, thread_ts)


def set_status(call: Call) -> Json:
    """agents.sessions.setStatus."""
    status = call.args.needed("status")
    if status not in STATUSES:
        raise Refusal("invalid_status")
    channel, thread_ts = _place(call)
    session = _session(call, channel, thread_ts)
    if session.status is None:
        session.title = call.args.text("title")[:LONGEST_TITLE] or None
        session.initiator = call.args.text("initiator_user_id") or None
        if session.initiator is not None and session.initiator not in channel.members:
            raise Refusal("user_not_found")
    session.status = status  # type: ignore[assignment]
    call.slack.world.keep(session)
    app = call.slack.world.apps[session.app_id]
    if status == "processing" and "agent_session_stopped" not in app.events:
        call.warnings.append("missing_agent_session_stopped_event_subscription")
    return {"status": status, "agent_status": status, "title": session.title or ""}


def rename(call: Call) -> Json:
    """agents.sessions.rename."""
    channel, thread_ts = _place(call)
    title = call.args.needed("title")
    if len(title) > LONGEST_TITLE:
        raise Refusal("invalid_name")
    session = call.slack.world.session(call.installation.app_id, channel.id, thread_ts)
    if session is None or session.status is None:
        raise Refusal("session_not_found")
    session.title = title
    call.slack.world.keep(session)
    return {"title": title}


def _assistant_place(call: Call, *, with_thread: bool = True) -> Session:
    try:
        channel = call.channel("channel_id")
    except Refusal as refusal:
        if refusal.error == "channel_not_found":
            raise Refusal("channel_not_found", detail="Invalid channel_id") from refusal
        raise
    if not with_thread and "thread_ts" not in call.args:
        if call.slack.world.apps[call.installation.app_id].surface != "agent":
            raise Refusal("not_agent_app")
        return _session(call, channel, "")
    thread_ts = call.args.needed("thread_ts")
    if thread_ts not in call.slack.world.conversations[channel.id].messages:
        raise Refusal("invalid_thread_ts", detail="Thread not found")
    return _session(call, channel, thread_ts)


def set_line(call: Call) -> Json:
    """assistant.threads.setStatus: an empty status takes it away."""
    session = _assistant_place(call)
    loading = call.args.items("loading_messages") or []
    good = all(isinstance(each, str) and 0 < len(each) <= LONGEST_LOADING for each in loading)
    if len(loading) > MOST_LOADING or not good:
        raise Refusal(
            "invalid_arguments", "[ERROR] must be 1 to 10 texts of 1 to 50 characters [json-pointer:/loading_messages]"
        )
    call.slack.sessions.set_line(session, call.args.text("status"), loading)
    return {}


def set_title(call: Call) -> Json:
    """assistant.threads.setTitle."""
    session = _assistant_place(call)
    session.title = call.args.needed("title")
    call.slack.world.keep(session)
    return {}


def set_prompts(call: Call) -> Json:
    """assistant.threads.setSuggestedPrompts: without a thread they are for the whole conversation."""
    session = _assistant_place(call, with_thread=False)
    prompts = call.args.items("prompts") or []
    good = all(isinstance(each, dict) and {"title", "message"} <= each.keys() for each in prompts)
    if not prompts or len(prompts) > MOST_PROMPTS or not good:
        raise Refusal("invalid_arguments", f"[ERROR] no more than {MOST_PROMPTS} items allowed [json-pointer:/prompts]")
    session.prompts = [{"title": str(each["title"]), "message": str(each["message"])} for each in prompts]
    session.prompts_title = call.args.text("title") or None
    call.slack.world.keep(session)
    return {}


METHODS = (
    Method("agents.sessions.setStatus", set_status, ("chat:write",), tier=3),
    Method("agents.sessions.rename", rename, ("chat:write",), tier=3),
    Method("assistant.threads.setStatus", set_line, ("chat:write", "assistant:write"), tier=600),
    Method("assistant.threads.setTitle", set_title, ("assistant:write",), tier=4),
    Method("assistant.threads.setSuggestedPrompts", set_prompts, ("assistant:write",), tier=4),
)

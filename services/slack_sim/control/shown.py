"""What the control API shows of what there is."""

import json

from services.slack_sim.control import answers, asks
from services.slack_sim.delivery.delivery import Delivery
from services.slack_sim.delivery.sockets import Link
from services.slack_sim.records import ApiCall
from services.slack_sim.simulation import Simulation
from services.slack_sim.telling.shapes import ephemeral_shape, message_shape, view_shape
from services.slack_sim.world.entities import App, Installation, Session, View


def world(slack: Simulation) -> answers.WorldShown:
    """Everything that there is."""
    there = slack.world
    return answers.WorldShown(
        workspaces=[
            answers.WorkspaceShown(id=each.id, name=each.name, domain=each.domain, enterprise_id=each.enterprise_id)
            for each in there.workspaces.values()
        ],
        users=[
            answers.UserShown(id=each.id, team_id=each.team_id, name=each.name, bot_id=each.bot_id)
            for each in there.users.values()
        ],
        channels=[
            answers.ChannelShown(
                id=each.channel.id,
                team_id=each.channel.team_id,
                name=each.channel.name,
                kind=each.channel.kind,
                members=each.channel.members,
                messages=len(each.messages),
            )
            for each in there.conversations.values()
        ],
        apps=[app(each) for each in there.apps.values()],
        installations=[installation(each) for each in there.installations.values()],
    )


def app(shown: App) -> answers.AppShown:
    """An app, with its secrets."""
    return answers.AppShown(**{name: getattr(shown, name) for name in answers.AppShown.model_fields})


def installation(shown: Installation) -> answers.InstallationShown:
    """An app in a workspace, with its token."""
    return answers.InstallationShown(**{name: getattr(shown, name) for name in answers.InstallationShown.model_fields})


def session(shown: Session) -> answers.SessionShown:
    """What an agent says of itself."""
    return answers.SessionShown(**{name: getattr(shown, name) for name in answers.SessionShown.model_fields})


def view(slack: Simulation, shown: View) -> dict[str, object]:
    """A view, with the errors that are shown in it."""
    return view_shape(slack.world, shown) | {"errors": shown.errors}


def transcript(slack: Simulation, asked: asks.ReadTranscript) -> answers.Transcript:
    """What was said in a channel or a thread."""
    conversation = slack.world.conversations[asked.channel_id]
    if asked.thread_ts is None:
        stamps = list(conversation.between("", "", inclusive=True))
    else:
        stamps = [ts for ts in (asked.thread_ts,) if ts in conversation.messages]
        stamps += conversation.replies(asked.thread_ts)
    ephemerals = [
        ephemeral_shape(each)
        for each in slack.world.ephemerals.values()
        if (each.channel, each.to) == (asked.channel_id, asked.viewer)
        and (asked.thread_ts is None or each.thread_ts == asked.thread_ts)
    ]
    messages = [
        message_shape(slack.world, conversation.messages[ts], with_metadata=True) for ts in stamps[-asked.limit :]
    ]
    return answers.Transcript(messages=messages, ephemerals=ephemerals)


def call(shown: ApiCall) -> answers.CallShown:
    """A call."""
    return answers.CallShown(**{name: getattr(shown, name) for name in answers.CallShown.model_fields})


def envelope(shown: Delivery) -> answers.EnvelopeShown:
    """A delivery."""
    attempts = [
        answers.AttemptShown(**{name: getattr(each, name) for name in answers.AttemptShown.model_fields})
        for each in shown.attempts
    ]
    plain = answers.EnvelopeShown.model_fields.keys() - {"attempts", "payload"}
    said = {name: getattr(shown, name) for name in plain}
    return answers.EnvelopeShown(**said, attempts=attempts, payload=json.loads(shown.body))


def socket(shown: Link) -> answers.SocketShown:
    """An open socket."""
    return answers.SocketShown(**{name: getattr(shown, name) for name in answers.SocketShown.model_fields})


def counts(slack: Simulation) -> answers.Counts:
    """Counts since the start."""
    return answers.Counts(
        calls=dict(slack.calls.counts),
        errors=dict(slack.calls.errors),
        unknown_methods=dict(slack.calls.unknown),
        deliveries=dict(slack.dispatcher.counts),
        open=slack.dispatcher.open,
        messages=sum(len(each.messages) for each in slack.world.conversations.values()),
    )

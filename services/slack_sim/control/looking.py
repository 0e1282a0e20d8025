"""Operations that look at what there is, or wait for it."""

from services.slack_sim.control import answers, asks, shown, waiting
from services.slack_sim.control.named import Named
from services.slack_sim.control.operation import Operations
from services.slack_sim.people.people import People
from services.slack_sim.simulation import Simulation


class Looking:
    """Looks."""

    def __init__(self, slack: Simulation, people: People) -> None:
        self._slack, self._people, self._named = slack, people, Named(slack, people)

    def operations(self) -> Operations:
        """What it does, by what it is asked."""
        return {
            asks.ReadWorld: lambda _: shown.world(self._slack),
            asks.ReadTranscript: self._transcript,
            asks.ReadViews: self._views,
            asks.ReadSessions: self._sessions,
            asks.ReadCalls: self._calls,
            asks.ReadEnvelopes: self._envelopes,
            asks.ReadSockets: self._sockets,
            asks.ReadCounts: lambda _: shown.counts(self._slack),
            asks.Wait: lambda asked: waiting.wait(self._slack, asked),
        }

    def _transcript(self, asked: asks.ReadTranscript) -> answers.Transcript:
        self._named.channel(asked.channel_id)
        return shown.transcript(self._slack, asked)

    def _views(self, asked: asks.ReadViews) -> answers.Views:
        views = [
            shown.view(self._slack, each)
            for each in self._slack.world.views.values()
            if each.open and each.user == asked.user_id and asked.app_id in {None, each.app_id}
        ]
        return answers.Views(views=views)

    def _sessions(self, asked: asks.ReadSessions) -> answers.Sessions:
        found = (each for each in self._slack.world.sessions.values() if each.channel == asked.channel_id)
        return answers.Sessions(sessions=[shown.session(each) for each in found])

    def _calls(self, asked: asks.ReadCalls) -> answers.CallsShown:
        found = [
            shown.call(each)
            for each in self._slack.calls.last
            if each.number > asked.after and asked.method in {None, each.method} and asked.app_id in {None, each.app_id}
        ]
        return answers.CallsShown(calls=found)

    def _envelopes(self, asked: asks.ReadEnvelopes) -> answers.EnvelopesShown:
        wanted = {name: getattr(asked, name) for name in ("app_id", "kind", "name", "state")}
        found = [
            shown.envelope(each)
            for each in self._slack.dispatcher.last
            if each.number > asked.after
            and all(value is None or getattr(each, name) == value for name, value in wanted.items())
        ]
        return answers.EnvelopesShown(envelopes=found)

    def _sockets(self, _: asks.ReadSockets) -> answers.SocketsShown:
        links = self._slack.sockets.links()
        return answers.SocketsShown(sockets=[shown.socket(each) for each in links], opened=self._slack.sockets.opened)

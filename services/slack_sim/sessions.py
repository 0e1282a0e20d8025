"""What agents say of themselves in a thread: a session's state, and the status line of the older kind."""

from services.slack_sim.world.entities import Message, Session, SessionStatus
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.world import World

LINE_S = 120.0
"""After that long a status line goes by itself."""


class Sessions:
    """Every agent's session, by thread."""

    def __init__(self, world: World, moments: Moments) -> None:
        self._world, self._moments = world, moments

    def get(self, app_id: str, team_id: str, channel_id: str, thread_ts: str) -> Session:
        """A thread's session; a new one, where there was none."""
        found = self._world.session(app_id, channel_id, thread_ts)
        return found or Session(app_id, team_id, channel_id, thread_ts)

    def set_line(self, session: Session, line: str, loading: list[str]) -> None:
        """Shows a status line, or takes it away."""
        session.line, session.loading_messages = line, loading
        session.line_until = self._moments.now() + LINE_S if line else 0.0
        self._world.keep(session)
        if line:
            self._moments.after(LINE_S, lambda: self._expire(session))

    def set_status(self, message: Message, status: SessionStatus) -> None:
        """A session's state, set by a message of it."""
        session = self.get(message.app_id or "", message.team, message.channel, message.root_ts)
        session.status = status
        self._world.keep(session)

    def spoke(self, message: Message) -> None:
        """An app said something in a thread: its status line goes."""
        session = self._world.session(message.app_id or "", message.channel, message.root_ts)
        if session is not None and session.line:
            self.set_line(session, "", [])

    def resume(self) -> None:
        """Watches over the status lines that were read back."""
        for session in self._world.sessions.values():
            if session.line:
                left = max(0.0, session.line_until - self._moments.now())
                self._moments.after(left, lambda session=session: self._expire(session))  # type: ignore[misc]

    def _expire(self, session: Session) -> None:
        if session.line and session.line_until <= self._moments.now():
            self.set_line(session, "", [])

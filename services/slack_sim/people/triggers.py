"""Trigger ids: for three seconds after somebody did something, its app may open one view for them."""

from dataclasses import dataclass

from services.slack_sim.given_out import GivenOut
from services.slack_sim.refusal import Refusal
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.names import Names

GOOD_FOR_S = 3.0
REMEMBERED_S = 600.0


@dataclass
class Trigger:
    """What a trigger id stands for."""

    app_id: str
    team_id: str
    user_id: str
    until: float
    view_id: str | None
    """The view that it was done in."""
    used: bool = False


class Triggers:
    """Every trigger id that was given out lately."""

    def __init__(self, names: Names, moments: Moments) -> None:
        self._names, self._moments = names, moments
        self._given = GivenOut[Trigger](moments, REMEMBERED_S)

    def give(self, app_id: str, team_id: str, user_id: str, view_id: str | None = None) -> str:
        """A new trigger id."""
        first, second, third = (
            self._names.number("trigger"),
            self._names.number("trigger"),
            self._names.secret("trigger"),
        )
        trigger_id = f"{first}.{second}.{third}"
        until = self._moments.now() + GOOD_FOR_S
        self._given.give(trigger_id, Trigger(app_id, team_id, user_id, until, view_id))
        return trigger_id

    def redeem(self, trigger_id: str, app_id: str) -> Trigger:
        """What it stands for. It is used up by that."""
        trigger = self._given.get(trigger_id)
        if trigger is None or trigger.app_id != app_id:
            raise Refusal("invalid_trigger_id")
        if trigger.used:
            raise Refusal("exchanged_trigger_id")
        if trigger.until < self._moments.now():
            raise Refusal("expired_trigger_id")
        trigger.used = True
        return trigger

    def forget_all(self) -> None:
        """Forgets them."""
        self._given.forget_all()

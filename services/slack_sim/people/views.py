"""The views on people's screens: at most three modals on top of each other, and a home for each app."""

from typing import Any

from services.slack_sim.refusal import Refusal
from services.slack_sim.world.entities import Installation, View
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.names import Names
from services.slack_sim.world.world import World

HIGHEST_STACK = 3
CLOSED_KEPT = 1000


class Views:
    """Opens, stacks, changes and closes views."""

    def __init__(self, world: World, names: Names, moments: Moments) -> None:
        self._world, self._names, self._moments = world, names, moments

    def open(self, installation: Installation, user_id: str, body: dict[str, Any]) -> View:
        """A new view; a modal takes the place of what the same app had open."""
        if body["type"] == "modal":
            for view in self.stack(installation.app_id, user_id):
                self.close(view)
        view_id = self._names.id("V")
        view = View(
            view_id, installation.app_id, installation.team_id, user_id, self._hash(), body, view_id,
            external_id=body.get("external_id") or None,
        )  # fmt: skip
        self._world.keep(view)
        self._forget_closed()
        return view

    def push(self, below: View, body: dict[str, Any]) -> View:
        """A view on top of another."""
        if len(self.stack(below.app_id, below.user)) >= HIGHEST_STACK:
            raise Refusal("push_limit_reached")
        view = View(
            self._names.id("V"), below.app_id, below.team_id, below.user, self._hash(), body, below.root_id,
            previous_id=below.id, external_id=body.get("external_id") or None,
        )  # fmt: skip
        self._world.keep(view)
        return view

    def update(self, view: View, body: dict[str, Any]) -> View:
        """Shows something else in a view. What was put into inputs that stay is kept."""
        view.body, view.hash, view.errors = body, self._hash(), {}
        view.external_id = body.get("external_id") or None
        blocks = {block.get("block_id") for block in body["blocks"]}
        view.values = {block: values for block, values in view.values.items() if block in blocks}
        self._world.keep(view)
        return view

    def close(self, view: View) -> None:
        """Takes a view off the screen."""
        view.open = False
        self._world.keep(view)

    def stack(self, app_id: str, user_id: str) -> list[View]:
        """The modals that somebody has open of an app, the lowest first."""
        return [
            view
            for view in self._world.views.values()
            if view.open and view.app_id == app_id and view.user == user_id and view.body["type"] == "modal"
        ]

    def home(self, installation: Installation, user_id: str) -> View | None:
        """An app's home as somebody sees it."""
        for view in self._world.views.values():
            mine = (view.app_id, view.team_id, view.user) == (installation.app_id, installation.team_id, user_id)
            if mine and view.body["type"] == "home":
                return view
        return None

    def check_external_id(self, installation: Installation, body: dict[str, Any], but: View | None) -> None:
        """Refuses a name of the app's own that another open view has."""
        wanted = body.get("external_id")
        for view in self._world.views.values():
            taken = wanted and view.open and view.external_id == wanted and view is not but
            if taken and view.team_id == installation.team_id and view.app_id == installation.app_id:
                raise Refusal("duplicate_external_id")

    def _hash(self) -> str:
        return f"{self._moments.seconds()}.{self._names.secret('hash')[:8]}"

    def _forget_closed(self) -> None:
        closed = [view for view in self._world.views.values() if not view.open]
        for view in closed[:-CLOSED_KEPT]:
            self._world.forget(view)

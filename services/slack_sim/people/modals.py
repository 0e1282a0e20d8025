"""What people do in modals: fill in, submit, close; and what becomes of what the app answers to that."""

from collections.abc import Callable
from typing import Any

from services.slack_sim.delivery.delivery import Delivery
from services.slack_sim.people import inputs
from services.slack_sim.refusal import Refusal
from services.slack_sim.simulation import Simulation
from services.slack_sim.telling.interactions import Interactions
from services.slack_sim.web_api.views import checked_view
from services.slack_sim.world.entities import Installation, User, View

Json = dict[str, Any]

REQUIRED = "Please complete this required field."
TROUBLE = "We had some trouble connecting. Try again?"


class Modals:
    """Acts on modals on behalf of people."""

    def __init__(
        self, slack: Simulation, interactions: Interactions, app_in: Callable[[str, str], Installation]
    ) -> None:
        self._slack, self._interactions, self._app_in = slack, interactions, app_in

    def fill_in(self, view: View, action_id: str, value: Any, block_id: str | None = None) -> None:
        """Somebody puts something into a modal's input."""
        block, element = inputs.find(view.body["blocks"], action_id, block_id)
        self.keep_value(view, block, element, value)

    def keep_value(self, view: View, block: Json, element: Json, value: Any) -> None:
        """Takes note of what is chosen in a view."""
        if inputs.is_stateful(element):
            view.values.setdefault(block["block_id"], {})[element["action_id"]] = inputs.state_of(element, value)
            self._slack.world.keep(view)

    def submit(self, user: User, view: View) -> Delivery:
        """Somebody submits a modal."""
        if view.user != user.id:
            raise Refusal("view_not_found")
        installation = self._app_in(view.app_id, view.team_id)
        view.values = inputs.present(view.body["blocks"], view.values)
        view.errors = dict.fromkeys(inputs.missing(view.body["blocks"], view.values), REQUIRED)
        if view.errors:
            self._slack.world.keep(view)
            raise Refusal("required_input_missing")
        links = {"trigger_id": self._slack.triggers.give(view.app_id, view.team_id, user.id, view.id)}
        return self._interactions.submitted(
            installation, user, view, links, lambda _, answer: self._submitted(view, answer)
        )

    def _submitted(self, view: View, answer: Json | None) -> None:
        """Does what the app answered to a submission."""
        if answer is None:
            self._trouble(view)
            return
        views = self._slack.views
        try:
            match answer.get("response_action"):
                case None if not answer:
                    views.close(view)
                case "clear":
                    for each in views.stack(view.app_id, view.user):
                        views.close(each)
                case "errors":
                    self._show_errors(view, answer["errors"])
                case "update":
                    views.update(view, checked_view(answer.get("view"), {"modal"}))
                case "push":
                    views.push(view, checked_view(answer.get("view"), {"modal"}))
                case _:
                    self._trouble(view)
        except (Refusal, KeyError, AttributeError):
            self._trouble(view)  # the app hears nothing of it, as with Slack

    def _show_errors(self, view: View, errors: Json) -> None:
        inputs_there = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
        if not errors or not errors.keys() <= inputs_there:
            raise Refusal("invalid_arguments")
        view.errors = {name: str(text) for name, text in errors.items()}
        self._slack.world.keep(view)

    def _trouble(self, view: View) -> None:
        view.errors = {"": TROUBLE}
        self._slack.world.keep(view)

    def close(self, user: User, view: View, *, all_of_them: bool = False) -> None:
        """Somebody closes a modal, or all that are stacked."""
        views = self._slack.views
        closing = views.stack(view.app_id, view.user) if all_of_them else [view]
        for each in closing:
            views.close(each)
        if view.body.get("notify_on_close"):
            self._interactions.closed(self._app_in(view.app_id, view.team_id), user, view, cleared=all_of_them)

"""views.*: modals and homes."""

from services.slack_sim.refusal import Refusal
from services.slack_sim.telling.shapes import Json, view_shape
from services.slack_sim.web_api.call import Call, Method
from services.slack_sim.web_api.views import checked_view
from services.slack_sim.world.entities import View


def open_view(call: Call) -> Json:
    """views.open."""
    body = checked_view(call.args.object("view"), {"modal"})
    call.slack.views.check_external_id(call.installation, body, None)
    trigger = call.slack.triggers.redeem(call.args.needed("trigger_id"), call.installation.app_id)
    return _shown(call, call.slack.views.open(call.installation, trigger.user_id, body))


def push_view(call: Call) -> Json:
    """views.push: on top of the one that somebody acted in."""
    body = checked_view(call.args.object("view"), {"modal"})
    call.slack.views.check_external_id(call.installation, body, None)
    trigger = call.slack.triggers.redeem(call.args.needed("trigger_id"), call.installation.app_id)
    below = call.slack.world.views.get(trigger.view_id or "")
    if below is None or not below.open:
        raise Refusal("not_found")
    return _shown(call, call.slack.views.push(below, body))


def update_view(call: Call) -> Json:
    """views.update."""
    body = checked_view(call.args.object("view"), {"modal", "home"})
    view_id, external_id = call.args.text("view_id"), call.args.text("external_id")
    mine = (each for each in call.slack.world.views.values() if each.app_id == call.installation.app_id)
    mine = (each for each in mine if each.team_id == call.team_id and each.open)
    view = next(
        (each for each in mine if each.id == view_id or (external_id and each.external_id == external_id)), None
    )
    if view is None:
        raise Refusal("not_found")
    if body["type"] != view.body["type"]:
        raise Refusal("invalid_arguments", "[ERROR] a view stays what it is, modal or home [json-pointer:/view/type]")
    call.slack.views.check_external_id(call.installation, body, view)
    return _shown(call, _replaced(call, view, body))


def publish_view(call: Call) -> Json:
    """views.publish: an app's home, as one person sees it."""
    body = checked_view(call.args.object("view"), {"home"})
    user = call.slack.world.user(call.args.needed("user_id"), call.team_id)
    if user is None:
        raise Refusal("invalid_arguments", "[ERROR] invalid `user_id`")
    home = call.slack.views.home(call.installation, user.id)
    if home is None:
        return _shown(call, call.slack.views.open(call.installation, user.id, body))
    return _shown(call, _replaced(call, home, body))


def _replaced(call: Call, view: View, body: Json) -> View:
    if "hash" in call.args and call.args.text("hash") != view.hash:
        raise Refusal("hash_conflict")
    return call.slack.views.update(view, body)


def _shown(call: Call, view: View) -> Json:
    return {"view": view_shape(call.slack.world, view)}


METHODS = (
    Method("views.open", open_view, tier=4),
    Method("views.push", push_view, tier=4),
    Method("views.update", update_view, tier=4),
    Method("views.publish", publish_view, tier=4),
)

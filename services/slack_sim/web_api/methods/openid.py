"""openid.connect.*: Sign in with Slack."""

from services.slack_sim.refusal import Refusal
from services.slack_sim.telling.shapes import Json
from services.slack_sim.web_api.call import Call, Method


def token(call: Call) -> Json:
    """openid.connect.token: a code for a token that says who somebody is."""
    client_id, secret = call.basic or (call.args.text("client_id"), call.args.text("client_secret"))
    app = call.slack.installing.client(client_id, secret)
    if call.args.text("grant_type", "authorization_code") != "authorization_code":
        raise Refusal("invalid_grant_type")
    return call.slack.openid.exchange(app, call.args.text("code"), call.args.text("redirect_uri") or None)


def user_info(call: Call) -> Json:
    """openid.connect.userInfo: who that is."""
    return call.slack.openid.identity(call.token)


METHODS = (
    Method("openid.connect.token", token, token="none"),  # noqa: S106 - it names a kind of token
    Method("openid.connect.userInfo", user_info, token="none"),  # noqa: S106 - likewise: it is nobody's in the world
)

"""The names of the secrets that may be asked for. Everything else is a setting, or is nobody's business."""

from typing import Final, Literal, TypeAlias, get_args

SecretName: TypeAlias = Literal["slack_bot_token", "slack_app_token", "slack_gateway_signing_secret"]

NAMES: Final = frozenset(get_args(SecretName))
"""Frozen: the gateway's side and ours both know these three, and a test pins both."""

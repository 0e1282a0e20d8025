"""Signing what a tenant's programs are asked: each tenant has a key of its own, which follows from the operator's."""

import hashlib
import hmac
from datetime import datetime

from pydantic import SecretStr

SIGNATURE, TIMESTAMP = "X-Threadline-Signature", "X-Threadline-Timestamp"
VERSION = "v1"


def key_of(operators_key: SecretStr, tenant_id: str) -> SecretStr:
    """What one tenant's programs check with. Nobody finds another tenant's from it."""
    made = hmac.new(operators_key.get_secret_value().encode(), f"tools:{tenant_id}".encode(), hashlib.sha256)
    return SecretStr(made.hexdigest())


def signed(key: SecretStr, body: bytes, at: datetime) -> dict[str, str]:
    """The headers that prove a request: who checks them refuses what is older than five minutes."""
    moment = str(int(at.timestamp()))
    made = hmac.new(key.get_secret_value().encode(), f"{VERSION}:{moment}:".encode() + body, hashlib.sha256)
    return {TIMESTAMP: moment, SIGNATURE: f"{VERSION}={made.hexdigest()}"}

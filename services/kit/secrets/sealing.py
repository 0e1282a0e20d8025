"""Sealing secrets at rest: with a key that rotates, and for one purpose each, so that no sealed value can be moved."""

import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr
from typing_extensions import override

from services.kit.fault import Fault
from services.kit.groups import SecretSettings

NEW_KEY = "`threadline secrets new-key` makes one"


class CannotOpen(Fault):
    """A sealed value was sealed with a key that is not here, for something else, or was changed."""


class WrongKeys(Fault):
    """The sealing keys are missing, or are none."""


class Sealer:
    """Seals with the first key, opens with any: put a new key first, reseal, and the old ones can go."""

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._ring = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise WrongKeys(f"THREADLINE_SEALING_KEYS: not every one of its keys is a key; {NEW_KEY}") from None

    @classmethod
    def of(cls, settings: SecretSettings) -> "Sealer":
        """With the keys that the settings name."""
        given = settings.sealing_keys
        keys = [key.strip() for key in given.get_secret_value().split(",") if key.strip()] if given else []
        if not keys:
            raise WrongKeys(f"THREADLINE_SEALING_KEYS is not set, and nothing can be kept sealed without it; {NEW_KEY}")
        return cls(keys)

    def seal(self, secret: SecretStr, purpose: str) -> bytes:
        """The secret as it may be stored."""
        return self._ring.encrypt(json.dumps([purpose, secret.get_secret_value()]).encode())

    def open(self, sealed: bytes, purpose: str) -> SecretStr:
        """The secret again. It opens only for the purpose that it was sealed for."""
        try:
            sealed_for, secret = json.loads(self._ring.decrypt(sealed))
        except (InvalidToken, ValueError):
            raise CannotOpen(
                f"the sealed {purpose} does not open: the key that sealed it is not in THREADLINE_SEALING_KEYS, or it "
                "was changed. Put the old key back behind the new one; otherwise it must be given anew"
            ) from None
        if sealed_for != purpose:
            raise CannotOpen(f"the sealed {purpose} was sealed for something else: it was moved. It must be given anew")
        return SecretStr(secret)

    def reseal(self, sealed: bytes, what: str) -> bytes:
        """The same secret, sealed with the first key. `what` it is, for people."""
        try:
            return self._ring.rotate(sealed)
        except InvalidToken:
            raise CannotOpen(
                f"the sealed {what} does not open: the key that sealed it is not in THREADLINE_SEALING_KEYS. Put the "
                "old key back behind the new one. Nothing was sealed anew"
            ) from None

    @override
    def __repr__(self) -> str:
        return "Sealer()"


def new_key() -> str:
    """A key that nobody has."""
    return Fernet.generate_key().decode()

"""Sign in with Slack: codes, and the tokens that say who somebody is."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from services.slack_sim.given_out import GivenOut
from services.slack_sim.refusal import Refusal
from services.slack_sim.world.entities import App, User
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.names import Names
from services.slack_sim.world.world import World

ISSUER = "https://slack.com"
SCOPES = ("openid", "email", "profile")
CODE_S, ID_S = 600.0, 300.0
KEY_BITS, KEY_ID = 2048, "simulated"
FOREVER_S = 10.0**9


@dataclass
class Consent:
    """Somebody who said who they are, to one app."""

    app_id: str
    user_id: str
    scopes: list[str]
    redirect_uri: str | None
    nonce: str | None
    until: float


class OpenId:
    """Gives out codes, and tells who somebody is."""

    def __init__(self, world: World, names: Names, moments: Moments) -> None:
        self._world, self._names, self._moments = world, names, moments
        self._codes = GivenOut[Consent](moments)
        self._tokens = GivenOut[Consent](moments)
        self._own_key: rsa.RSAPrivateKey | None = None

    def allow(self, consent: Consent) -> str:
        """Somebody lets an app know who they are. Gives the code that it asks with."""
        code = f"{self._names.number('code')}.{self._names.number('code')}.{self._names.secret('code')}"
        consent.until = self._moments.now() + CODE_S
        self._codes.give(code, consent)
        return code

    def exchange(self, app: App, code: str, redirect_uri: str | None) -> dict[str, Any]:
        """What openid.connect.token answers. A code is good once."""
        consent = self._codes.get(code)
        if consent is None or consent.app_id != app.id or consent.until <= self._moments.now():
            raise Refusal("invalid_code")
        if consent.redirect_uri != redirect_uri:
            raise Refusal("bad_redirect_uri")
        self._codes.take_back(code)
        token = f"xoxp-{self._names.number('token')}-{self._names.secret('token')[:24]}"
        consent.until = self._moments.now() + FOREVER_S
        self._tokens.give(token, consent)
        return {"access_token": token, "token_type": "Bearer", "id_token": self._id_token(app, consent)}

    def identity(self, token: str) -> dict[str, Any]:
        """What openid.connect.userInfo answers."""
        if not token:
            raise Refusal("not_authed")
        consent = self._tokens.get(token)
        if consent is None:
            raise Refusal("invalid_auth")
        return self._claims(consent)

    def keys(self) -> dict[str, Any]:
        """The key that id tokens are signed with."""
        numbers = self._key().public_key().public_numbers()
        modulus, exponent = (_encoded(each.to_bytes((each.bit_length() + 7) // 8)) for each in (numbers.n, numbers.e))
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": modulus, "e": exponent}]}

    def forget_all(self) -> None:
        """Forgets the codes and the tokens."""
        self._codes.forget_all()
        self._tokens.forget_all()

    def _claims(self, consent: Consent) -> dict[str, Any]:
        user: User = self._world.users[consent.user_id]
        team = self._world.workspaces[user.team_id]
        found: dict[str, Any] = {
            "sub": user.id,
            f"{ISSUER}/user_id": user.id,
            f"{ISSUER}/team_id": team.id,
            f"{ISSUER}/team_name": team.name,
            f"{ISSUER}/team_domain": team.domain,
        }
        if team.enterprise_id is not None:
            found[f"{ISSUER}/enterprise_id"] = team.enterprise_id
        if "profile" in consent.scopes:
            found |= {"name": user.real_name, "locale": "en-US"}
        if "email" in consent.scopes:
            found |= {"email": user.email, "email_verified": True}
        return found

    def _id_token(self, app: App, consent: Consent) -> str:
        now = int(self._moments.now())
        said = {"iss": ISSUER, "aud": app.client_id, "iat": now, "exp": now + int(ID_S), "auth_time": now}
        nonce = {} if consent.nonce is None else {"nonce": consent.nonce}
        head = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
        begun = ".".join(
            _encoded(json.dumps(each).encode()) for each in (head, {**said, **nonce, **self._claims(consent)})
        )
        return f"{begun}.{_encoded(self._key().sign(begun.encode(), padding.PKCS1v15(), SHA256()))}"

    def _key(self) -> rsa.RSAPrivateKey:
        """Made when somebody first signs in: it takes a while."""
        if self._own_key is None:
            self._own_key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        return self._own_key


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

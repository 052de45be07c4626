"""Vault with its AWS engine, as their documentation has them; the users and keys are moto's.

OpenBao has no AWS engine, so tokens and leases are played here: a lease belongs to the token that
asked for it and ends with it; ending takes the IAM user away. `later` lets time pass. What a policy
does not allow is 403, as Vault says it; an empty policy is root's.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.integration.moto_server import Moto
from tests.standin_http import Answer, Asked, Standin

ROOT = "s.root"
_MAX = 32 * 24 * 3600  # Vault's own limit, where nobody tuned it
_DENIED: Answer = (403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]})
_TOKENS = "/v1/auth/token/"
_LEASES = "/v1/sys/leases/"
_CREDS = "/v1/aws/creds/"
_STATIC = "/v1/aws/static-creds/"


@dataclass
class Role:
    """A role of the engine: what it makes, and how long that may last, in seconds."""

    type: str = "iam_user"
    lease: int = 3600
    most: int = _MAX


@dataclass
class Token:
    accessor: str
    ends: float
    policy: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass
class Lease:
    accessor: str
    user: str
    began: float
    ends: float
    role: Role


class VaultAws(Standin):
    def __init__(self, moto: Moto) -> None:
        super().__init__()
        self._iam = moto.client("iam")
        self.roles: dict[str, Role] = {}
        self.static: dict[str, str] = {}
        self.shown: dict[str, dict[str, str]] = {}
        self.tokens = {ROOT: Token("root", float("inf"))}
        self.leases: dict[str, Lease] = {}
        self.ahead = 0.0

    def later(self, seconds: float) -> None:
        """Let time pass: what ends meanwhile is taken away."""
        self.ahead += seconds
        self._end()

    def token_for(self, policy: Mapping[str, list[str]]) -> str:
        """Return a token that may do what a policy says, by path."""
        token = f"s.{secrets.token_hex(12)}"
        self.tokens[token] = Token(secrets.token_hex(8), self._now() + _MAX, policy)
        return token

    def users(self) -> list[str]:
        """Return the IAM users that the engine made and that are there still."""
        found = self._iam.list_users()["Users"]
        return [each["UserName"] for each in found if each["UserName"].startswith("vault-")]

    def accepts(self, id_: str) -> bool:
        """Tell whether AWS knows an access key, of whomever."""
        every = [each["UserName"] for each in self._iam.list_users()["Users"]]
        return any(id_ in self._keys(user) for user in every)

    def serve_static(self, name: str, user: str) -> None:
        """Take an IAM user over for a static role."""
        self._iam.create_user(UserName=user)
        self.static[name] = user
        self.rotate_static(name)

    def rotate_static(self, name: str) -> None:
        """Do what the engine does when a rotation period is over."""
        user = self.static[name]
        for id_ in self._keys(user):
            self._iam.delete_access_key(UserName=user, AccessKeyId=id_)
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._now() + 86400))
        self.shown[name] = {**self._new_key(user), "expiration": ends}

    def route(self, asked: Asked) -> Answer:
        self._end()
        token = self.tokens.get(asked.headers.get("x-vault-token", ""))
        if token is None:
            return _DENIED
        path = asked.path.removeprefix("/v1/")
        if path == "auth/token/lookup-self":
            return 200, {"data": self._of_token(token)}
        if path == "sys/capabilities-self":
            return 200, {"data": {each: self._may(token, each) for each in asked.body["paths"]}}
        needed = "read" if asked.method == "GET" else "update"
        if not {needed, "root"} & set(self._may(token, path)):
            return _DENIED
        return self._routed(asked, token)

    def _routed(self, asked: Asked, token: Token) -> Answer:
        if asked.path.startswith(_CREDS):
            return self._make(asked.path.removeprefix(_CREDS), token)
        if asked.path.startswith(_STATIC):
            shown = self.shown.get(asked.path.removeprefix(_STATIC))
            return (200, {"data": shown}) if shown else (404, {"errors": []})
        if asked.path.startswith(_LEASES):
            return self._of_lease(asked.path.removeprefix(_LEASES), asked.body)
        if asked.path.startswith(_TOKENS):
            return self._of_tokens(asked.path.removeprefix(_TOKENS), asked.body)
        return 404, {"errors": ["no handler for route"]}

    def _make(self, name: str, token: Token) -> Answer:
        role = self.roles.get(name)
        if role is None:
            return 400, {"errors": [f'Role "{name}" not found']}
        user = f"vault-{name}-{secrets.token_hex(6)}"
        data: dict[str, Any] = {"access_key": f"ASIA{secrets.token_hex(8).upper()}"}
        data |= {"secret_key": secrets.token_hex(20), "security_token": secrets.token_hex(40)}
        if role.type == "iam_user":
            self._iam.create_user(UserName=user)
            data = {**self._new_key(user), "security_token": None}
        id_, now = f"aws/creds/{name}/{secrets.token_urlsafe(18)}", self._now()
        self.leases[id_] = Lease(token.accessor, user, now, now + role.lease, role)
        renewable = role.type == "iam_user"
        lease = {"lease_id": id_, "renewable": renewable, "lease_duration": role.lease}
        return 200, {**lease, "data": data}

    def _of_lease(self, what: str, body: Mapping[str, Any]) -> Answer:
        id_ = body["lease_id"]
        lease = self.leases.get(id_)
        if what == "revoke":
            self._revoke(id_)
            return 204, {}
        if lease is None:
            return 400, {"errors": ["invalid lease" if what == "lookup" else "lease not found"]}
        if what == "renew":
            if lease.role.type != "iam_user":
                return 400, {"errors": ["lease is not renewable"]}
            most = lease.began + lease.role.most
            lease.ends = min(self._now() + int(body["increment"]), most)
        seconds = int(lease.ends - self._now())
        if what == "lookup":
            return 200, {"data": {"id": id_, "ttl": seconds}}
        return 200, {"lease_id": id_, "renewable": True, "lease_duration": seconds}

    def _of_tokens(self, what: str, body: Mapping[str, Any]) -> Answer:
        if what == "create":
            name = f"s.{secrets.token_hex(12)}"
            made = Token(secrets.token_hex(8), self._now() + float(body["ttl"].rstrip("s")))
            self.tokens[name] = made
            return 200, {"auth": {"client_token": name, **self._of_token(made)}}
        found = [name for name, each in self.tokens.items() if each.accessor == body["accessor"]]
        if not found:
            return 400, {"errors": ["invalid accessor"]}
        token = self.tokens[found[0]]
        if what == "revoke-accessor":
            self._forget(found[0])
            return 204, {}
        if what == "renew-accessor":
            token.ends = self._now() + int(body["increment"])
            return 200, {"auth": self._of_token(token)}
        return 200, {"data": self._of_token(token)}

    def _of_token(self, token: Token) -> dict[str, Any]:
        left = 0 if token.ends == float("inf") else round(token.ends - self._now())
        return {"accessor": token.accessor, "ttl": left, "lease_duration": left, "renewable": True}

    def _may(self, token: Token, path: str) -> list[str]:
        return list(token.policy.get(path, ["deny"])) if token.policy else ["root"]

    def _end(self) -> None:
        for name in [name for name, each in self.tokens.items() if each.ends < self._now()]:
            self._forget(name)
        for id_ in [id_ for id_, each in self.leases.items() if each.ends < self._now()]:
            self._revoke(id_)

    def _forget(self, name: str) -> None:
        accessor = self.tokens.pop(name).accessor
        for id_ in [id_ for id_, each in self.leases.items() if each.accessor == accessor]:
            self._revoke(id_)

    def _revoke(self, id_: str) -> None:
        lease = self.leases.pop(id_, None)
        if lease is None or lease.role.type != "iam_user":
            return  # AWS has no way to end a key of STS
        for key in self._keys(lease.user):
            self._iam.delete_access_key(UserName=lease.user, AccessKeyId=key)
        self._iam.delete_user(UserName=lease.user)

    def _new_key(self, user: str) -> dict[str, str]:
        made = self._iam.create_access_key(UserName=user)["AccessKey"]
        return {"access_key": made["AccessKeyId"], "secret_key": made["SecretAccessKey"]}

    def _keys(self, user: str) -> list[str]:
        found = self._iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        return [each["AccessKeyId"] for each in found]

    def _now(self) -> float:
        return time.time() + self.ahead

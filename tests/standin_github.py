"""GitHub's REST API as its documentation has it: an App's installation, and deploy keys."""

from __future__ import annotations

import base64
import json
import re
import secrets
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.standin_http import Answer, Asked, Standin, now

APP, INSTALLATION, REPOSITORY, ADMIN = "12345", "678", "ada/shop", "ghp_" + "a" * 36
_APP = f"/app/installations/{INSTALLATION}"
_KEYS = f"/repos/{REPOSITORY}/keys"


class Github(Standin):
    def __init__(self) -> None:
        super().__init__()
        self._key = rsa.generate_private_key(65537, 2048)
        self.tokens: dict[str, dict[str, Any]] = {}
        self.keys: dict[int, dict[str, Any]] = {}
        self.permissions = {"contents": "write", "metadata": "read"}
        self.suspended = False

    @property
    def pem(self) -> bytes:
        """The App's private key, as GitHub gives it: PKCS #1."""
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )

    def add_token(self) -> str:
        token = f"ghs_{secrets.token_hex(18)}"
        self.tokens[token] = {}
        return token

    def add_key(self, public: str) -> None:
        self.keys[len(self.keys) + 1] = {"key": public, "title": "a person's", "read_only": True}

    def route(self, asked: Asked) -> Answer:
        if asked.path.startswith("/app/"):
            return self._of_app(asked) if self._is_app(asked.bearer) else _error(401)
        if asked.path in ("/installation/repositories", "/installation/token"):
            return self._of_token(asked)
        if asked.bearer != ADMIN:
            return _error(401)
        return self._of_repository(asked)

    def _of_app(self, asked: Asked) -> Answer:
        if (asked.method, asked.path) == ("GET", _APP):
            suspended = "2026-01-01T00:00:00Z" if self.suspended else None
            return 200, {"id": 678, "permissions": self.permissions, "suspended_at": suspended}
        if (asked.method, asked.path) != ("POST", f"{_APP}/access_tokens"):
            return _error(404)
        wanted = asked.body.get("permissions") or self.permissions
        if not set(wanted) <= set(self.permissions):
            return _error(422)
        token = self.add_token()
        self.tokens[token] = dict(asked.body)
        return 201, {"token": token, "expires_at": "2026-11-20T13:00:00Z", "permissions": wanted}

    def _of_token(self, asked: Asked) -> Answer:
        if asked.bearer not in self.tokens:
            return _error(401)
        if asked.method == "DELETE":
            del self.tokens[asked.bearer]
            return 204, {}
        return 200, {"total_count": 0, "repositories": []}

    def _of_repository(self, asked: Asked) -> Answer:
        if (asked.method, asked.path) == ("GET", _KEYS):
            size, page = int(asked.query["per_page"]), int(asked.query["page"])
            every = [{"id": id_, **key} for id_, key in self.keys.items()]
            return 200, every[(page - 1) * size : page * size]  # type: ignore[return-value]
        if (asked.method, asked.path) == ("POST", _KEYS):
            if any(
                key["key"].split()[1] == asked.body["key"].split()[1] for key in self.keys.values()
            ):
                return _error(422)  # key is already in use
            id_ = max(self.keys, default=0) + 1
            self.keys[id_] = {**asked.body, "key": " ".join(asked.body["key"].split()[:2])}
            return 201, {"id": id_, **self.keys[id_]}
        match = re.fullmatch(re.escape(_KEYS) + r"/(\d+)", asked.path)
        if asked.method == "DELETE" and match and self.keys.pop(int(match[1]), None):
            return 204, {}
        return _error(404)

    def _is_app(self, jwt: str) -> bool:
        """Check the App's proof as GitHub says it does: RS256, at most ten minutes."""
        try:
            head, claims, signature = jwt.split(".")
            signed = f"{head}.{claims}".encode()
            public = self._key.public_key()
            public.verify(_decoded(signature), signed, padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature):
            return False
        found, kind = json.loads(_decoded(claims)), json.loads(_decoded(head))
        lives = found["exp"] - now()
        good = kind == {"alg": "RS256", "typ": "JWT"} and found["iss"] == APP
        return bool(good and 0 < lives <= 600)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _error(status: int) -> Answer:
    return status, {"message": "hunter2", "documentation_url": "https://docs.github.com/rest"}

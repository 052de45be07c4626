"""Slack's Web API as its documentation has it: tokens that are refreshed, each refresh once."""

from __future__ import annotations

import secrets

from tests.standin_http import Answer, Asked, Standin

CLIENT, SECRET = "123.456", "c" * 32


class Slack(Standin):
    def __init__(self) -> None:
        super().__init__()
        self.tokens: set[str] = set()
        self.refreshes: set[str] = set()

    def add(self) -> tuple[str, str]:
        token, refresh = f"xoxe.xoxb-1-{secrets.token_hex(20)}", f"xoxe-1-{secrets.token_hex(20)}"
        self.tokens.add(token)
        self.refreshes.add(refresh)
        return token, refresh

    def route(self, asked: Asked) -> Answer:
        if asked.path == "/api/auth.test":
            good = asked.bearer in self.tokens
            return 200, {"ok": True, "team": "t"} if good else _error("invalid_auth")
        if asked.path == "/api/tooling.tokens.rotate":
            return 200, self._refreshed(asked, "token")
        if asked.path == "/api/oauth.v2.access":
            if (asked.body.get("client_id"), asked.body.get("client_secret")) != (CLIENT, SECRET):
                return 200, _error("bad_client_secret")
            if asked.body.get("grant_type") != "refresh_token":
                return 200, _error("invalid_grant_type")
            return 200, self._refreshed(asked, "access_token")
        return 404, {}

    def _refreshed(self, asked: Asked, name: str) -> dict[str, object]:
        given = str(asked.body.get("refresh_token"))
        if given not in self.refreshes:
            return _error("invalid_refresh_token")
        self.refreshes.remove(given)
        token, refresh = self.add()
        return {"ok": True, name: token, "refresh_token": refresh, "expires_in": 43200}


def _error(code: str) -> dict[str, object]:
    return {"ok": False, "error": code, "hunter2": "hunter2"}

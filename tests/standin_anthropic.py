"""Anthropic's Admin API as its reference has it: keys are listed and disabled, and never made."""

from __future__ import annotations

import secrets
from typing import Any

from tests.standin_http import Answer, Asked, Standin

ADMIN = "sk-ant-admin01-" + "a" * 80
_KEYS = "/v1/organizations/api_keys"
_PAGE = 2  # so few, that a list has pages


class Anthropic(Standin):
    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, dict[str, Any]] = {}

    def add(self, value: str = "") -> str:
        """Make a key, as a person does in the Console."""
        value = value or f"sk-ant-api03-{secrets.token_urlsafe(70)}AA"
        self.keys[f"apikey_{secrets.token_hex(8)}"] = {"value": value, "status": "active"}
        return value

    def accepts(self, value: str) -> bool:
        return any((key["value"], key["status"]) == (value, "active") for key in self.keys.values())

    def route(self, asked: Asked) -> Answer:
        given = asked.headers.get("x-api-key", "")
        if "anthropic-version" not in asked.headers:
            return _error(400)
        if asked.path == "/v1/models":
            return (200, {"data": []}) if self.accepts(given) else _error(401)
        if given != ADMIN:
            return _error(401)
        if (asked.method, asked.path) == ("GET", _KEYS):
            return self._list(asked)
        id_ = asked.path.removeprefix(f"{_KEYS}/")
        if asked.method == "POST" and id_ in self.keys:
            self.keys[id_]["status"] = asked.body["status"]
            return 200, self._shown(id_)
        return _error(404)

    def _list(self, asked: Asked) -> Answer:
        wanted = asked.query.get("status")
        ids = [id_ for id_, key in self.keys.items() if wanted in (None, key["status"])]
        after = asked.query.get("after_id", "")
        start = ids.index(after) + 1 if after in ids else 0
        page = ids[start : start + _PAGE]
        more = start + _PAGE < len(ids)
        last = page[-1] if page else None
        return 200, {"data": [self._shown(id_) for id_ in page], "has_more": more, "last_id": last}

    def _shown(self, id_: str) -> dict[str, Any]:
        value, status = self.keys[id_]["value"], self.keys[id_]["status"]
        hint = f"{value[:16]}...{value[-4:]}"
        return {"type": "api_key", "id": id_, "partial_key_hint": hint, "status": status}


def _error(status: int) -> Answer:
    return status, {"type": "error", "error": {"type": "x", "message": "hunter2"}}

"""OpenAI's Admin API as its reference has it: the keys of a project, and who may see them."""

from __future__ import annotations

import re
import secrets
from typing import Any

from tests.standin_http import Answer, Asked, Standin, now

ADMIN = "sk-admin-" + "a" * 40
PROJECT, ACCOUNT = "proj_abc", "svc_acct_abc"
_KEYS = f"/v1/organization/projects/{PROJECT}/api_keys"
_ACCOUNT = f"/v1/organization/projects/{PROJECT}/service_accounts/{ACCOUNT}"
_PAGE = 2  # so few, that a list has pages


class Openai(Standin):
    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, dict[str, Any]] = {}
        self.unknown_for = 0  # requests until a key that was made is known

    def add(self, name: str, value: str = "") -> tuple[str, str]:
        """Make a key as a person would; return its id and its value."""
        value = value or f"sk-svcacct-{secrets.token_urlsafe(48)}"
        id_ = f"key_{secrets.token_hex(8)}"
        self.keys[id_] = {"value": value, "name": name, "created_at": now()}
        return id_, value

    def accepts(self, value: str) -> bool:
        return any(key["value"] == value for key in self.keys.values())

    def route(self, asked: Asked) -> Answer:
        if (asked.method, asked.path) == ("GET", "/v1/models"):
            self.unknown_for -= 1
            if self.unknown_for < 0 and self.accepts(asked.bearer):
                return 200, {"object": "list", "data": []}
            return _error(401, "invalid_api_key")
        if asked.bearer != ADMIN:
            return _error(401, "invalid_api_key")
        if (asked.method, asked.path) == ("GET", _KEYS):
            return self._list(asked.query.get("after", ""))
        if (asked.method, asked.path) == ("GET", _ACCOUNT):
            shown = {"object": "organization.project.service_account", "id": ACCOUNT}
            return 200, {**shown, "name": "ci", "role": "member", "created_at": now()}
        if (asked.method, asked.path) == ("POST", f"{_ACCOUNT}/api_keys"):
            id_, value = self.add(str(asked.body.get("name", "")))
            self.keys[id_]["scopes"] = asked.body.get("scopes")
            made = {"object": "organization.project.service_account.api_key", "id": id_}
            return 200, {**made, "value": value, "name": self.keys[id_]["name"]}
        match = re.fullmatch(re.escape(_KEYS) + r"/(\w+)", asked.path)
        if asked.method == "DELETE" and match and match[1] in self.keys:
            del self.keys[match[1]]
            gone = {"object": "organization.project.api_key.deleted", "id": match[1]}
            return 200, {**gone, "deleted": True}
        return _error(404, "not_found")

    def _list(self, after: str) -> Answer:
        ids = list(self.keys)
        start = ids.index(after) + 1 if after in ids else 0
        page = ids[start : start + _PAGE]
        data = [self._shown(id_) for id_ in page]
        more = start + _PAGE < len(ids)
        last = page[-1] if page else None
        return 200, {"object": "list", "data": data, "last_id": last, "has_more": more}

    def _shown(self, id_: str) -> dict[str, Any]:
        key = self.keys[id_]
        return {
            "object": "organization.project.api_key",
            "id": id_,
            "name": key["name"],
            "redacted_value": f"{key['value'][:8]}...{key['value'][-4:]}",
            "created_at": key["created_at"],
            "owner": {"type": "service_account", "service_account": {"id": ACCOUNT}},
        }


def _error(status: int, code: str) -> Answer:
    return status, {"error": {"message": "hunter2", "type": "x", "code": code}}

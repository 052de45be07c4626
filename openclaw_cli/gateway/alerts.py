"""The three alerts that people expect, and who is told of them.

`concurrency`: an agent above 90 % of its limit for 30 s; `unexpected_access`: a secret was asked
for by an agent that was not granted it, or read from where it is not expected; `rotation_failed`.
The rules are pure: they take what is known and the time. `prometheus.py` has the same as a file.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openclaw_cli.agents.spec import Monitoring
from openclaw_cli.audit.sinks import webhook
from openclaw_cli.errors import OpenclawError

CONCURRENCY = "concurrency"
UNEXPECTED = "unexpected_access"
ROTATION = "rotation_failed"
RULES = (CONCURRENCY, UNEXPECTED, ROTATION)

KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "OPENCLAW_STATE_DIR")
"""What of the gateway's environment the command is given: it may hold keys, and is not its own."""

REMEMBERED = 300.0
"""Seconds after which an unexpected access is no reason for an alert any more."""

COMMAND_SECONDS = 30.0

MEANING = {
    CONCURRENCY: "an agent is close to its concurrency limit",
    UNEXPECTED: "a secret was asked for by an agent or from a place that is not expected",
    ROTATION: "the rotation of a secret failed",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What the rules look at: shares of concurrency, unexpected accesses, failed rotations.

    `unexpected` are times in seconds since 1970 by what happened.
    """

    load: Mapping[str, float] = field(default_factory=dict)
    unexpected: Mapping[str, float] = field(default_factory=dict)
    failed: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """An alert that begins, or is over; `about` are agents, secrets, or what happened."""

    rule: str
    active: bool
    about: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return {
            "alert": self.rule,
            "state": "firing" if self.active else "resolved",
            "about": list(self.about),
            "meaning": MEANING[self.rule],
        }


class Alerts:
    """What is wrong now, by rule."""

    def __init__(self, wanted: Monitoring) -> None:
        self.wanted = wanted
        self.active: dict[str, tuple[str, ...]] = dict.fromkeys(RULES, ())
        self._above: dict[str, float] = {}

    def judge(self, known: Known, now: float) -> list[Change]:
        """Return what has changed by what is known now."""
        found = {
            CONCURRENCY: self._loaded(known.load, now),
            UNEXPECTED: sorted(
                what for what, at in known.unexpected.items() if now - at < REMEMBERED
            ),
            ROTATION: sorted(known.failed),
        }
        changes = []
        for rule, about in found.items():
            if tuple(about) == self.active[rule]:
                continue
            more = set(about) - set(self.active[rule])
            self.active[rule] = tuple(about)
            if more or not about:
                changes.append(Change(rule, bool(about), tuple(about)))
        return changes

    def _loaded(self, load: Mapping[str, float], now: float) -> list[str]:
        above = {agent for agent, share in load.items() if share > self.wanted.concurrency}
        self._above = {agent: self._above.get(agent, now) for agent in above}
        since = now - self.wanted.concurrency_for
        return sorted(agent for agent, begun in self._above.items() if begun <= since)


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.defpath, **{name: environ[name] for name in KEPT if name in environ}}


def tell(wanted: Monitoring, change: Change) -> list[str]:
    """Tell the command and the webhook of the settings; return what went wrong, in our words."""
    body = json.dumps(change.plain()).encode()
    wrong = []
    if wanted.command:
        try:
            done = subprocess.run(  # noqa: S603  the settings' own
                wanted.command,
                input=body,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=COMMAND_SECONDS,
                check=False,
                env={**_environ(os.environ), "OPENCLAW_ALERT": change.rule},
            )
            if done.returncode:
                wrong.append(f"the alert's command ended with status {done.returncode}")
        except subprocess.TimeoutExpired:
            wrong.append(f"the alert's command took more than {COMMAND_SECONDS:g} s")
        except OSError as refused:
            reason = os.strerror(refused.errno or 0).lower()
            wrong.append(f"the alert's command cannot be started: {reason}")
    if wanted.webhook:
        try:
            webhook.post(wanted.webhook, body, "application/json")
        except OpenclawError as refused:
            wrong.append(refused.message)
    return wrong

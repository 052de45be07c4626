"""What the gateway knows beyond its own agents: the trail as it grows, the secrets' health, alerts.

Looked at every few seconds, in a thread; `/metrics`, the status page and the alerts show the last
look. The trail has what every command did, so that counts are right whoever read a secret.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from openclaw_cli.audit import event as events
from openclaw_cli.audit import follow, shipping
from openclaw_cli.audit.reading import Reading
from openclaw_cli.audit.sinks.address import shown
from openclaw_cli.audit.trail import REVEAL
from openclaw_cli.errors import OpenclawError
from openclaw_cli.gateway import alerts, secret_health
from openclaw_cli.gateway.alerts import Alerts, Change, Known

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from openclaw_cli.gateway.core import Gateway

EVERY = 5.0
"""Seconds between two looks."""
HEALTH_EVERY = 10.0
HISTORY = 360
"""Looks that are kept for the page: half an hour."""

UNKNOWN = "(unknown)"
"""What all names are counted as that no secret has: an agent can ask for any number of them."""
TOLD = 100
"""Names and who asked for them that an alert tells; of more it says that there were."""

ACCESS = "access-count"
STATUS = "rotation-status"
RISK = "exposure-risk"

_PREFIX = "openclaw_secrets"


class Observing:
    """Everything that is looked at, and the last that was seen of it."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._place: follow.Place | None = None
        self._health_at = 0.0
        self.began = time.time()
        self.alerts = Alerts(gateway.configuration.monitoring)
        self.history: deque[dict[str, Any]] = deque(maxlen=HISTORY)
        self.secrets: list[dict[str, Any]] = []
        self.trouble = ""
        self.reads: Counter[tuple[str, str]] = Counter()
        self.unexpected: Counter[str] = Counter()
        self._unexpected_at: dict[str, float] = {}
        self._names: set[str] = set()
        self.shipped: dict[str, str] = {}

    async def look(self) -> None:
        """Look once, and tell of alerts that began or ended."""
        gateway = self._gateway
        now = time.time()
        pools = gateway.supervisor.pools
        active = {name: pool.room.taken for name, pool in pools.items()}
        self.history.append({"at": round(now, 1), "active": active})
        await asyncio.to_thread(self._look, now)
        load = {
            name: taken / max(1, pools[name].spec.concurrency)
            for name, taken in active.items()
            if name in pools  # a reload in between may have taken one away
        }
        failed = [each["name"] for each in self.secrets if each["rotation"] == "failed"]
        self.alerts.wanted = gateway.configuration.monitoring
        for change in self.alerts.judge(Known(load, self._unexpected_at, failed), now):
            self._tell(change)

    def plain(self) -> dict[str, Any]:
        """Return what the page shows of it."""
        return {
            "history": list(self.history),
            "secrets": self.secrets,
            "trouble": self.trouble or None,
            "alerts": {rule: list(about) for rule, about in self.alerts.active.items() if about},
            "copies": self._copies(),
        }

    def _copies(self) -> dict[str, str]:
        """Say how each place for copies is; of two that are shown alike, what is wrong counts."""
        by_worth = sorted(self.shipped.items(), key=lambda each: each[1] != "ok")
        return {shown(address): state for address, state in by_worth}

    def _tell(self, change: Change) -> None:
        gateway = self._gateway
        plain = change.plain()
        gateway.watch.happened("alert", "", **plain)

        async def told() -> None:
            wanted = gateway.configuration.monitoring
            for wrong in await asyncio.to_thread(alerts.tell, wanted, change):
                gateway.watch.happened("alert_untold", "", rule=change.rule, error=wrong)

        gateway.soon(told())

    def _look(self, now: float) -> None:
        """Read what is new; a store or trail that cannot be read is said, and looked at again."""
        try:
            self._read_trail(now)
            self._ship()
            if now >= self._health_at:
                began = time.monotonic()
                secrets = self._gateway.secrets()
                self.secrets = secret_health.rows(secrets, self._gateway.settings, now)
                self._names.update(each["name"] for each in self.secrets)
                # Ten thousand secrets take a while: never more than a fiftieth of the time.
                took = time.monotonic() - began
                self._health_at = now + max(HEALTH_EVERY, 50 * took)
            self.trouble = ""
        except OpenclawError as refused:
            self.trouble = refused.message

    def _read_trail(self, now: float) -> None:
        audit = self._gateway.home.audit
        try:
            if self._place is None:
                with Reading(audit) as reading:
                    self._place = follow.end(reading)
            for line, place in follow.lines_after(audit, self._place):
                self._place = place
                event = events.read(line)
                if event is None:
                    self.unexpected["(unreadable)"] += 1  # no secret is called so
                    self._unexpected_at["a line of the trail that cannot be read"] = now
                else:
                    self._count(event, now)
        except FileNotFoundError:
            self._place = (0, 0)  # there is no trail yet, and the first record counts

    def _count(self, event: events.Event, now: float) -> None:
        if event.kind == REVEAL:
            outcome = event.outcome or "ok"
            if outcome == "ok":
                self._names.add(event.name)
            name = event.name if event.name in self._names else UNKNOWN
            self.reads[name, outcome] += 1
            by_agent = event.actor.agent and outcome == "denied"
            if by_agent or event.unexpected:
                self.unexpected[name] += 1
                who = event.actor.agent or event.actor.program or f"uid {event.actor.uid}"
                what = f"{event.name} by {who}"
                room = what in self._unexpected_at or len(self._unexpected_at) < TOLD
                self._unexpected_at[what if room else "and more"] = now
        elif event.kind == "secret_rotate" and not event.is_intent:
            self._health_at = 0.0
        old = [what for what, at in self._unexpected_at.items() if now - at > alerts.REMEMBERED]
        for what in old:
            del self._unexpected_at[what]

    def _ship(self) -> None:
        gateway = self._gateway
        audit = gateway.configuration.audit
        if not audit.storage:
            return
        try:
            done = shipping.ship(
                gateway.home.audit, gateway.home.root, audit.storage, audit.capture
            )
        except FileNotFoundError:
            return
        before = dict(self.shipped)
        self.shipped = dict.fromkeys(done.counts, "ok")
        self.shipped |= {address: refused.message for address, refused in done.failed.items()}
        for address, what in self.shipped.items():
            if what != before.get(address, "ok"):
                gateway.watch.happened("audit_copy", "", to=shown(address), state=what)

    # --- /metrics ---

    def metrics(self, *, named: bool) -> Iterator[Metric]:
        """Give every metric of secrets and alerts, by their published names.

        Unless `named` all secrets are one without a name: sums, and of times and risks the worst.
        """
        from prometheus_client.core import GaugeMetricFamily

        chosen = self._gateway.configuration.monitoring.secrets
        rows = self.secrets if named else _together(self.secrets)
        if not chosen or ACCESS in chosen:
            yield from self._counts(named=named)
        if not chosen or STATUS in chosen:
            yield from self._rotations(rows, named=named)
        if not chosen or RISK in chosen:
            risk = GaugeMetricFamily(
                f"{_PREFIX}_exposure_risk", "How exposed a secret is, from 0 to 100.", labels=_BY
            )
            for each in rows:
                risk.add_metric((each["name"],), each["risk"])
            yield risk
        firing = GaugeMetricFamily(
            "openclaw_alert_active", "Whether an alert is firing.", labels=("rule",)
        )
        for rule, about in self.alerts.active.items():
            firing.add_metric((rule,), int(bool(about)))
        yield firing

    def _counts(self, *, named: bool) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily

        reads = CounterMetricFamily(
            f"{_PREFIX}_access",
            "Readings of a secret since the gateway began, by outcome.",
            labels=("secret", "outcome"),
        )
        by_outcome: Counter[tuple[str, str]] = Counter()
        for (name, outcome), count in dict(self.reads).items():
            by_outcome[name if named else "", outcome] += count
        for (name, outcome), count in sorted(by_outcome.items())[: secret_health.MOST]:
            reads.add_metric((name, outcome), count)
        yield reads
        unexpected = CounterMetricFamily(
            f"{_PREFIX}_unexpected",
            "Readings that were not granted or not expected since the gateway began.",
            labels=_BY,
        )
        known = {each["name"]: 0 for each in self.secrets} | dict(self.unexpected)
        if not named:
            known = {"": sum(known.values())}
        for name, count in sorted(known.items())[: secret_health.MOST]:
            unexpected.add_metric((name,), count)
        yield unexpected

    def _rotations(self, rows: list[dict[str, Any]], *, named: bool) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        status = GaugeMetricFamily(
            f"{_PREFIX}_rotation_status",
            "How a secret's rotation stands: 1 for the state it is in; without names, how many.",
            labels=("secret", "state"),
        )
        last = GaugeMetricFamily(
            f"{_PREFIX}_last_rotation_timestamp_seconds",
            "When a secret's present value was made current.",
            labels=_BY,
        )
        late = GaugeMetricFamily(
            f"{_PREFIX}_rotation_overdue_seconds",
            "For how long a secret has been due.",
            labels=_BY,
        )
        failures = CounterMetricFamily(
            f"{_PREFIX}_rotation_failures",
            "Steps of a secret's rotations that failed.",
            labels=_BY,
        )
        states = Counter((each["name"] if named else "", each["rotation"]) for each in self.secrets)
        for each in rows:
            late.add_metric((each["name"],), each["overdue_seconds"])
            failures.add_metric((each["name"],), each["rotation_failures"])
            for state in secret_health.STATES:
                status.add_metric((each["name"], state), states[each["name"], state])
            if each["changed"]:
                last.add_metric((each["name"],), each["changed"])
        yield status
        yield last
        yield late
        yield failures


def _together(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows as one, which has no name: the oldest, the latest due, the most exposed."""
    if not rows:
        return []
    return [
        {
            "name": "",
            "overdue_seconds": max(each["overdue_seconds"] for each in rows),
            "rotation_failures": sum(each["rotation_failures"] for each in rows),
            "changed": min((each["changed"] for each in rows if each["changed"]), default=0),
            "risk": max(each["risk"] for each in rows),
        }
    ]


_BY = ("secret",)

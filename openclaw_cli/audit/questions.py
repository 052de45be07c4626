"""What the trail answers: who did what how often, and what looks wrong. Pure: events in, facts out.

The rules are few, so that a finding is worth reading. They are learnt from the events themselves,
in their order: `Watch` is shown the time before the period first (`LOOK_BACK` seconds of it) and
then the period, and speaks only of the latter. `docs/trail-format.md` lists the rules for readers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from msgspec import Struct, field

from openclaw_cli import duration
from openclaw_cli.audit import event as events
from openclaw_cli.audit import telling
from openclaw_cli.audit.anchor import MADE as ANCHOR_MADE
from openclaw_cli.audit.event import Event
from openclaw_cli.audit.trail import REVEAL

LOOK_BACK = 30 * duration.DAY
LOOK_BACK_BYTES = 32 * 1024 * 1024  # some 100,000 records, a quarter of a second

KNOWN_AFTER = 5  # readings of a secret before another reader of it is news
HABIT_READS = 50  # readings of a secret, on so many
HABIT_DAYS = 7  # different days, before an hour of the day is odd
FAILURES = 3  # failed readings in a row
_SETTLES = "openclaw store check; the next change settles it"
_ELSEWHERE = "do it again: nobody knows how it ended where it was done"
OPEN_SECONDS = 60  # a change takes milliseconds; one announced for longer was interrupted

DENIED = "denied"


class Finding(Struct):
    """One thing that looks wrong. `first` is when, as it stands in the record; `count` how often.

    `rule` is a stable word, `what` a phrase, `hint` a command where there is one.
    """

    rule: str
    what: str
    who: str
    first: str
    name: str = ""
    hint: str = ""
    count: int = 1


class Totals(Struct):
    """How often something was done to one secret, and by how many."""

    reads: int = 0
    changes: int = 0
    failed: int = 0
    readers: set[str] = field(default_factory=set)
    last: str = ""
    last_by: str = ""


class Answer(Struct):
    """What a period held."""

    events: int = 0
    by_name: dict[str, Totals] = field(default_factory=dict)
    by_actor: Counter[str] = field(default_factory=Counter)
    by_action: Counter[str] = field(default_factory=Counter)
    by_outcome: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def count(self, event: Event, by: str) -> None:
        """Count one event; `by` is who did it, in words."""
        self.events += 1
        self.by_actor[by] += 1
        self.by_action[event.action] += 1
        self.by_outcome[event.outcome or "ok"] += 1
        if not event.name:
            return
        totals = self.by_name.get(event.name)
        if totals is None:
            totals = self.by_name[event.name] = Totals()
        if event.failed:
            totals.failed += 1
        elif event.kind == REVEAL:
            totals.reads += 1
            totals.readers.add(by)
        else:
            totals.changes += 1
        totals.last, totals.last_by = event.happened, by


class _Secret(Struct):
    """What is known of a secret at one moment of the trail."""

    reads: int = 0
    readers: set[tuple[int, str]] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    hours: set[int] = field(default_factory=set)
    days: set[str] = field(default_factory=set)
    current: str = ""
    gone: str = ""
    withdrawn: dict[str, str] = field(default_factory=dict)


class Watch:
    """Sees events in their order and notes what looks wrong.

    `who` says in words who acted, `hour` gives the hour of the day (0 to 23) that an instant of a
    record is for the people here.
    """

    def __init__(self, who: Callable[[Event], str], hour: Callable[[str], int]) -> None:
        self._who = who
        self._hour = hour
        self._secrets: dict[str, _Secret] = {}
        self._open: dict[int, Event] = {}
        self._failing: dict[tuple[int, str], Finding] = {}
        self._failures: Counter[tuple[int, str]] = Counter()
        self._back = False
        self._findings: dict[tuple[str, ...], Finding] = {}

    def see(self, event: Event, *, tell: bool) -> None:
        """Take an event in; without `tell` it is from before the period, and only learnt from."""
        self._clock(event, tell=tell)
        if event.kind == REVEAL:
            self._failed_in_a_row(event, tell=tell)
            self._read(event, tell=tell)
        elif event.kind == events.SETTLED:
            self._settled(event, tell=tell)
        elif event.is_announced:
            self._open[event.seq] = event
        else:
            self._open.pop(event.of or event.announced, None)
            self._changed(event, tell=tell)

    def announced(self, number: int) -> Event | None:
        """Return the intent of that number while its change is open."""
        return self._open.get(number)

    def note_open(self, now: float, takes: Callable[[Event], bool]) -> None:
        """Note changes that were announced too long before `now` to be still under way."""
        for event in self._open.values():
            if takes(event) and now - telling.seconds(event.at) > OPEN_SECONDS:
                self._note(
                    event,
                    "interrupted",
                    f"the change {event.action} of {_names(event)} was announced and did not end",
                    hint=_SETTLES if event.is_intent else _ELSEWHERE,
                )

    def findings(self) -> list[Finding]:
        """Return what was noted, the oldest first."""
        return sorted(self._findings.values(), key=lambda finding: finding.first)

    def _secret(self, name: str) -> _Secret:
        found = self._secrets.get(name)
        if found is None:
            found = self._secrets[name] = _Secret()
        return found

    def _clock(self, event: Event, *, tell: bool) -> None:
        if tell and event.clock and not self._back:
            seconds = telling.seconds(event.at) - telling.seconds(event.clock)
            self._note(
                event,
                "clock-back",
                f"the clock went back by {duration.compact(seconds)}",
                hint="timedatectl status",
            )
        self._back = bool(event.clock)

    def _failed_in_a_row(self, event: Event, *, tell: bool) -> None:
        who = (event.actor.uid, event.reader)
        if not event.failed:
            if who in self._failures:
                del self._failures[who]
                self._failing.pop(who, None)
            return
        self._failures[who] += 1
        if who in self._failing:
            self._failing[who].count += 1
            return
        if not tell or (event.outcome != DENIED and self._failures[who] < FAILURES):
            return
        what = f"readings failed one after another, {event.name}: {event.outcome.replace('_', ' ')}"
        if event.outcome == DENIED:
            what = f"the reading of {event.name} was denied"
        hint = f"openclaw secrets audit --name {event.name}"
        noted = self._note(event, "failures", what, hint=hint, key=str(event.seq))
        noted.count = self._failures[who]
        self._failing[who] = noted

    def _read(self, event: Event, *, tell: bool) -> None:
        secret = self._secret(event.name)
        if tell:
            self._after_the_end(event, secret)
        if tell and event.unexpected:
            what = f"{event.name} was read as it is not expected: {event.unexpected}"
            if event.failed:
                what = f"a reading of {event.name} was refused: {event.unexpected}"
            hint = f"openclaw secrets expect {event.name}"
            self._note(event, "unexpected", what, hint=hint, key=event.unexpected)
        if event.failed:
            return
        if tell:
            self._unusual(event, secret)
        secret.reads += 1
        secret.readers.add((event.actor.uid, event.reader))
        if event.actor.address:
            secret.addresses.add(event.actor.address)
        secret.hours.add(self._hour(event.happened))
        secret.days.add(event.happened[:10])

    def _unusual(self, event: Event, secret: _Secret) -> None:
        hint = f"openclaw secrets audit --period 30d --name {event.name}"
        if secret.reads >= KNOWN_AFTER:
            if (event.actor.uid, event.reader) not in secret.readers:
                self._note(event, "new-reader", f"a new reader of {event.name}", hint=hint)
            elif event.actor.address and event.actor.address not in secret.addresses:
                address = event.actor.address
                what = f"{event.name} was read from a new address, {address}"
                self._note(event, "new-address", what, hint=hint, key=address)
        hour = self._hour(event.happened)
        usual = {hour, (hour + 1) % 24, (hour - 1) % 24} & secret.hours
        if secret.reads >= HABIT_READS and len(secret.days) >= HABIT_DAYS and not usual:
            what = f"{event.name} was read at an odd hour, {hour}:00"
            self._note(event, "odd-hour", what, hint=hint, key=str(hour))

    def _after_the_end(self, event: Event, secret: _Secret) -> None:
        hint = f"openclaw secrets history {event.name}"
        if secret.gone:
            what = f"{event.name} was asked for after it was deleted"
            self._note(event, "after-deletion", what, hint=hint)
        elif not event.failed and event.version in secret.withdrawn:
            how = secret.withdrawn[event.version]
            what = f"version {event.version} of {event.name} was read after it was {how}"
            self._note(event, "after-withdrawal", what, hint=hint, key=event.version)

    def _settled(self, event: Event, *, tell: bool) -> None:
        intent = self._open.pop(event.of, None)
        if not tell:
            return
        change = f"the change {intent.action} of {_names(intent)}" if intent else "a change"
        ended = "it is in force" if event.outcome == "committed" else "it did not happen"
        self._note(
            intent or event,
            "interrupted",
            f"{change} was interrupted: {ended}",
            hint="openclaw store check",
            key=str(event.of),
        )

    def _changed(self, event: Event, *, tell: bool) -> None:
        if event.failed:
            if tell and event.outcome == DENIED:
                what = f"the change {event.action} of {_names(event)} was denied"
                self._note(event, "failures", what, key=str(event.seq))
            return
        if event.kind == ANCHOR_MADE and tell and event.reason:
            what = "the anchor had gone and was made anew"
            self._note(event, "anchor-lost", what, hint="openclaw config show store.anchor")
        if not event.name:
            return
        secret = self._secret(event.name)
        if event.kind in events.GONE:
            secret.gone = event.at
        elif event.kind == "secret_revoke":
            secret.withdrawn[event.version] = "revoked"
        elif event.kind in events.ALIVE_AGAIN:
            secret.gone = ""
            secret.current = event.version or secret.current
        elif event.kind == "secret_rollback":
            if secret.current and secret.current != event.version:
                secret.withdrawn[secret.current] = "rolled back"
            secret.withdrawn.pop(event.version, None)
            secret.current = event.version

    def _note(
        self, event: Event, rule: str, what: str, *, hint: str = "", key: str = ""
    ) -> Finding:
        """Note a finding once for each actor and subject, and how often it was seen."""
        who = self._who(event)
        found = self._findings.get((rule, event.name, who, key))
        if found is not None:
            found.count += 1
            return found
        found = Finding(rule, what, who, event.happened, event.name, hint)
        self._findings[(rule, event.name, who, key)] = found
        return found


def _names(event: Event) -> str:
    if event.name or not event.names:
        return event.about or "the store"
    more = f" and {len(event.names) - 1} more" if len(event.names) > 1 else ""
    return event.names[0] + more


class Filter(Struct, frozen=True):
    """Which events are asked for; everything where a field is empty.

    `name` may hold `*` and `?`. `actor` is a user id or name, an agent, a program, by its name or
    whole path, a thread, an address, a terminal, or the way it came: terminal, cron, ci, program.
    `action` is a word as it is shown, a kind as it stands in the trail, or the first word of kinds.
    """

    name: str = ""
    actor: str = ""
    action: str = ""

    def takes(self, event: Event, user: Callable[[int], str]) -> bool:
        """Tell whether an event is asked for; `user` names a user id."""
        return (
            self._takes_name(event) and self._takes_actor(event, user) and self._takes_action(event)
        )

    def needles(self) -> list[bytes]:
        """Return what a line must hold one of to be worth parsing; no demand where it is empty."""
        if not self.name or "*" in self.name or "?" in self.name:
            return []
        # A change that was interrupted is settled by a record that only has its number.
        return [f'"{self.name}"'.encode(), f'"{events.SETTLED}"'.encode()]

    def _takes_name(self, event: Event) -> bool:
        if not self.name:
            return True
        from fnmatch import fnmatchcase

        names = [event.name, *event.names]
        return any(name and fnmatchcase(name, self.name) for name in names)

    def _takes_actor(self, event: Event, user: Callable[[int], str]) -> bool:
        if not self.actor:
            return True
        actor = event.actor
        known = {
            str(actor.uid),
            user(actor.uid) if actor.uid >= 0 else "",
            actor.agent,
            actor.thread,
            actor.via,
            actor.address,
            actor.tty,
            actor.tty.removeprefix("/dev/"),
            actor.program,
            actor.program.rpartition("/")[2],
        }
        return self.actor in known

    def _takes_action(self, event: Event) -> bool:
        if not self.action:
            return True
        word = self.action.replace("-", "_").replace(" ", "_")
        if word in events.READ_WORDS:
            return event.kind == REVEAL
        kind = event.kind
        family = kind.partition("_")[0]
        known = {kind, kind.removeprefix("secret_"), event.action.replace(" ", "_"), family}
        return word in known

"""What configurations that people already have say of agents and the gateway, in our own words.

`agents`, `thread-bound-agents`, `threadManagement`, `agentPermissions`, `gateway`, `models`,
`monitoring`, `auditLog`, `cron`, and defaults at the top, within `{"openclaw": {...}}` or without.
Pure: takes the parsed document. What belongs to the OpenClaw gateway (Node) is left alone, in
silence: `agents.list` and `agents.entries` always, and in a file of its own also `gateway`,
`models`, `agents.defaults` and the like. `building.py` makes the specs from this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from openclaw_cli.agents import fields, spec
from openclaw_cli.agents.fields import Takes
from openclaw_cli.agents.models import OPENAI
from openclaw_cli.published.meaning import Path, Slip, dotted
from openclaw_cli.published.reading import WRAPPER
from openclaw_cli.published.words import canonical
from openclaw_cli.sanitize import safe

AGENTS = "agents"
DEFAULTS = "defaults"
THREAD_BOUND_AGENTS = ("thread-bound-agents", "thread-bound")
OF_AGENTS = ("default-model", "session-target", "runtime", "sandbox", "memory")
PARTS = ("thread-management", "gateway", "monitoring", "audit-log")
OURS = frozenset(
    (AGENTS, *THREAD_BOUND_AGENTS, *OF_AGENTS, *PARTS, "agent-permissions", "models", "cron")
)
_GATEWAYS_OWN = frozenset(("list", "entries"))  # below `agents`
_MARKS = {
    "": frozenset(
        ("bindings", "channels", "hooks", "messages", "meta", "plugins", "session", "skills")
    ),
    "agents": _GATEWAYS_OWN,
    "gateway": frozenset(("auth", "bind", "control-ui", "mode", "remote", "tailscale")),
    "models": frozenset(("mode", "providers")),
    "secrets": frozenset(("providers",)),
}
_SHARED_WORDS = frozenset(("gateway", "models", "memory", "sandbox", "session-target", "runtime"))
_ROTATE = ("rotat",)
_REMARKS = frozenset(("comment", "description", "display-name", "name", "note", "title"))


@dataclass(slots=True)
class Said:
    """What one document says, each value read, under our own names.

    `agents`: the fields of each; `defaults` and `thread_bound` those of all and of the
    thread-bound ones; `parts`: those of the gateway and the like. `places`: the keys of each part.
    """

    defaults: dict[str, Any] = field(default_factory=dict)
    thread_bound: dict[str, Any] = field(default_factory=dict)
    agents: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, spec.Model] = field(default_factory=dict)
    cron: list[spec.CronEntry] = field(default_factory=list)
    places: dict[str, Path] = field(default_factory=dict)
    slips: list[Slip] = field(default_factory=list)
    understood: list[tuple[Path, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Tell whether anything of ours was found."""
        return bool(self.places)


def is_ours(key: str) -> bool:
    """Tell whether a key at the top is one of those that are read here."""
    return canonical(key.partition(".")[0].partition("/")[0]) in OURS


def read(document: Mapping[str, Any], folder: str, *, shared: bool) -> Said:
    """Return what a document says of agents; `shared` for a file that may be the Node gateway's.

    A relative path is meant from `folder`.
    """
    reader = _Reader(folder, theirs=shared and is_the_gateways(document), shared=shared)
    reader.top((), document)
    inner = document.get(WRAPPER)
    if isinstance(inner, dict):
        reader.theirs = reader.shared = False
        reader.top((WRAPPER,), inner)
    return reader.said


def is_the_gateways(document: Mapping[str, Any]) -> bool:
    """Tell whether a file is the OpenClaw gateway's own, by keys that it alone has."""
    words = {canonical(key): value for key, value in document.items()}
    if not _MARKS[""].isdisjoint(words):
        return True
    return any(
        not marks.isdisjoint(map(canonical, words[block]))
        for block, marks in _MARKS.items()
        if isinstance(words.get(block), dict)
    )


class _Reader:
    def __init__(self, folder: str, *, theirs: bool, shared: bool) -> None:
        self.said = Said()
        self.folder = folder
        self.theirs = theirs
        self.shared = shared

    def top(self, path: Path, table: Mapping[str, Any]) -> None:
        for keys, value in _unfolded(table):
            here, word = (*path, keys[0]), canonical(keys[1])
            if not (self.theirs and word in _SHARED_WORDS):
                self._block(here, word, value)

    def _block(self, here: Path, word: str, value: object) -> None:
        """Read one of the keys at the top."""
        if word in THREAD_BOUND_AGENTS:
            if isinstance(value, dict) or word == THREAD_BOUND_AGENTS[0]:
                self.said.places["defaults"] = here
                self._fields(here, value, self.said.thread_bound)
        elif word in (*OF_AGENTS, "agent-permissions"):
            self.said.places["defaults"] = here
            self._field(here, word, value, self.said.defaults)
        elif word in PARTS:
            self._part(here, word, value)
        elif word == AGENTS:
            self._agents(here, value)
        elif word == "cron":
            self._cron(here, value)
        elif word == "models":
            self._models(here, value)

    def _agents(self, path: Path, table: object) -> None:
        if not isinstance(table, dict):
            if not isinstance(table, list) or not self.theirs:
                self._wrong(path, "is not an object", '"agents": {"NAME": {...}}')
            return
        for name, value in table.items():
            word, here = canonical(name), (*path, name)
            if word in _GATEWAYS_OWN or (word == DEFAULTS and self.theirs):
                continue
            if word == DEFAULTS:
                self.said.places["defaults"] = here
                self._fields(here, value, self.said.defaults)
            elif not spec.NAME.fullmatch(name):
                self._wrong(here, "is not a name for an agent", "letters, digits and . _ -")
            else:
                self.said.places[f"{AGENTS}.{name}"] = here
                self._fields(here, value, self.said.agents.setdefault(name, {}))

    def _fields(self, path: Path, table: object, into: dict[str, Any]) -> None:
        if not isinstance(table, dict):
            self._wrong(path, "is not an object", '"NAME": {"type": "thread-bound", ...}')
            return
        pooled = any(canonical(key) == "thread-id" for key in table)
        for keys, value in _unfolded(table):
            here, word = (*path, keys[0]), canonical(keys[1])
            if word == "max-threads" and pooled:
                word = "pool-size"
            self._field(here, word, value, into)
        self._settled(path, into)

    def _field(self, path: Path, word: str, value: object, into: dict[str, Any]) -> None:
        """Read one setting of an agent into the table of its fields."""
        if word in _REMARKS:
            return
        if word == "sandbox":
            self._say(path, fields.NO_SANDBOX)
        elif word == "memory":
            self._memory(path, value, into)
        elif word in fields.KINDS:
            self._kind(path, value, into)
        elif word in ("permissions", "agent-permissions"):
            self._permissions(path, value, into)
        elif word in ("handler", "command", "args"):
            self._program(path, word, value, into)
        elif word in ("python-path", "directory"):
            self._folders(path, word, value, into)
        elif word == "restart" and isinstance(value, dict):
            self._table(path, value, fields.RESTART, into)
        else:
            self._one(path, word, value, fields.AGENT, into)

    def _kind(self, path: Path, value: object, into: dict[str, Any]) -> None:
        """Read `type` and `runtime`, which say in one word what we say in two."""
        word = canonical(value) if isinstance(value, str) else ""
        found = fields.WORDS.get(word)
        if found is None:
            known = ", ".join(fields.SHOWN_WORDS)
            mend = _meant(word, fields.SHOWN_WORDS) or 'for example "thread-bound"'
            self._wrong(path, f"takes one of {known}", mend)
            return
        self._put(path, found[0], found[1], into)

    def _memory(self, path: Path, value: object, into: dict[str, Any]) -> None:
        """Read `memory.max-age`; where else a memory is kept is not ours."""
        for keys, inner in _unfolded(value) if isinstance(value, dict) else ():
            if canonical(keys[1]) == "max-age":
                self._one((*path, keys[0]), "max-age", inner, fields.AGENT, into)
                return
        self._say(path, "not used: a session's memory is its transcript, dropped at max-age")

    def _permissions(self, path: Path, value: object, into: dict[str, Any]) -> None:
        found: dict[str, Any] = {}
        if isinstance(value, dict):
            self._table(path, value, fields.PERMISSIONS, found)
        else:
            self._wrong(path, "is not an object", '{"allowedCommands": ["read"]}')
        into["permissions"] = spec.Permissions(**found)

    def _program(self, path: Path, word: str, value: object, into: dict[str, Any]) -> None:
        if word == "handler" and isinstance(value, str):
            if spec.is_handler(value):
                self._put(path, "handler", value, into)
                into.setdefault("python_path", (self.folder,))
            else:
                self._wrong(path, "is not a handler", '"module:function", or a list: a command')
            return
        program = fields.command(value)
        if program is None:
            what = "takes module:function, or a list: a command" if word == "handler" else "a list"
            self._wrong(path, what, '["python3", "agent.py"]')
        elif word == "args":
            into["command"] = (*into.get("command", ()), *program)
        else:
            into["command"] = (*program, *into.get("command", ()))
            into.setdefault("directory", self.folder)

    def _folders(self, path: Path, word: str, value: object, into: dict[str, Any]) -> None:
        found = fields.folders(value, self.folder)
        if found is None or (word == "directory" and len(found) != 1):
            self._wrong(path, "takes a folder", "for example handlers")
        elif word == "directory":
            into["directory"] = found[0]
        else:
            into["python_path"] = found

    def _settled(self, path: Path, into: dict[str, Any]) -> None:
        """Settle what two keys of one table say together."""
        if "max_duration" in into:
            longest = into.pop("max_duration")
            if longest < into.get("timeout", longest):
                self._say(path, "max-duration is shorter than timeout, and holds")
            into["timeout"] = min(longest, into.get("timeout", longest))
        if "session_key" in into:
            into.setdefault("mode", spec.SESSION)
        if into.get("handler") and into.get("command"):
            self._wrong(path, "has a handler and a command", "keep one of the two")

    def _part(self, path: Path, word: str, value: object) -> None:
        if word == "gateway" and self.shared and not _is_our_gateway(value):
            return
        into = self.said.parts.setdefault(word, {})
        self.said.places[word] = path
        if word == "audit-log" and isinstance(value, bool):
            value = {"enabled": value}
        if not isinstance(value, dict):
            self._wrong(path, "is not an object", "begin with { and end with }")
        elif word == "monitoring":
            self._monitoring(path, value, into)
        elif word == "gateway":
            self._gateway(path, value, into)
        else:
            self._table(path, value, fields.PARTS[word], into)
            if into.pop("enabled", True) is False:
                self._say(path, "the local trail is always kept; nothing is copied elsewhere")
                into["storage"] = ()

    def _gateway(self, path: Path, value: Mapping[str, Any], into: dict[str, Any]) -> None:
        for keys, inner in _unfolded(value):
            here, word = (*path, keys[0]), canonical(keys[1])
            if word == "metrics" and isinstance(inner, dict):
                self._table(here, inner, fields.GATEWAY_METRICS, into)
            elif word == "token":
                self._wrong(here, "is not taken from a file", "openclaw gateway start makes one")
            else:
                self._one(here, word, inner, fields.PARTS["gateway"], into)

    def _monitoring(self, path: Path, value: Mapping[str, Any], into: dict[str, Any]) -> None:
        for keys, inner in _unfolded(value):
            here, word = (*path, keys[0]), canonical(keys[1])
            if word in (*THREAD_BOUND_AGENTS, AGENTS, "secrets"):
                name = "secrets" if word == "secrets" else "agents"
                table = inner if isinstance(inner, dict) else {"metrics": inner}
                self._table(here, table, fields.METRICS[name], into)
            elif word == "alerts" and isinstance(inner, dict):
                self._table(here, inner, fields.ALERTS, into)
            elif word not in ("enabled", *_REMARKS):
                self._unknown(here, word, ("thread-bound-agents", "secrets", "alerts"))

    def _models(self, path: Path, value: object) -> None:
        if not self.shared and not isinstance(value, dict):
            self._wrong(path, "is not an object", '{"NAME": {"endpoint": "https://..."}}')
        for name, table in value.items() if isinstance(value, dict) else ():
            here = (*path, name)
            if canonical(name) in _MARKS["models"]:
                continue
            if not isinstance(table, dict):
                self._wrong(here, "is not an object", '{"endpoint": "https://..."}')
                continue
            found: dict[str, Any] = {}
            self._table(here, table, fields.MODEL, found)
            if not found.get("endpoint"):
                if not any(slip.path[:-1] == here for slip in self.said.slips):
                    self._wrong(here, "says no endpoint", '"endpoint": "https://..."')
                continue
            self.said.places["models"] = path
            self.said.models[name] = spec.Model(name, **{"protocol": OPENAI, **found})

    def _cron(self, path: Path, value: object) -> None:
        """Read a list of entries; an object is how the OpenClaw gateway has its own."""
        if not self.shared and not isinstance(value, list):
            self._wrong(path, "is not a list", '[{"name": "rotate", "schedule": "0 3 * * *"}]')
        for number, each in enumerate(value if isinstance(value, list) else ()):
            here = (*path, str(number))
            table = each if isinstance(each, dict) else {}
            words = {canonical(key): inner for key, inner in table.items()}
            schedule = fields.schedule(words.get("schedule", words.get("cron")))
            name = words.get("name") or words.get("id") or f"entry {number + 1}"
            if not _means_rotation(table):
                self._say(here, f"{safe(str(name))}: not ours, since it does not mean rotation")
            elif schedule is None:
                self._wrong(here, "says no schedule", '"schedule": "0 3 * * *"')
            else:
                self.said.places["cron"] = path
                self.said.cron.append(spec.CronEntry(str(name), schedule, rotates=True))
                self._say(here, f"{safe(str(name))}: rotates what is due at {schedule}")

    def _table(
        self,
        path: Path,
        table: Mapping[str, Any],
        known: Mapping[str, Takes],
        into: dict[str, Any],
    ) -> None:
        for keys, value in _unfolded(table):
            word = canonical(keys[1])
            if word not in _REMARKS or word in known:
                self._one((*path, keys[0]), word, value, known, into)

    def _one(
        self,
        path: Path,
        word: str,
        value: object,
        known: Mapping[str, Takes],
        into: dict[str, Any],
    ) -> None:
        takes = known.get(word)
        if takes is None:
            self._unknown(path, word, tuple(known))
            return
        found = takes.read(value)
        if found is None:
            self._wrong(path, f"takes {takes.what}", f"for example {takes.example}")
            return
        self._put(path, takes.name, found, into)

    def _put(self, path: Path, name: str, value: object, into: dict[str, Any]) -> None:
        if name in into and into[name] != value:
            self._wrong(path, f"says {_shown(name)} again, and otherwise", "keep one of the two")
            return
        into[name] = value

    def _unknown(self, path: Path, word: str, known: tuple[str, ...]) -> None:
        hint = _meant(word, known) or f"known: {', '.join(known)}"
        self._wrong(path, "is not understood here", hint)

    def _wrong(self, path: Path, what: str, fix: str) -> None:
        self.said.slips.append(Slip(path, f"{dotted(path)} {what}", fix))

    def _say(self, path: Path, text: str) -> None:
        self.said.understood.append((path, text))


def _unfolded(table: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    """Give each key as it is written and as it is meant, with its value.

    `"agents.defaults.sandbox": x` is `"agents": {"defaults": {"sandbox": x}}`, and so is `a/b`.
    """
    for key, value in table.items():
        first, rest = _first(str(key))
        for part in reversed(rest):
            value = {part: value}  # noqa: PLW2901  folded, from the inside
        yield (str(key), first), value


def _first(key: str) -> tuple[str, list[str]]:
    for sign in (".", "/"):
        first, found, rest = key.partition(sign)
        if found and canonical(first) in (*OURS, "metrics"):
            return first, rest.split(sign)
    return key, []


def _is_our_gateway(value: object) -> bool:
    """Tell our `gateway` from the Node gateway's, in a file that both may write into."""
    words = set(map(canonical, value)) if isinstance(value, dict) else set()
    known = {*fields.PARTS["gateway"], "metrics"}
    return bool(words) and ("host" in words or words <= known)


def _means_rotation(entry: Mapping[str, Any]) -> bool:
    texts = [each for each in entry.values() if isinstance(each, str)]
    texts += [
        inner
        for each in entry.values()
        if isinstance(each, dict)
        for inner in each.values()
        if isinstance(inner, str)
    ]
    return any(sign in each.lower() for each in texts for sign in _ROTATE)


def _shown(name: str) -> str:
    return name.replace("_", "-")


def _meant(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else ""

"""What may be written for a setting of an agent, and what it then is. Pure.

A reader takes what stands in the file and returns the value, or None where it is not one.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shlex
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from openclaw_cli import duration, names
from openclaw_cli.agents import spec
from openclaw_cli.agents.models import PROTOCOLS
from openclaw_cli.audit.sinks import SINKS
from openclaw_cli.audit.sinks.address import CHECKS
from openclaw_cli.errors import OpenclawError
from openclaw_cli.options import COUNT, FLAG, SIZE, read_as
from openclaw_cli.published.words import canonical, rotation

Reader: TypeAlias = Any  # Callable[[Any], Any | None]; a table of them is read better than typed

LEAST_MEMORY = 4 * spec.MIB
_MOST = 100_000
_PORTS = 65_535
_LONG = 4096
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_UNITS = ("k", "m", "g")


class Takes(NamedTuple):
    """A setting: its name in the spec, what reads it, and the words for what it takes."""

    name: str
    read: Reader
    what: str
    example: str


def flag(found: object) -> bool | None:
    """Read true or false."""
    read: bool | None = read_as(FLAG, found)
    return read


def seconds(found: object) -> float | None:
    """Read a length of time that is more than nothing and not above a week."""
    value = _length(found)
    return value if value and value <= spec.LONGEST else None


def seconds_or_never(found: object) -> float | None:
    """Read a length of time; 0, false and "never" are no limit."""
    if found is False or (isinstance(found, str) and found.lower() in ("never", "none", "off")):
        return 0.0
    return _length(found)


def size(found: object) -> int | None:
    """Read a size: 50MB, 512MiB, 512m, 50000000."""
    if isinstance(found, str) and found[-1:].lower() in _UNITS:
        found = f"{found}iB"
    read: int | None = read_as(SIZE, found)
    return read if read and read >= LEAST_MEMORY else None


def count(found: object) -> int | None:
    """Read a whole number from 1; "50" is one, too."""
    read: int | None = read_as(COUNT, found)
    return read if read and read <= _MOST else None


def count_or_none(found: object) -> int | None:
    """Read a whole number from 0."""
    read: int | None = read_as(COUNT, found)
    return read if read is not None and 0 <= read <= _MOST else None


def port(found: object) -> int | None:
    """Read a port; 0 lets the system choose."""
    read = count_or_none(found)
    return read if read is not None and read <= _PORTS else None


def share(found: object) -> float | None:
    """Read a part of the whole: 0.9, "90%"."""
    if isinstance(found, str) and found.endswith("%"):
        number = read_as(COUNT, found[:-1].strip())
        found = number / 100 if number is not None else None
    good = isinstance(found, int | float) and not isinstance(found, bool) and 0 < found <= 1
    return float(found) if good else None  # type: ignore[arg-type]


def text(found: object) -> str | None:
    """Read a text that is not empty."""
    good = isinstance(found, str) and found.strip() and len(found) <= _LONG
    return found if good and "\0" not in found else None  # type: ignore[operator,return-value]


def word_of(*known: str) -> Reader:
    """Return what reads one of a few words."""

    def read(found: object) -> str | None:
        word = canonical(found) if isinstance(found, str) else ""
        return word if word in known else None

    return read


def thread(found: object) -> str | None:
    """Read the id of a thread, or the name of a pool."""
    return found if isinstance(found, str) and spec.is_thread(found) else None


def texts(found: object) -> tuple[str, ...] | None:
    """Read one text or a list of them."""
    items = [found] if isinstance(found, str) else found
    if not isinstance(items, list) or not all(text(each) for each in items):
        return None
    return tuple(items)


def command(found: object) -> tuple[str, ...] | None:
    """Read a command: a list, or a line as a shell would split it (nothing is expanded)."""
    if isinstance(found, str):
        try:
            found = shlex.split(found)
        except ValueError:
            return None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        return None
    good = found and found[0] and not any("\0" in each for each in found)
    return tuple(found) if good else None


def folders(found: object, base: str) -> tuple[str, ...] | None:
    """Read folders; a relative one is beside the file that names it."""
    read = texts(found)
    if read is None:
        return None
    return tuple(os.path.normpath(os.path.join(base, os.path.expanduser(each))) for each in read)


def addresses(found: object) -> tuple[str, ...] | None:
    """Read addresses and networks: "10.0.0.0/8", "127.0.0.1", or "local"."""
    read = texts(found)
    if read is None:
        return None
    try:
        return tuple(
            str(ipaddress.ip_network("127.0.0.0/8" if each == "local" else each, strict=False))
            for each in read
        )
    except ValueError:
        return None


def secret_uses(found: object) -> tuple[spec.SecretUse, ...] | None:
    """Read names and patterns, alone or with the variable they go into.

    `["openai-api-key", "team/*"]`, `[{"name": ..., "envVar": ...}]`, `{"OPENAI_API_KEY": name}`.
    """
    if isinstance(found, dict):
        rows: list[object] = [
            {"name": value, "env-var": key} if isinstance(value, str) else {**value, "name": key}
            for key, value in found.items()
            if isinstance(value, str | dict)
        ]
        complete = len(rows) == len(found)
    else:
        rows = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        complete = bool(rows) or found == []
    uses = [_secret_use(each) for each in rows]
    return tuple(uses) if complete and all(uses) else None  # type: ignore[arg-type]


def is_pattern(pattern: str) -> bool:
    """Tell whether a text is a reference, or a name with `*` in it, that a grant may hold."""
    try:
        reference = names.parse(pattern.replace("*", "x"))
    except OpenclawError:
        return False
    plain = not reference.version and not reference.field
    return plain and pattern.isascii() and pattern.strip("/") == pattern


def _secret_use(found: object) -> spec.SecretUse | None:
    if isinstance(found, str):
        found = {"name": found}
    if not isinstance(found, dict):
        return None
    words = {canonical(key): value for key, value in found.items() if isinstance(key, str)}
    pattern = next((words.pop(key) for key in ("name", "reference", "secret") if key in words), "")
    variable = next((words.pop(key) for key in ("env-var", "variable", "env") if key in words), "")
    good = isinstance(pattern, str) and is_pattern(pattern) and not words
    if not good or not _is_variable(variable) or (variable and "*" in pattern):
        return None
    return spec.SecretUse(pattern, variable)


def _is_variable(found: object) -> bool:
    """Tell whether a value may go into this variable: none that changes how programs start."""
    if found == "":
        return True
    plain = isinstance(found, str) and _VARIABLE.fullmatch(found)
    return bool(plain) and not str(found).startswith(("LD_", "PYTHON", "OPENCLAW_", "PATH", "HOME"))


def _length(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    try:
        return float(duration.parse(found))
    except OpenclawError:
        return None


def model_endpoint(found: object) -> str | None:
    """Read an endpoint; only this machine may be asked without TLS."""
    if not isinstance(found, str):
        return None
    try:
        address = urlsplit(found)
        host, _ = address.hostname or "", address.port
    except ValueError:
        return None
    plain = not (address.query or address.fragment or address.username or address.password)
    safe_way = address.scheme == "https" or (address.scheme == "http" and is_loopback(host))
    return found.rstrip("/") if host and plain and safe_way and found.isprintable() else None


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, without asking anybody."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def schedule(found: object) -> str | None:
    """Read five fields of cron, or daily, weekly, every:12h, as rotation writes them."""
    if isinstance(found, dict):
        found = found.get("expr") or found.get("cron") or found.get("expression")
    return rotation(found) or None


def storage(found: object) -> tuple[str, ...] | None:
    """Read where copies of events go."""
    read = texts(found)
    if read is None or not all(each.partition(":")[0] in STORAGES for each in read):
        return None
    try:
        for each in read:
            CHECKS[each.partition(":")[0]](each)
    except OpenclawError:
        return None
    return read


def words_of(*known: str) -> Reader:
    """Return what reads a list of a few words; all of them where "all" or "*" stands."""

    def read(found: object) -> tuple[str, ...] | None:
        items = texts(found)
        if items in (("all",), ("*",)):
            return known
        return items if items is not None and set(items) <= set(known) else None

    return read


def permitted(found: object) -> tuple[str, ...] | None:
    """Read what a handler may do: our words for it, and names of programs."""
    items = texts(found)
    if items is None or not all(_PERMITTED.fullmatch(each) for each in items):
        return None
    return tuple(canonical(each).replace("-", "_") if _is_verb(each) else each for each in items)


def _is_verb(word: str) -> bool:
    return canonical(word).replace("-", "_") in VERBS


def event_kinds(found: object) -> tuple[str, ...] | None:
    """Read names of kinds of events, as they stand in the trail."""
    items = texts(found)
    return items if items is not None and all(_KIND.fullmatch(each) for each in items) else None


def _isolation(found: object) -> str | None:
    is_bound = flag(found)
    if is_bound is None:
        return None
    return spec.THREAD_BOUND if is_bound else spec.SINGLETON


def _level(found: object) -> str | None:
    return word_of(*spec.LEVELS[1:])(found)  # type: ignore[no-any-return]


def _strict(found: object) -> bool | None:
    if isinstance(found, str) and found.lower() in ("strict", "advisory"):
        return found.lower() == "strict"
    return flag(found)


VERBS = ("read", "write", "exec", "delete", "web_search", "network_connect")
_PERMITTED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_KIND = re.compile(r"[a-z]{1,20}(_[a-z]{1,20}){0,3}")

KINDS = ("type", "runtime", "isolation", "backend", "session-target")
WORDS = {
    "thread-bound": ("isolation", spec.THREAD_BOUND),
    "thread": ("isolation", spec.THREAD_BOUND),
    "isolated": ("isolation", spec.THREAD_BOUND),
    "singleton": ("isolation", spec.SINGLETON),
    "main": ("isolation", spec.SINGLETON),
    "shared": ("isolation", spec.SINGLETON),
    "subagent": ("backend", spec.SUBAGENT),
    "acp": ("backend", spec.ACP),
}
SHOWN_WORDS = ("thread-bound", "thread", "singleton", "subagent", "acp")
STORAGES = SINKS.ours
_STORAGE = (
    f"an address by one of {', '.join(STORAGES)} (http to this machine alone): "
    "https://HOST/PATH, file:///PATH"
)
AGENT_METRICS = ("execution-time", "resource-usage", "error-rate", "timeout-count")
SECRET_METRICS = ("access-count", "rotation-status", "exposure-risk")
NO_SANDBOX = (
    "not used: no container is started. Each thread-bound instance is a process of its own with "
    "its own limits; agentPermissions and requireIsolation say what holds it"
)

_TIME = ("a length of time up to a week", "30s")
_SPAN = ("a length of time, or never", "30m")
_NUMBER = ("a whole number from 1", "50")
_TRUTH = ("true or false", "true")
_TEXT = ("a text", '"..."')
_LIST = ("a list of texts", '["..."]')

AGENT: dict[str, Takes] = {
    "thread-bound": Takes("isolation", _isolation, *_TRUTH),
    "thread": Takes("isolation", _isolation, *_TRUTH),
    "mode": Takes("mode", word_of(*spec.MODES), "run or session", "session"),
    "session-key": Takes("session_key", thread, "letters, digits and . _ : @ / -", "acp-12345"),
    "thread-id": Takes("pool", thread, "letters, digits and . _ : @ / -", "finance-threads"),
    "pool-size": Takes("pool_size", count, *_NUMBER),
    "max-concurrency": Takes("max_concurrency", count, *_NUMBER),
    "max-concurrent": Takes("max_concurrency", count, *_NUMBER),
    "max-threads": Takes("max_concurrency", count, *_NUMBER),
    "queue": Takes("queue", count_or_none, "a whole number", "100"),
    "queue-timeout": Takes("queue_timeout", seconds, *_TIME),
    "timeout": Takes("timeout", seconds, *_TIME),
    "max-duration": Takes("max_duration", seconds, *_TIME),
    "grace": Takes("grace", seconds, *_TIME),
    "memory-limit": Takes("memory_limit", size, "a size from 4MiB", "50MB"),
    "idle-timeout": Takes("idle_timeout", seconds_or_never, *_SPAN),
    "max-age": Takes("max_age", seconds_or_never, *_SPAN),
    "auto-destroy": Takes("auto_destroy", flag, *_TRUTH),
    "deterministic": Takes("deterministic", flag, *_TRUTH),
    "preload": Takes("preload", flag, *_TRUTH),
    "idempotent": Takes("idempotent", flag, *_TRUTH),
    "enabled": Takes("enabled", flag, *_TRUTH),
    "model": Takes("model", text, "the name of a model", "claude-sonnet-4.2"),
    "default-model": Takes("model", text, "the name of a model", "claude-sonnet-4.2"),
    "fallback": Takes("fallback", texts, "a list of models", '["local/gpt-oss-120b"]'),
    "fallbacks": Takes("fallback", texts, "a list of models", '["local/gpt-oss-120b"]'),
    "system": Takes("system", text, *_TEXT),
    "system-prompt": Takes("system", text, *_TEXT),
    "instructions": Takes("system", text, *_TEXT),
    "max-tokens": Takes("max_tokens", count, *_NUMBER),
    "secrets": Takes("secrets", secret_uses, "names of secrets", '["openai-api-key"]'),
    "require-isolation": Takes(
        "require_isolation", _level, f"one of {', '.join(spec.LEVELS[1:])}", spec.LANDLOCK
    ),
    "on-disconnect": Takes(
        "on_disconnect", word_of(*spec.DISCONNECTS), "finish or cancel", "finish"
    ),
}
RESTART: dict[str, Takes] = {
    "max": Takes("crashes", count, *_NUMBER),
    "period": Takes("crash_period", seconds, *_TIME),
}
PERMISSIONS: dict[str, Takes] = {
    "allowed-commands": Takes("allowed", permitted, *_LIST),
    "allowed": Takes("allowed", permitted, *_LIST),
    "denied-commands": Takes("denied", permitted, *_LIST),
    "denied": Takes("denied", permitted, *_LIST),
    "enforce": Takes("strict", _strict, "strict or advisory", "strict"),
}
GATEWAY_METRICS: dict[str, Takes] = {"auth": Takes("metrics_auth", flag, *_TRUTH)}
PARTS: dict[str, dict[str, Takes]] = {
    "thread-management": {
        "default-mode": Takes(
            "default_mode", word_of(*spec.THREAD_MODES), "auto or manual", "auto"
        ),
        "max-threads": Takes("max_threads", count, *_NUMBER),
        "idle-timeout": Takes("idle_timeout", seconds_or_never, *_SPAN),
        "startup-reconciliation": Takes("startup_reconciliation", flag, *_TRUTH),
    },
    "gateway": {
        "host": Takes("host", text, "an address", "127.0.0.1"),
        "port": Takes("port", port, "a port", "18789"),
        "trusted-proxies": Takes("trusted_proxies", addresses, "addresses", '["10.0.0.2"]'),
        "hosts": Takes("hosts", texts, "names that it answers to", '["keys.example.org"]'),
        "allowed-hosts": Takes("hosts", texts, "names that it answers to", '["keys.example.org"]'),
        "metrics-auth": Takes("metrics_auth", flag, *_TRUTH),
        "max-body": Takes("max_body", size, "a size from 4MiB", "8MiB"),
        "engine": Takes("engine", word_of("local", "celery"), "local or celery", "local"),
        "broker": Takes("broker", text, "the secret that holds the broker's URL", "broker-url"),
    },
    "audit-log": {
        "enabled": Takes("enabled", flag, *_TRUTH),
        "capture": Takes("capture", event_kinds, "kinds of events", '["secret_reveal"]'),
        "storage": Takes("storage", storage, _STORAGE, "qdrant://audit-logs"),
    },
}
METRICS: dict[str, dict[str, Takes]] = {
    "agents": {
        "metrics": Takes(
            "agents", words_of(*AGENT_METRICS), ", ".join(AGENT_METRICS), '["error-rate"]'
        )
    },
    "secrets": {
        "metrics": Takes(
            "secrets", words_of(*SECRET_METRICS), ", ".join(SECRET_METRICS), '["access-count"]'
        )
    },
}
ALERTS: dict[str, Takes] = {
    "concurrency": Takes("concurrency", share, "a part of the whole", "90%"),
    "for": Takes("concurrency_for", seconds, *_TIME),
    "command": Takes("command", command, "a list: a command", '["notify-send", "openclaw"]'),
    "webhook": Takes("webhook", model_endpoint, "an https:// address", "https://example.org/alert"),
}
MODEL: dict[str, Takes] = {
    "endpoint": Takes("endpoint", model_endpoint, "an https:// address", "https://example.org"),
    "base-url": Takes("endpoint", model_endpoint, "an https:// address", "https://example.org"),
    "protocol": Takes("protocol", word_of(*PROTOCOLS), "anthropic or openai", "openai"),
    "api": Takes("protocol", word_of(*PROTOCOLS), "anthropic or openai", "openai"),
    "secret": Takes("secret", text, "the name of a secret", "openai-api-key"),
    "model": Takes("called", text, "its name at the endpoint", "gpt-5"),
    "name": Takes("called", text, "its name at the endpoint", "gpt-5"),
}

"""The exec protocol of the OpenClaw gateway, version 1: ids on standard input, values out.

`{"protocolVersion":1,"provider":"…","ids":["…"]}` is answered, always with status 0, by
`{"protocolVersion":1,"values":{id: text},"errors":{id: {"code","message"}}}`: one failing id must
not take the others with it. Only a request that cannot be understood ends with another status.

What one resolver may hand out can be limited: in `settings.toml`, by the provider that the request
names, and on its command line. Where any is limited there, one without a limit is given nothing,
since whoever writes the gateway's configuration chooses the name.

Lean: the gateway starts up to fifty of these at once and gives them five seconds.
"""

from __future__ import annotations

import os
import time

from openclaw_cli.errors import DeniedError, OpenclawError, TemporaryError, UsageError
from openclaw_cli.leanjson import dumps, loads
from openclaw_cli.names import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from openclaw_cli.model import Secret
    from openclaw_cli.names import Reference
    from openclaw_cli.service import Secrets

VERSION = 1
MOST_IDS = 512
_EXAMPLE = '{"protocolVersion": 1, "provider": "openclaw-cli", "ids": ["NAME"]}'
MOST_REQUEST = 256 * 1024  # bytes
MOST_ANSWER = 1024 * 1024 - 64 * 1024  # bytes; the gateway counts standard error, too
SECONDS = 4.0  # the gateway kills us after five
PATIENCE = 2.5  # seconds for other backends; a slow one takes only its own ids with it
_LEAST_PATIENCE = 0.2  # seconds, where the request came late
_MARGIN = 1.0  # seconds kept for the record and the answer, on a laden machine


class Request:
    """What the gateway asks: the name it has for us, the ids, and until when it gets an answer."""

    __slots__ = ("began", "ids", "provider")

    def __init__(self, provider: str, ids: list[str], began: float) -> None:
        self.provider = provider
        self.ids = ids
        self.began = began

    def until(self, now: float) -> float:
        """Return until when other backends may take, on the clock of `now` (`time.monotonic`)."""
        left = SECONDS - _MARGIN - (now - self.began)
        return now + max(_LEAST_PATIENCE, min(PATIENCE, left))


def read_request(descriptor: int = 0, seconds: float = SECONDS, *, running: float = 0.0) -> Request:
    """Return the request on a descriptor, which is read to its end in any case.

    `running` is for how long this process has been, in seconds: the gateway's clock began then. A
    gateway whose pipe closes before it has written dies of it. Raises `UsageError` for what is
    not a request and `TemporaryError` when it does not end in time.
    """
    now = time.monotonic()
    began = now - running
    data = _drained(descriptor, now + max(_LEAST_PATIENCE, seconds - running))
    if len(data) > MOST_REQUEST:
        raise UsageError(f"the request has more than {MOST_REQUEST // 1024} KiB")
    try:
        request = loads(data)
    except ValueError:
        raise UsageError("the request is not JSON", hint=_EXAMPLE) from None
    if not isinstance(request, dict) or request.get("protocolVersion") is not VERSION:
        raise UsageError(f"the request is not one of protocol version {VERSION}", hint=_EXAMPLE)
    ids = request.get("ids")
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise UsageError("the request has no list of ids", hint=_EXAMPLE)
    if len(ids) > MOST_IDS:
        raise UsageError(f"the request has more than {MOST_IDS} ids")
    provider = request.get("provider", "")
    if not isinstance(provider, str):
        raise UsageError("the request's provider is not a text")
    return Request(provider, list(dict.fromkeys(ids)), began)


def answer(
    secrets: Secrets,
    request: Request,
    *,
    limits: Mapping[str, Mapping[str, Any]] | None = None,
    allow: Sequence[str] = (),
    previous: bool = False,
) -> bytes:
    """Return the answer to a request; every reading is recorded first, all of them in one batch.

    `limits` is `Settings.resolvers`, `allow` the patterns of the command line; an id must fit both.
    `previous` hands out the versions before the current ones: a gateway is told of its new token
    by somebody who knows the old one.
    """
    secrets.actor = _asking(secrets.actor, request.provider)
    secrets.until = request.until(time.monotonic())
    found: dict[str, Secret | OpenclawError] = {}
    wanted: dict[str, Reference] = {}
    for each in request.ids:
        try:
            wanted[each] = parse(each)
        except OpenclawError as refused:
            found[each] = refused
    secrets.permit = _permit(secrets, wanted.values(), request.provider, limits or {}, allow)
    if previous and wanted:
        _set_back(secrets, wanted.values())
    if wanted:
        found.update(_read(secrets, wanted))
    return _written(found)


def _set_back(secrets: Secrets, wanted: Iterable[Reference]) -> None:
    from openclaw_cli.model import PREVIOUS

    entries = secrets.catalogue().entries
    for each in wanted:
        entry = entries.get(each.path) if not each.backend else None
        row = next((row for row in entry.rows if row.stage == PREVIOUS), None) if entry else None
        if row is not None and each.version is None:
            each.version = str(row.number)


def _read(secrets: Secrets, wanted: dict[str, Reference]) -> dict[str, Secret | OpenclawError]:
    try:
        answers = secrets.read_many(list(wanted.values()), purpose="resolve")
    except OpenclawError as refused:
        return dict.fromkeys(wanted, refused)
    return dict(zip(wanted, answers, strict=True))


def _asking(actor: dict[str, Any], provider: str) -> dict[str, Any]:
    """Return the gateway's process as the one who asks: ours is gone when the record is read."""
    from openclaw_cli.sanitize import safe

    asking = {**actor, "pid": os.getppid(), "via": "gateway"}
    if provider:
        asking["provider"] = safe(provider[:128])
    return asking


def _permit(
    secrets: Secrets,
    wanted: Iterable[Reference],
    provider: str,
    limits: Mapping[str, Mapping[str, Any]],
    allow: Sequence[str],
) -> Callable[[Reference], OpenclawError | None] | None:
    if not limits and not allow:
        return None
    own = [limits.get(provider, {}).get("allow", [])] if limits else []
    old = {id(each) for each in wanted if each.version is not None}  # `_set_back` sets others

    def refused(reference: Reference) -> OpenclawError | None:
        path = reference.path
        name = f"{reference.backend}://{path}" if reference.backend else path
        field = reference.field
        shown = f"{name}#{field}" if field else name
        if id(reference) in old:
            return DeniedError(f"this resolver may not hand out another version of {shown}")
        inside = not field or secrets.gives(reference)
        for patterns in [*own, *([allow] if allow else [])]:
            if not any(_covers(pattern, name, field, inside=inside) for pattern in patterns):
                return DeniedError(f"this resolver may not hand out {shown}")
        return None

    return refused


def _covers(pattern: str, name: str, field: str, *, inside: bool) -> bool:
    """Tell whether a limit's pattern covers a name's field; one without, what is inside."""
    first, separator, last = pattern.partition("#")
    return fits(name, first) and (bool(field) and fits(field, last) if separator else inside)


def fits(name: str, pattern: str) -> bool:
    """Tell whether a name fits a pattern, in which `*` is any text; by hand, `re` is not lean."""
    first, *others = pattern.split("*")
    if not others:
        return name == pattern
    last = others.pop()
    if not name.startswith(first) or len(name) < len(first) + len(last):
        return False
    at, end = len(first), len(name) - len(last)
    for each in others:
        found = name.find(each, at, end)
        if found < 0:
            return False
        at = found + len(each)
    return name.endswith(last)


def _written(found: dict[str, Secret | OpenclawError]) -> bytes:
    values: dict[str, str] = {}
    errors: dict[str, Any] = {}
    left = MOST_ANSWER
    for each, answer in found.items():
        if isinstance(answer, OpenclawError):
            errors[each] = {"code": answer.kind.upper(), "message": answer.message}
            continue
        try:
            text = answer.value.reveal().decode()
        except UnicodeDecodeError:
            errors[each] = {"code": "NOT_TEXT", "message": f"{each} is not UTF-8 text"}
            continue
        left -= len(dumps(text)) + len(each)
        if left < 0:
            errors[each] = {"code": "TOO_LARGE", "message": "the answer would be over 1 MiB"}
        else:
            values[each] = text
    reply: dict[str, Any] = {"protocolVersion": VERSION, "values": values}
    if errors:
        reply["errors"] = errors
    return dumps(reply).encode() + b"\n"


def drain(descriptor: int = 0, seconds: float = 0.5) -> None:
    """Read what is left of a request that was not looked at, unless a person sits there."""
    if not os.isatty(descriptor):
        try:
            _drained(descriptor, time.monotonic() + seconds)
        except OpenclawError:
            return


def _drained(descriptor: int, deadline: float) -> bytes:
    """Return what comes until the end, only the beginning of it when it is too much."""
    import select

    kept = b""
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not ready.poll(left * 1000):
            raise TemporaryError("the request did not end in time")
        try:
            chunk = os.read(descriptor, 64 * 1024)
        except OSError:
            raise UsageError("standard input cannot be read") from None
        if not chunk:
            return kept
        if len(kept) <= MOST_REQUEST:
            kept += chunk

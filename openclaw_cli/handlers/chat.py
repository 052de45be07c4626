"""The built-in chat: a request, and what was said before it, go to a model; its answer comes back.

When a model is busy or away, or has no key that it accepts, the next of `fallback` is asked. Each
key goes to its own endpoint and nowhere else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from openclaw_cli.agents.models import resolve
from openclaw_cli.agents.spec import Model
from openclaw_cli.errors import RefusedError, TemporaryError, UsageError
from openclaw_cli.handlers import endpoint, protocols
from openclaw_cli.handlers.endpoint import Asked, Status, Unreachable
from openclaw_cli.handlers.protocols import Answer, Failed, Wish

BUSY = frozenset((protocols.RATE_LIMITED, 503, protocols.OVERLOADED))
"""What a model answers that may be asked of another one."""

KEPT = 40
"""Messages of a session that are sent along at most."""
KEPT_CHARACTERS = 200_000

_REDIRECTS = range(300, 400)
_LOCAL = ("local/", "ollama/")


class Secrets(Protocol):
    """The request's own secrets, by name."""

    def __getitem__(self, name: str, /) -> str:
        """Return a value."""

    def __contains__(self, name: object, /) -> bool:
        """Tell whether a name was granted."""


class Context(Protocol):
    """What the chat needs of a handler's context."""

    settings: dict[str, Any]
    transcript: list[dict[str, Any]]

    @property
    def secrets(self) -> Secrets:
        """The request's own secrets."""

    @property
    def remaining(self) -> float:
        """Seconds that are left."""

    def emit(self, chunk: str) -> None:
        """Send a part of the answer ahead."""

    def log(self, message: str, **fields: object) -> None:
        """Write a line into the gateway's log."""


class _Busy(Exception):  # noqa: N818  a model's state, not a mistake
    """A model cannot answer now; another may. `error` is what to say where no other is left."""

    def __init__(
        self, why: str, status: int = 0, wait: float = 0.0, error: RefusedError | None = None
    ) -> None:
        super().__init__(why)
        self.why = why
        self.status = status
        self.wait = wait
        self.error = error


def warmup() -> None:
    """Make ready what does not belong to any request."""
    endpoint.warm()


class Chat:
    """One conversation: it remembers what was said while its instance lives."""

    def __init__(self) -> None:
        self._said: list[dict[str, str]] = []
        self._resting: dict[str, float] = {}

    def start(self, context: Context) -> None:
        """Take up what was said before this instance."""
        for each in context.transcript:
            self._add(asked(each["input"]), text(each["output"]))

    def turn(self, given: Any, context: Context) -> dict[str, Any]:  # noqa: ANN401  any JSON
        """Answer one request; raises our own errors, which name no value."""
        said = asked(given)
        settings = context.settings
        models = {name: Model(**each) for name, each in settings["models"].items()}
        names = [settings["model"], *settings["fallback"]]
        wish = Wish(settings["system"], settings["max_tokens"], settings["deterministic"])
        passed: list[dict[str, Any]] = []
        lacking: list[RefusedError] = []
        for at, name in enumerate(names):
            try:
                self._refuse_resting(name)
                model = resolve(name, models)
                answer = _answered(model, _trimmed([*self._said, *said]), wish, context)
            except _Busy as busy:
                lacking += [busy.error] if busy.error else []
                passed.append(
                    {
                        "model": name,
                        "status": busy.status,
                        "retry_after": busy.wait,
                        "why": busy.why,
                    }
                )
                self._note(name, busy, names[at + 1 :], context)
                continue
            self._add(said, answer.text)
            found = {"text": answer.text, "model": name, "stop": answer.stop, "usage": answer.usage}
            return {**found, "passed": passed} if passed else found
        if len(lacking) == len(passed):
            raise lacking[0]
        waits = [each["retry_after"] for each in passed if each["retry_after"]]
        hint = f"try again in {min(waits):g} s" if waits else "try again later"
        tried = ", ".join(f"{each['model']} ({each['status'] or each['why']})" for each in passed)
        raise TemporaryError(f"no model answers: {tried}", hint=hint)

    def _note(self, name: str, busy: _Busy, others: list[str], context: Context) -> None:
        """Write the line that people look for, and do not ask again before it is time."""
        if busy.wait:
            self._resting.setdefault(name, time.monotonic() + busy.wait)
        if not others:
            return
        to = "local" if others[0].startswith(_LOCAL) else others[0]
        fields = {"model": name, "next": others[0], "status": busy.status}
        if busy.error:
            fields["error"] = busy.error.message
        if busy.wait:
            fields["retry_after"] = busy.wait
        context.log(f"Cloud API {busy.why}, fallback to {to}", **fields)

    def _refuse_resting(self, name: str) -> None:
        left = self._resting.get(name, 0.0) - time.monotonic()
        if left > 0:
            raise _Busy("rate limited", protocols.RATE_LIMITED, round(left, 1))
        self._resting.pop(name, None)

    def _add(self, asked: list[dict[str, str]], answer: str) -> None:
        self._said += [*asked, {"role": "assistant", "content": answer}]
        self._said = _trimmed(self._said)


handle = Chat


def _answered(model: Model, said: list[dict[str, str]], wish: Wish, context: Context) -> Answer:
    """Ask one model; raises `_Busy` where another may be asked instead."""
    answer = Answer()
    try:
        endpoint.ask(
            model.endpoint,
            protocols.path(model.protocol, urlsplit(model.endpoint).path),
            protocols.headers(model.protocol, _key(model, context.secrets)),
            protocols.request(model.protocol, model.called or model.name, said, wish),
            lambda: context.remaining,
            lambda asked: _taken(model.protocol, asked, answer, context.emit),
        )
    except Unreachable as away:
        _refuse_half(answer, model)
        raise _Busy("unreachable") from away
    except Status as refused:
        raise _meaning(model, refused) from None
    except Failed as failed:
        _refuse_half(answer, model)
        if failed.status in BUSY:
            raise _Busy(_why(failed.status), failed.status) from None
        raise RefusedError(f"{model.name} failed: {failed.code}") from None
    except (ValueError, RecursionError):
        raise RefusedError(
            f"what answers for {model.name} does not speak {model.protocol}",
            hint=f'models."{model.name}": endpoint and protocol in the settings',
        ) from None
    return answer


def _taken(protocol: str, asked: Asked, answer: Answer, emit: Callable[[str], None]) -> None:
    if not asked.is_stream:
        found = protocols.whole(protocol, asked.all())
        answer.text, answer.stop, answer.usage = found.text, found.stop, found.usage
        emit(answer.text)
        return
    for data in asked.events():
        piece = protocols.take(protocol, data, answer)
        if piece:
            emit(piece)
    if not answer.done and not answer.stop:
        raise Unreachable("it broke off")


def _refuse_half(answer: Answer, model: Model) -> None:
    """Refuse to go on with another model after half an answer: the two would be mixed."""
    if answer.text:
        raise TemporaryError(f"the answer of {model.name} broke off", hint="try again")


def _meaning(model: Model, refused: Status) -> Exception:
    code = protocols.error_code(refused.body)
    word = f", {code}" if code != "unknown" else ""
    if refused.status in BUSY:
        return _Busy(_why(refused.status), refused.status, refused.wait)
    if refused.status in _REDIRECTS:
        return RefusedError(
            f"the endpoint of {model.name} sends us to another address, which we do not follow"
        )
    if refused.status in (401, 403):
        secret = model.secret or "a secret"
        error = RefusedError(
            f"{model.name} does not accept {secret} ({refused.status}{word})",
            hint=f"openclaw secrets set {secret}" if model.secret else 'models: "secret": NAME',
        )
        return _Busy("refuses its key", refused.status, error=error)
    return RefusedError(f"{model.name} answers {refused.status}{word}")


def _why(status: int) -> str:
    return "rate limited" if status == protocols.RATE_LIMITED else "overloaded"


def _key(model: Model, secrets: Secrets) -> str:
    if not model.secret:
        return ""
    if model.secret not in secrets:
        error = RefusedError(
            f"{model.name} needs the secret {model.secret}",
            hint=f"openclaw secrets create {model.secret}",
        )
        raise _Busy("has no key", error=error)
    key = secrets[model.secret].rstrip("\r\n")
    if not key.isascii() or not key.isprintable():
        error = RefusedError(f"{model.secret} is not an API key: it has letters that none has")
        raise _Busy("has no key", error=error)
    return key


def asked(given: Any) -> list[dict[str, str]]:  # noqa: ANN401  any JSON
    """Return what a request says: a text, `{"prompt"}`, or `{"messages"}` as the services have."""
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if isinstance(given, Mapping):
        messages = given.get("messages")
        if isinstance(messages, list) and messages and all(map(_is_message, messages)):
            return [{"role": each["role"], "content": each["content"]} for each in messages]
        for key in ("prompt", "message", "input", "text"):
            if isinstance(given.get(key), str):
                return [{"role": "user", "content": given[key]}]
    if given in (None, "", [], {}):
        raise UsageError("there is nothing to answer", hint='{"prompt": "..."}')
    return [{"role": "user", "content": json.dumps(given, ensure_ascii=False)}]


def _is_message(found: object) -> bool:
    return (
        isinstance(found, Mapping)
        and found.get("role") in ("user", "assistant")
        and isinstance(found.get("content"), str)
    )


def text(output: Any) -> str:  # noqa: ANN401  an answer of ours, or of the handler before us
    found = output.get("text") if isinstance(output, Mapping) else output
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _trimmed(said: list[dict[str, str]]) -> list[dict[str, str]]:
    """Keep the newest messages that fit; the first of them is a person's."""
    kept: list[dict[str, str]] = []
    left = KEPT_CHARACTERS
    for each in reversed(said[-KEPT:]):
        left -= len(each["content"])
        if left < 0 and kept:
            break
        kept.append(each)
    while len(kept) > 1 and kept[-1]["role"] != "user":
        kept.pop()
    return kept[::-1]

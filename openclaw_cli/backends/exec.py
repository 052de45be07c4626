"""Secrets that a program of yours finds: `exec://providers/openai/apiKey`.

It speaks the exec protocol of the OpenClaw gateway, version 1, so a resolver written for one works
under the other: one JSON request on standard input, one JSON answer on standard output. With
`format = raw` a program prints the value of the one name it is given as its last argument.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import time
from collections.abc import Mapping, Sequence

from openclaw_cli.backends.connect import ownership
from openclaw_cli.backends.connect.program import Limits, Running, answer
from openclaw_cli.backends.protocols import (
    ONLY,
    Health,
    Setting,
    Settings,
    checked_path,
    checked_settings,
    part,
    the_only,
)
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.model import MAX_VALUE, Secret, SecretValue, Version

PROTOCOL = 1
MOST_IDS = 512  # of one request: the gateway's own limit, which resolvers are written for
_AT_ONCE = 8  # programs, where each is asked for one name
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,255}")
_JSON, _RAW = "json", "raw"

# What would choose the code that the program runs. Set with `env`, never taken from outside.
_CHOOSES_CODE = re.compile(
    r"(?:LD_|DYLD_|PYTHON|PERL5|RUBY|GIT_|GCONV_PATH\Z|IFS\Z|ENV\Z|BASH_ENV\Z|NODE_OPTIONS\Z).*"
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_HINT = "in the table [backends.exec] of settings.toml: command ="

_Found = dict[str, Secret | OpenclawError]


class ExecBackend:
    SETTINGS = (
        Setting("command", "", "The absolute path of the program."),
        Setting("args", "", "Its arguments, in words as a shell reads them."),
        Setting("format", _JSON, "What it speaks: json (the exec protocol) or raw."),
        Setting("provider", "openclaw", "The provider that the request names."),
        Setting("pass-env", "", "The names of variables that it gets from our environment."),
        Setting("env", "", "Variables that it gets, as NAME=value words.", secret=True),
        Setting("timeout", 10.0, "Seconds for an answer."),
        Setting("no-output-timeout", 0.0, "Seconds without any output; 0 is no such limit."),
    )

    def __init__(self, settings: Settings) -> None:
        found = checked_settings(settings, self.SETTINGS, "exec")
        self._command = _command(str(found["command"]))
        self._args = _words(str(found["args"]), "args")
        self._format = str(found["format"])
        self._provider = str(found["provider"])
        self._passed = _passed(_words(str(found["pass-env"]), "pass-env"))
        self._env = _variables(_words(str(found["env"]), "env"))
        self._limits = Limits(float(found["timeout"]), float(found["no-output-timeout"]))
        self._running = Running()
        if self._format not in (_JSON, _RAW):
            raise ConfigError("the format of the exec backend is json or raw")

    def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
        """Return what the program answers; raises what `get_many` would return."""
        found = self.get_many([path])[path]
        if isinstance(found, OpenclawError):
            raise found
        the_only(version, path)
        found.value = part(found.value.reveal(), field, path)
        return found

    def get_many(self, paths: Sequence[str]) -> _Found:
        """Ask for all in one process, or in one for each where the format is raw.

        `DeniedError` for a program that others could have changed, `ConfigError` for one that is
        not there or cannot be started, `TemporaryError` for one that is too slow, `RefusedError`
        for one that fails or answers something else.
        """
        found: _Found = {}
        wanted = []
        for path in dict.fromkeys(paths):
            try:
                wanted.append(_id(path))
            except UsageError as refused:
                found[path] = refused
        if self._format == _RAW:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(_AT_ONCE) as programs:
                found.update(zip(wanted, programs.map(self._raw, wanted), strict=True))
            return found
        deadline = time.monotonic() + self._limits.seconds
        for start in range(0, len(wanted), MOST_IDS):
            found.update(self._asked(wanted[start : start + MOST_IDS], deadline))
        return found

    def check(self) -> Health:
        """Say whether the program may be run. It is not run."""
        try:
            self._trusted()
        except OpenclawError as refused:
            return Health(reachable=False, problems=((refused.message, refused.hint),))
        return Health(reachable=True, identity=self._command, detail=f"speaks {self._format}")

    def give_up(self) -> None:
        """End what is running: whoever asked goes without its answer."""
        self._running.end()

    def _asked(self, ids: list[str], deadline: float) -> _Found:
        request = {"protocolVersion": PROTOCOL, "provider": self._provider, "ids": ids}
        left = Limits(max(0.0, deadline - time.monotonic()), self._limits.quiet_seconds)
        try:
            data = self._run(self._args, json.dumps(request, separators=(",", ":")).encode(), left)
            values, errors = self._answer(data)
        except OpenclawError as refused:
            return dict.fromkeys(ids, refused)
        return {each: self._one(each, values, errors) for each in ids}

    def _raw(self, path: str) -> Secret | OpenclawError:
        try:
            value = self._run([*self._args, path], b"", self._limits)
        except OpenclawError as refused:
            return refused
        return self._secret(path, value.removesuffix(b"\n"))

    def _run(self, args: list[str], request: bytes, limits: Limits) -> bytes:
        """Return what the program wrote to standard output, once it has ended with status 0."""
        self._trusted()
        passed = {name: os.environ[name] for name in self._passed if name in os.environ}
        return answer(
            [self._command, *args], request, {**passed, **self._env}, limits, self._running
        )

    def _trusted(self) -> None:
        """Raise unless nobody else could have put the program there."""
        try:
            ownership.plain_file(self._command)
            entry = os.lstat(self._command)
        except FileNotFoundError:
            raise ConfigError(
                f"the program of the exec backend is not there: {self._command}",
                hint=f'{_HINT} "/an/absolute/path"',
            ) from None
        if stat.S_ISLNK(entry.st_mode):
            real = os.path.realpath(self._command)
            raise DeniedError(
                f"{self._command} is a symbolic link",
                hint=f'{_HINT} "{real}"',
            )
        ownership.check_owner(entry, self._command)
        if not os.access(self._command, os.X_OK):
            raise ConfigError(
                f"{self._command} is not executable", hint=f"chmod u+x {shlex.quote(self._command)}"
            )

    def _answer(self, data: bytes) -> tuple[Mapping[str, object], Mapping[str, object]]:
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            raise RefusedError(f"what {self._command} wrote is not JSON") from None
        version = answer.get("protocolVersion") if isinstance(answer, dict) else None
        if type(version) is not int or version != PROTOCOL:
            raise RefusedError(f"{self._command} did not answer in protocol version {PROTOCOL}")
        values, errors = answer.get("values", {}), answer.get("errors", {})
        if not isinstance(values, dict) or not isinstance(errors, dict):
            raise RefusedError(f"{self._command} did not answer in protocol version {PROTOCOL}")
        return values, errors

    def _one(
        self, path: str, values: Mapping[str, object], errors: Mapping[str, object]
    ) -> Secret | OpenclawError:
        if path in errors:
            return self._error(path, errors[path])
        value = values.get(path)
        if not isinstance(value, str):
            return RefusedError(f"{self._command} gave no text for {path}")
        try:
            return self._secret(path, value.encode())
        except UnicodeEncodeError:
            return RefusedError(f"{self._command} gave half a surrogate pair for {path}")

    def _error(self, path: str, error: object) -> OpenclawError:
        """Turn the program's code into ours; its message is not ours to show."""
        code = error.get("code") if isinstance(error, dict) else None
        if code == "NOT_FOUND":
            return NotFoundError(f"{self._command} has no {path}")
        if code == "DENIED":
            return DeniedError(f"{self._command} may not give {path}")
        if code == "TEMPORARY":
            return TemporaryError(f"{self._command} cannot give {path} now")
        return RefusedError(f"{self._command} refused to give {path}")

    def _secret(self, path: str, value: bytes) -> Secret | OpenclawError:
        if not value:
            return RefusedError(f"{self._command} gave an empty value for {path}")
        if len(value) > MAX_VALUE:
            return RefusedError(f"{self._command} gave more than 64 KiB for {path}")
        return Secret(SecretValue(value), Version(ONLY), "exec")


def _id(path: str) -> str:
    """Return the path, or raise `UsageError` for what the protocol has no room for."""
    if not _ID.fullmatch(checked_path(path)):
        raise UsageError(
            f"not a name for the exec backend: {path}",
            hint="use letters, digits and . _ : / - , starting with a letter or digit",
        )
    return path


def _command(path: str) -> str:
    if not path:
        raise ConfigError(
            "the exec backend has no program",
            hint=f'{_HINT} "/an/absolute/path"',
        )
    if not path.startswith("/") or path != os.path.normpath(path):
        raise ConfigError("the program of the exec backend is not a plain absolute path")
    return path


def _words(text: str, setting: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        raise ConfigError(
            f"the setting {setting} of the exec backend has an unclosed quote"
        ) from None


def _passed(names: list[str]) -> list[str]:
    for name in names:
        if not _NAME.fullmatch(name):
            raise ConfigError("pass-env of the exec backend takes names of variables")
        if _CHOOSES_CODE.fullmatch(name):
            raise ConfigError(
                f"{name} chooses the code that a program runs, so it is not passed on",
                hint=f'give it a value of its own: env = "{name}=..."',
            )
    return names


def _variables(words: list[str]) -> dict[str, str]:
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise ConfigError("env of the exec backend takes words of the form NAME=value")
        found[name] = value
    return found

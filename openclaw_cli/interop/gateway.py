"""The OpenClaw gateway's own program: found, told apart from ours, asked, and told of new values.

Both are called `openclaw`. Where the gateway is and which state directory is its, `setup` keeps in
a note, so that what runs under cron, with a PATH of two folders, finds it as well.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from openclaw_cli.audit.announcing import announced
from openclaw_cli.errors import (
    ConfigError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.files import Directory, failure, private_directory
from openclaw_cli.which import folders, which

if TYPE_CHECKING:
    from openclaw_cli.home import Home
    from openclaw_cli.service import Secrets

PROGRAM = "openclaw"
CONFIG = "openclaw.json"
FOLDER = "interop"
_NOTE = "gateway.json"

SECONDS = 60.0
"""How long one call of the gateway's program may take; it starts in one or two."""

RELOADED = "gateway_reload"
"""The kind of the record that says whether the gateway was told of new values."""

_START = 4096  # bytes of a script that name what it runs
_PACKAGE = 16 * 1024 * 1024
_VERSION = re.compile(r"\b(20\d{2})\.(\d{1,2})\.(\d{1,3})")
_VALIDATES = (2026, 3, 0)  # from here on there is `config validate`
_UPWARDS = 4  # folders between a program and its package.json


@dataclass(frozen=True, slots=True)
class Gateway:
    """An installed gateway: how it is started, its version, and the state it is used with."""

    command: tuple[str, ...]
    version: tuple[int, ...]
    state: str
    config: str

    @property
    def shown(self) -> str:
        """Its version, as it writes it."""
        return ".".join(map(str, self.version))

    def run(self, *arguments: str, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
        """Run its program; raises `TemporaryError` when it takes too long."""
        return self._started(arguments, self.config, seconds)

    def accepts(self, config: str) -> str:
        """Return why it would not start with a config file, "" when it would.

        Only keys are named in the answer: that is all that is taken from what it says.
        """
        validates = self.version >= _VALIDATES
        line = ("config", "validate", "--json") if validates else ("config", "get", "gateway")
        done = self._started(line, config, SECONDS)
        if validates:
            return "" if done.returncode == 0 else _issues(done.stdout)
        told = done.stdout + done.stderr
        return "it says that it is invalid" if "nvalid config" in told else ""

    def audit(self) -> dict[str, Any]:
        """Return the report of its own audit, in which every reference is resolved."""
        done = self.run("secrets", "audit", "--json", *self._allow_exec())
        report = _json(done.stdout)
        if report is None:
            raise RefusedError("the gateway's audit gave no report", hint=self.by_hand("audit"))
        return report

    def reload(self, config: str = "") -> None:
        """Have the running gateway take new values; raises `TemporaryError` when it does not.

        `config` says how to sign in, where that is not as its configuration says.
        """
        line = ("secrets", "reload", "--json")
        done = self._started(line, config or self.config, SECONDS)
        answer = _json(done.stdout)
        if done.returncode or answer is None or answer.get("ok") is False:
            raise TemporaryError(
                "the gateway was not reached, or did not take the new values",
                hint=self.by_hand("reload"),
            )

    def _allow_exec(self) -> tuple[str, ...]:
        return ("--allow-exec",) if self.version >= _VALIDATES else ()

    def by_hand(self, *words: str) -> str:
        """Return the line for a person that runs one of its commands about secrets."""
        allow = self._allow_exec() if words[0] != "reload" else ()
        return shlex.join([self.command[-1], "secrets", *words, *allow])

    def _started(
        self, arguments: Sequence[str], config: str, seconds: float
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "OPENCLAW_STATE_DIR": self.state,
            "OPENCLAW_CONFIG_PATH": config,
            "PATH": f"{os.path.dirname(self.command[0])}:{os.environ.get('PATH', os.defpath)}",
            "NO_COLOR": "1",
        }
        try:
            return subprocess.run(  # noqa: S603  the program that `find` found
                [*self.command, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TemporaryError(
                f"{self.command[-1]} did not end within {seconds:g} seconds"
            ) from None
        except OSError as refused:
            raise failure("start", self.command[0], refused) from None


def find(
    environ: Mapping[str, str], *, program: str = "", state: str = "", config: str = ""
) -> Gateway:
    """Return the gateway that is installed: the first `openclaw` on PATH that is not ours.

    `state` and `config` are what it is used with, by default what the environment says. Raises
    `NotFoundError` where there is none.
    """
    from openclaw_cli.home import Home
    from openclaw_cli.home import find as home

    paths = [program] if program else candidates(environ)
    for path in paths:
        version, script = _version(path)
        if version:
            root = state or home({**environ, "OPENCLAW_ENVIRONMENT": ""}).root
            chosen = config or ("" if state else environ.get("OPENCLAW_CONFIG_PATH", ""))
            command = _command(path, script, environ)
            return Gateway(command, version, Home(root).root, chosen or f"{root}/{CONFIG}")
    if program:
        raise NotFoundError(f"{program} is not the OpenClaw gateway's program")
    raise NotFoundError(
        "the OpenClaw gateway's own openclaw is not on PATH",
        hint="--gateway /path/to/its/openclaw",
    )


def candidates(environ: Mapping[str, str]) -> list[str]:
    """Return every `openclaw` on PATH that is not ours, in the order of PATH."""
    found = []
    for folder in folders(environ.get("PATH", os.defpath)):
        path = f"{folder}/{PROGRAM}"
        if os.access(path, os.X_OK) and os.path.isfile(path) and not ours(path):
            found.append(os.path.abspath(path))
    return list(dict.fromkeys(found))


def ours(path: str) -> bool:
    """Tell whether a command runs this package: its script says so."""
    return b"openclaw_cli" in _beginning(path)


def remember(home: Home, gateway: Gateway) -> None:
    """Note which gateway is served, for `reload`."""
    folder = private_directory(f"{home.root}/{FOLDER}")
    try:
        folder.replace(_NOTE, [json.dumps(asdict(gateway)).encode()])
    finally:
        folder.close()


def remembered(home: Home) -> Gateway | None:
    """Return the gateway of the note, None where there is none that can be read."""
    try:
        folder = Directory(f"{home.root}/{FOLDER}")
        try:
            noted = json.loads(folder.read(_NOTE, _START))  # it names a program to start
        finally:
            folder.close()
        return Gateway(
            tuple(map(str, noted["command"])),
            tuple(map(int, noted["version"])),
            str(noted["state"]),
            str(noted["config"]),
        )
    except (OSError, OpenclawError, ValueError, KeyError, TypeError):
        return None


def reload(secrets: Secrets, names: Sequence[str] = ()) -> bool:
    """Tell the gateway that was set up that values have changed; return whether there is one.

    Its outcome is recorded, and a failure raised as `TemporaryError`: the gateway goes on with the
    values it had. Call it after a rotation; without a gateway it does nothing.
    """
    from openclaw_cli.interop.own_token import sign_ins

    gateway = remembered(secrets.home)
    if gateway is None:
        return False
    event: dict[str, Any] = {"kind": RELOADED, "names": sorted(names), "actor": secrets.actor}
    snapshot = secrets.opened()  # the trail needs its key
    try:
        with (
            announced(secrets.trail, event),
            sign_ins(secrets.home, gateway.config, names, FOLDER) as ways,
        ):
            _reloaded(gateway, ways)
    finally:
        snapshot.close()
    return True


def _reloaded(gateway: Gateway, ways: Sequence[str]) -> None:
    for way in ways[:-1]:
        with suppress(TemporaryError):
            gateway.reload(way)
            return
    gateway.reload(ways[-1])


def _version(path: str) -> tuple[tuple[int, ...], str]:
    """Return the version of the gateway that a path starts and its script, nothing for another."""
    script = os.path.realpath(path)
    for named in _packages(script):
        number = _VERSION.search(str(named.get("version", "")))
        if named.get("name") == PROGRAM and number:
            return tuple(map(int, number.groups())), script
    if b"node" not in _beginning(path) and b"openclaw" not in _beginning(path):
        return (), ""
    try:  # a shim of a package manager: what it starts says which version it is
        done = subprocess.run(  # noqa: S603  the program that is being looked for
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return (), ""
    number = _VERSION.search(done.stdout)
    return (tuple(map(int, number.groups())) if number else ()), path


def _packages(script: str) -> Iterator[dict[str, Any]]:
    folder = os.path.dirname(script)
    for _ in range(_UPWARDS):
        try:
            with open(f"{folder}/package.json", encoding="utf-8") as file:
                named = _json(file.read(_PACKAGE))
        except (OSError, UnicodeDecodeError):
            named = None
        if named:
            yield named
        folder = os.path.dirname(folder)


def _command(path: str, script: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Start a script by the Node that PATH finds now: under cron its `env node` finds none."""
    if not script.endswith((".mjs", ".js", ".cjs")):
        return (path,)
    node = which("node", path=environ.get("PATH"))
    if node is None:
        raise ConfigError("node is not on PATH, and the gateway needs it", hint="command -v node")
    return os.path.realpath(node), script


def _beginning(path: str) -> bytes:
    try:
        with open(path, "rb") as script:
            return script.read(_START)
    except OSError:
        return b""


def _issues(report: str) -> str:
    found = (_json(report) or {}).get("issues")
    places = [str(each.get("path", "")) for each in found or [] if isinstance(each, dict)]
    return f"it refuses {', '.join(places[:3]) or 'it'}"


def _json(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None

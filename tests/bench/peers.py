"""Other tools in the same run: one secret of a hundred, its exact bytes checked.

`tests/bench/peers.sh` installs them; what is not there is named and left out. They do different
things: some decrypt one file, some ask a service that runs already, some read plain text.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.measure import Command, environment, memory, paired
from tests.bench.report import Table
from tests.bench.sections import Bench

INSTALLED = Path(__file__).resolve().parents[2] / ".build" / "peers"
SECRETS = 100
_SEARCHED = os.pathsep.join(
    [
        os.environ.get("PATH", os.defpath),
        str(INSTALLED / "venv" / "bin"),
        str(INSTALLED / "node" / "node_modules" / ".bin"),
    ]
)
_PASSWORD = b"a password for a benchmark\n"


@dataclass
class Place:
    """A throw-away home for one tool, and the secrets to put into it."""

    path: Path
    env: dict[str, str]
    values: dict[str, bytes] = field(
        default_factory=lambda: {
            f"key_{number}": b"sk-proj-%040d" % number for number in range(100)
        }
    )

    def run(self, *argv: str, given: bytes = b"") -> None:
        """Run a step of the preparation."""
        subprocess.run(
            argv, input=given, env=self.env, cwd=self.path, capture_output=True, check=True
        )

    def reading(self, *argv: str, given: bytes = b"", newline: bool = False) -> Command:
        """Return the command that reads one secret."""
        answer = self.values[WANTED] + (b"\n" if newline else b"")
        return Command([_found(argv[0]), *argv[1:]], self.env, given, answer)


WANTED = "key_50"


def _age(place: Place) -> Command:
    place.run("age-keygen", "-o", f"{place.path}/identity")
    recipient = subprocess.run(
        ["age-keygen", "-y", f"{place.path}/identity"], capture_output=True, text=True, check=True
    ).stdout.strip()
    for name, value in place.values.items():
        place.run("age", "-r", recipient, "-o", f"{place.path}/{name}.age", given=value)
    return place.reading("age", "-d", "-i", f"{place.path}/identity", f"{place.path}/{WANTED}.age")


def _openssl(place: Place) -> Command:
    (place.path / "password").write_bytes(_PASSWORD)
    words = ["openssl", "enc", "-aes-256-ctr", "-pbkdf2", "-pass", f"file:{place.path}/password"]
    for name, value in place.values.items():
        place.run(*words, "-out", f"{place.path}/{name}.enc", given=value)
    return place.reading(*words, "-d", "-in", f"{place.path}/{WANTED}.enc")


def _gpg_key(place: Place) -> None:
    quietly = ["gpg", "--batch", "--quiet", "--passphrase", ""]
    place.run(*quietly, "--quick-generate-key", "bench@localhost", "default", "default")


def _gpg(place: Place) -> Command:
    _gpg_key(place)
    for name, value in place.values.items():
        file = f"{place.path}/{name}.gpg"
        place.run("gpg", "--batch", "-q", "-r", "bench@localhost", "-eo", file, given=value)
    return place.reading("gpg", "--batch", "-qd", f"{place.path}/{WANTED}.gpg")


def _pass(place: Place) -> Command:
    _gpg_key(place)
    place.run("pass", "init", "bench@localhost")
    for name, value in place.values.items():
        place.run("pass", "insert", "-m", name, given=value + b"\n")
    return place.reading("pass", "show", WANTED, newline=True)


def _secret_tool(place: Place) -> Command:
    for name, value in place.values.items():
        words = ["--label", name, "service", "bench", "username", name]
        place.run("secret-tool", "store", *words, given=value)
    return place.reading("secret-tool", "lookup", "service", "bench", "username", WANTED)


def _keyring(place: Place) -> Command:
    for name, value in place.values.items():
        place.run(_found("keyring"), "set", "bench", name, given=value)
    return place.reading("keyring", "get", "bench", WANTED, newline=True)


def _keepassxc(place: Place) -> Command:
    base = f"{place.path}/base.kdbx"
    twice = _PASSWORD * 2
    place.run("keepassxc-cli", "db-create", "-q", "-p", "-t", "100", base, given=twice)
    for name, value in place.values.items():
        given = _PASSWORD + value + b"\n"
        place.run("keepassxc-cli", "add", "-q", "-p", base, name, given=given)
    words = ["keepassxc-cli", "show", "-q", "-s", "-a", "Password", base, WANTED]
    return place.reading(*words, given=_PASSWORD, newline=True)


def _env_file(place: Place) -> str:
    file = place.path / ".env"
    lines = [f"{name}={value.decode()}\n" for name, value in place.values.items()]
    file.write_text("".join(lines))
    return str(file)


def _dotenv(place: Place) -> Command:
    return place.reading("dotenv", "-f", _env_file(place), "get", WANTED, newline=True)


def _dotenvx(place: Place) -> Command:
    file = _env_file(place)
    place.run(_found("dotenvx"), "encrypt", "-f", file)
    return place.reading("dotenvx", "get", WANTED, "-f", file, newline=True)


@dataclass(frozen=True)
class Peer:
    """A tool: the program that must be there, what it does, and how it is made to read."""

    program: str
    does: str
    ready: Callable[[Place], Command]


PEERS: Mapping[str, Peer] = {
    "age -d": Peer("age", "decrypts one file", _age),
    "openssl enc -d": Peer("openssl", "decrypts one file", _openssl),
    "gpg -d": Peer("gpg", "decrypts one file, by an agent that runs", _gpg),
    "pass show": Peer("pass", "the same, by a shell script", _pass),
    "secret-tool lookup": Peer("secret-tool", "asks a keyring that runs", _secret_tool),
    "keyring get": Peer("keyring", "asks a keyring that runs", _keyring),
    "keepassxc-cli show": Peer("keepassxc-cli", "opens one file by a password", _keepassxc),
    "dotenv get": Peer("dotenv", "reads plain text", _dotenv),
    "dotenvx get": Peer("dotenvx", "decrypts a .env file", _dotenvx),
}


def tables(bench: Bench) -> list[Table]:
    """Measure ours and each of the others that is there."""
    titles = ("", "wall", "quartiles", "best of all", "CPU", "ms", "MiB", "what it does")
    note = (
        "In times of `openclaw secrets get` with as many secrets. The CPU of a service that runs "
        "beside (gpg-agent, a keyring) is not counted. openclaw's reading makes a durable record."
    )
    table = Table(f"peers: one secret of {SECRETS}", titles, note)
    ours = bench.home(SECRETS).get(50)
    missing = []
    with _keyring_running(bench.place / "bus") as bus:
        for name, peer in PEERS.items():
            if shutil.which(peer.program, path=_SEARCHED) is None:
                missing.append(name)
                continue
            with _place(bench, peer.program, bus) as place:
                command = peer.ready(place)
                found = paired(command, bench.times(40), ours)
                size = f"{memory(command, 1):.0f}"
            table.add(
                name,
                f"{found.median:.2f}x",
                f"{found.lower:.2f}-{found.upper:.2f}",
                f"{found.least:.2f}x",
                f"{found.cpu:.2f}x",
                f"{found.seconds * 1000:.1f}",
                size,
                peer.does,
            )
    if missing:
        print(f"not here: {', '.join(missing)}; install them: tests/bench/peers.sh")
    return [table]


@contextmanager
def _place(bench: Bench, name: str, bus: Mapping[str, str]) -> Iterator[Place]:
    """Give a home to one tool, and end the agent that it may leave running."""
    with bench.scratch(name) as path:
        env = environment(
            HOME=str(path),
            PATH=_SEARCHED,
            GNUPGHOME=str(path),
            PASSWORD_STORE_DIR=str(path / "store"),
            PYTHON_KEYRING_BACKEND="keyring.backends.SecretService.Keyring",
            **bus,
        )
        try:
            yield Place(path, env)
        finally:
            if shutil.which("gpgconf"):
                subprocess.run(["gpgconf", "--kill", "all"], env=env, check=False)


@contextmanager
def _keyring_running(path: Path) -> Iterator[Mapping[str, str]]:
    """Run a session bus with an unlocked keyring on it, where there are such."""
    if not (shutil.which("dbus-run-session") and shutil.which("gnome-keyring-daemon")):
        yield {}
        return
    for folder in ("data/keyrings", "run"):
        (path / folder).mkdir(mode=0o700, parents=True)
    home = {
        "HOME": str(path),
        "XDG_DATA_HOME": str(path / "data"),
        "XDG_CONFIG_HOME": str(path / "config"),
        "XDG_RUNTIME_DIR": str(path / "run"),
    }
    line = (
        "printf benchmark | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1;"
        'echo "$DBUS_SESSION_BUS_ADDRESS"; exec cat'
    )
    with subprocess.Popen(
        ["dbus-run-session", "--", "sh", "-c", line],
        env=environment(**home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as session:
        assert session.stdin is not None
        assert session.stdout is not None
        yield {"DBUS_SESSION_BUS_ADDRESS": session.stdout.readline().strip()}
        session.stdin.close()


def _found(program: str) -> str:
    path = shutil.which(program, path=_SEARCHED)
    assert path is not None
    return path

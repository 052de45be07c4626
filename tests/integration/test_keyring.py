"""The keyring slot on a real gnome-keyring, and on everything that can be wrong with one.

`secret-tool`, of another library, is the independent look at what was stored.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from openclaw_cli.errors import LockedError
from openclaw_cli.home import Home
from openclaw_cli.store.header import Header
from openclaw_cli.store.keys import keyring, slots
from openclaw_cli.testing.slots import DATA_KEY, SlotContract, new_header
from tests.conftest import Openclaw, Result

pytestmark = pytest.mark.integration

Main = Callable[..., Result]


class Desktop:
    """A session bus and a keyring daemon of their own, without a screen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("data/keyrings", "run", "cfg"):
            (folder / name).mkdir(parents=True, mode=0o700)
        self.environ = {
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "cfg"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "PATH": os.environ["PATH"],
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder}/bus",
        }
        self._bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", f"--address=unix:path={folder}/bus"],
            env=self.environ,
            stderr=subprocess.DEVNULL,
        )
        self._wait((folder / "bus").exists)
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self, password: bytes | None = b"test-pass") -> None:
        """Start the daemon, its collection unlocked with a password, or locked without."""
        command = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
        self._daemon = subprocess.Popen(
            [*command, "--unlock"] if password else command,
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert self._daemon.stdin
        self._daemon.stdin.write(password or b"")
        self._daemon.stdin.close()
        self._wait(self._serves)

    def stop(self) -> None:
        """End the daemon."""
        if self._daemon:
            self._daemon.send_signal(signal.SIGCONT)
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None

    def hang(self) -> None:
        """Keep the daemon from answering, without ending it."""
        assert self._daemon
        self._daemon.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        """End both."""
        self.stop()
        self._bus.terminate()
        self._bus.wait()

    def lookup(self, service: str, user: str) -> str:
        """Ask `secret-tool`, which is another program with another library."""
        done = subprocess.run(
            ["secret-tool", "lookup", "service", service, "username", user],
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
        return done.stdout

    def _serves(self) -> bool:
        done = subprocess.run(
            [
                *("dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"),
                *("org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"),
            ],
            env=self.environ,
            capture_output=True,
            check=False,
        )
        return b"boolean true" in done.stdout

    @staticmethod
    def _wait(ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not ready():
            assert time.monotonic() < deadline, "the keyring did not start"
            time.sleep(0.02)


@pytest.fixture
def off() -> Iterator[Desktop]:
    """Give a desktop whose keyring daemon is not started."""
    with TemporaryDirectory(dir="/tmp") as folder:  # short: a socket's path has 108 bytes
        made = Desktop(Path(folder))
        try:
            yield made
        finally:
            made.close()


@pytest.fixture
def desktop(off: Desktop, monkeypatch: pytest.MonkeyPatch) -> Desktop:
    """Give a desktop with an unlocked keyring, in this process's environment."""
    off.start()
    for name, value in off.environ.items():
        if name != "HOME":
            monkeypatch.setenv(name, value)
    return off


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "state"))


@pytest.fixture
def header() -> Header:
    return new_header()


@pytest.mark.usefixtures("desktop")
class TestKeyring(SlotContract):
    kind = "keyring"


def test_the_key_is_where_we_say_as_another_program_sees_it(
    desktop: Desktop, home: Home, header: Header
) -> None:
    slot, wrapping_key = slots.made(home, header.store, "keyring")
    service, user = f"openclaw/{header.store.hex()}", slot.id.hex()
    assert desktop.lookup(service, user) == wrapping_key.hex()
    assert keyring.where(home, header.store, slot) == f"{service}/{user}"
    keyring.forget(header.store, slot)
    assert desktop.lookup(service, user) == ""


def test_a_store_is_made_read_and_recovered_with_the_keyring(
    desktop: Desktop, openclaw: Openclaw, tmp_path: Path
) -> None:
    paper = str(tmp_path / "paper")
    openclaw("store", "init", "--key", "keyring", "--recovery-file", paper, check=0)
    openclaw("secrets", "set", "a", input=b"value", check=0)
    assert openclaw("secrets", "get", "a", check=0).out == b"value"
    assert not (tmp_path / "state" / "secrets" / "key").exists()
    openclaw("store", "check", check=0)
    openclaw("store", "rekey", "--recovery-file", paper, check=0)
    assert openclaw("secrets", "get", "a", check=0).out == b"value"
    desktop.stop()
    shutil.rmtree(desktop.folder / "data" / "keyrings")
    (desktop.folder / "data" / "keyrings").mkdir()
    desktop.start()
    lost = openclaw("secrets", "get", "a", check=5)
    assert b"the keyring has no key of this store" in lost.err
    backup = str(tmp_path / "b.oc")
    shutil.copyfile(tmp_path / "state" / "secrets" / "store.oc", backup)
    openclaw("store", "restore", backup, "--recovery-file", paper, "--yes", check=0)


def test_without_a_session_bus_the_answer_comes_quickly(openclaw: Openclaw, tmp_path: Path) -> None:
    began = time.monotonic()
    refused = openclaw("store", "init", "--key", "keyring", "--no-recovery", check=5)
    assert b"no keyring answers here" in refused.err
    assert time.monotonic() - began < 5  # a busy machine; alone it takes 0.4 s
    assert not (tmp_path / "state" / "secrets" / "store.oc").exists()


def test_without_a_daemon_the_answer_comes_quickly(off: Desktop, openclaw: Openclaw) -> None:
    began = time.monotonic()
    refused = openclaw(
        "store", "init", "--key", "keyring", "--no-recovery", env=off.environ, check=5
    )
    assert refused.err.startswith(b"openclaw: ")
    assert time.monotonic() - began < 15


def test_a_locked_collection_is_a_locked_store(
    desktop: Desktop, home: Home, header: Header
) -> None:
    slots.add(home, header, DATA_KEY, "keyring")
    desktop.stop()
    desktop.start(password=None)
    with pytest.raises(LockedError) as refused:
        slots.unlock_with(home, header, "keyring")
    assert "the keyring" in refused.value.message
    assert "unlock it on the desktop" in refused.value.hint


def test_a_service_that_hangs_is_given_up_at_the_limit(
    desktop: Desktop, home: Home, header: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots.add(home, header, DATA_KEY, "keyring")
    monkeypatch.setattr(keyring, "SECONDS", 1.5)
    desktop.hang()
    began = time.monotonic()
    with pytest.raises(LockedError, match=r"did not answer within 1\.5 seconds"):
        slots.unlock_with(home, header, "keyring")
    assert time.monotonic() - began < 6
    assert _children() == []


def test_a_store_with_another_key_opens_beside_a_hung_keyring(
    desktop: Desktop, home: Home, header: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots.add(home, header, DATA_KEY, "keyring")
    slots.add(home, header, DATA_KEY, "passphrase", b"correct horse battery")
    monkeypatch.setattr(keyring, "SECONDS", 1.0)
    desktop.hang()
    found = slots.unlock_asking(home, header, lambda _: b"correct horse battery")
    assert found == (DATA_KEY, "passphrase")


EVIL = """
import os
open(os.environ["TRACE"], "w").write("executed")
from keyring.backend import KeyringBackend
class Keyring(KeyringBackend):
    priority = 99
    def get_password(self, *_): return "00" * 32
    def set_password(self, *_): pass
"""


def plant(desktop: Desktop, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a module of somebody else in every place where the library would look for one."""
    trace = folder / "trace"
    evil = folder / "evil"
    evil.mkdir()
    (evil / "evil_backend.py").write_text(EVIL, encoding="ascii")
    for path in (Path(desktop.environ["XDG_CONFIG_HOME"]), Path(os.environ["HOME"], ".config")):
        place = path / "python_keyring"
        place.mkdir(parents=True)
        (place / "keyringrc.cfg").write_text(
            f"[backend]\ndefault-keyring=evil_backend.Keyring\nkeyring-path={evil}\n",
            encoding="ascii",
        )
    monkeypatch.setenv("TRACE", str(trace))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "evil_backend.Keyring")
    monkeypatch.setenv("PYTHONPATH", str(evil))
    return trace


def test_no_setting_of_the_library_makes_it_load_code(
    desktop: Desktop, home: Home, header: Header, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = plant(desktop, tmp_path, monkeypatch)
    slot = slots.add(home, header, DATA_KEY, "keyring")
    assert slots.unlock_with(home, header, "keyring") == DATA_KEY
    assert not trace.exists()
    service, user = keyring.where(home, header.store, slot).rsplit("/", 1)
    assert len(desktop.lookup(service, user)) == 64


def test_control_the_library_itself_would_load_it(
    desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    trace = plant(desktop, tmp_path, monkeypatch)
    program = "import keyring; keyring.get_keyring()"
    subprocess.run([sys.executable, "-c", program], env=dict(os.environ), check=True)
    assert trace.read_text(encoding="ascii") == "executed"


def test_a_key_never_is_an_argument_or_in_the_environment_of_the_child(
    desktop: Desktop, home: Home, header: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `subprocess.run` is given while a key is stored and read back."""
    seen: list[str] = []
    real = subprocess.run

    def watched(*arguments: object, **options: object) -> object:
        seen.append(repr(arguments) + repr(options.get("env")))
        return real(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", watched)
    slot, wrapping_key = slots.made(home, header.store, "keyring")
    assert len(seen) == 1
    assert wrapping_key.hex() not in "".join(seen)
    assert desktop.lookup(f"openclaw/{header.store.hex()}", slot.id.hex()) == wrapping_key.hex()


def _children() -> list[str]:
    """Return the keyring children of this process that are still there."""
    found = []
    for each in Path("/proc").iterdir():
        if not each.name.isdigit():
            continue
        try:
            parent = (each / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
            line = (each / "cmdline").read_bytes()
        except OSError:
            continue
        if int(parent) == os.getpid() and b"keyring_child" in line:
            found.append(each.name)
    return found

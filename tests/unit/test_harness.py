"""What the tests rely on: that they are alone, and that nothing is skipped unseen."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

SKIPS = Path(__file__).parents[1] / "skips.py"
RED = pytest.ExitCode.TESTS_FAILED

CONFTEST = """
import sys
sys.path.insert(0, {folder!r})
from tests.skips import NoSkips, all_required

def pytest_configure(config):
    if all_required():
        config.pluginmanager.register(NoSkips())
"""


@pytest.fixture
def session(pytester: pytest.Pytester) -> pytest.Pytester:
    """Another pytest session with our plugin and nothing else of ours."""
    pytester.makeconftest(CONFTEST.format(folder=str(SKIPS.parents[1])))
    return pytester


SKIPPED_TEST = "import pytest\ndef test_a(): pass\ndef test_b(): pytest.skip('no strace')\n"
SKIPPED_MODULE = "import pytest\npytest.skip('no zsh', allow_module_level=True)\n"
EXPECTED = "import pytest\n@pytest.mark.xfail\ndef test_c(): assert False\n"


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("source", [SKIPPED_TEST, SKIPPED_MODULE], ids=["test", "module"])
@pytest.mark.parametrize(
    "variable", [("CI", "true"), ("OPENCLAW_REQUIRE", "all")], ids=["CI", "OPENCLAW_REQUIRE"]
)
def test_a_skip_fails_the_session_where_all_tests_are_required(
    session: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    workers: str,
    source: str,
    variable: tuple[str, str],
) -> None:
    monkeypatch.setenv(*variable)
    session.makepyfile(source)
    result = session.runpytest_subprocess("-n", workers)
    assert result.ret == RED
    result.stdout.fnmatch_lines(["*skipped, where every test is required*", "*: Skipped: no *"])


def test_a_skip_alone_is_only_a_skip(session: pytest.Pytester) -> None:
    session.makepyfile(SKIPPED_TEST)
    assert session.runpytest_subprocess().ret == pytest.ExitCode.OK


def test_an_expected_failure_is_no_skip(
    session: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENCLAW_REQUIRE", "all")
    session.makepyfile(EXPECTED)
    assert session.runpytest_subprocess().ret == pytest.ExitCode.OK


def test_home_and_state_are_the_tests_own(tmp_path: Path) -> None:
    assert Path.home() == tmp_path / "home"
    assert os.environ["OPENCLAW_STATE_DIR"] == str(tmp_path / "state")


def test_only_a_few_names_of_the_environment_are_left() -> None:
    ours = {name for name in os.environ if name.startswith(("OPENCLAW_", "VAULT_", "AWS_", "DBUS"))}
    assert ours == {"OPENCLAW_STATE_DIR", "AWS_EC2_METADATA_DISABLED"}


def test_a_new_file_is_private(tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.touch()
    assert stat.S_IMODE(new.stat().st_mode) == 0o600


def test_a_name_outside_this_machine_is_refused() -> None:
    with pytest.raises(PermissionError, match=r"network: 'example\.com'"):
        socket.create_connection(("example.com", 443), timeout=1)


def test_an_address_outside_this_machine_is_refused() -> None:
    with (
        socket.socket() as outside,
        pytest.raises(PermissionError, match=r"network: '192\.0\.2\.1'"),
    ):
        outside.connect(("192.0.2.1", 443))


def test_this_machine_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()

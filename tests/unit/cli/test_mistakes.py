"""What a mistake is told as: one line that says what, a hint that says what next, its status."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Result

Main = Callable[..., Result]

MISTAKES = [
    ("secrets set x --value-file nowhere", 3, "nowhere does not exist", "ls ."),
    ("secrets import /nowhere/x.env", 3, "/nowhere/x.env does not exist", "ls /nowhere"),
    ("secrets inject nowhere", 3, "does not exist", "ls ."),
    ("secrets scan nowhere", 3, "does not exist", "ls ."),
    ("secrets audit import nowhere", 3, "does not exist", "ls ."),
    ("secrets restore nothing", 3, "in the last 30 days", "openclaw secrets audit --action delete"),
    ("secrets restore key", 11, "key is not deleted", "openclaw secrets status key"),
    ("secrets grant agent key --uses 0", 2, "from 1 to 10000 uses", "--uses 3"),
    ("secrets describe key --label owner", 2, "KEY=TEXT", "--label owner=ada"),
    ("secrets resolve", 2, "the request is not JSON", '"protocolVersion": 1'),
    ("store init", 11, "there is a store", "openclaw store check"),
    ("store restore nowhere", 3, "does not exist", "ls /"),
    ("store restore /etc/passwd --yes", 4, "is no backup of a store", "openclaw store backup"),
    ("store slots add passphrase", 2, "needs a terminal", "--passphrase-file FILE"),
    ("store slots remove nothing", 3, "has no key slot nothing", "openclaw store slots"),
    ("secrets get KEY", 3, "no secret is called KEY", "did you mean key?"),
    ("secrets list --filtr x", 2, "no such option: --filtr", "did you mean --filter?"),
    (
        "secrets list --frobnicate",
        2,
        "no such option: --frobnicate",
        "openclaw secrets list --help",
    ),
    ("secrets set key --value", 2, "requires an argument", "openclaw secrets set --help"),
    ("secrets set key --generate hex", 2, "more words", "--generate takes ed25519, passphrase"),
    ("secrets store check", 2, "has no command store", "openclaw store"),
    ("secrets import /tmp", 2, "/tmp is a directory", "ls /tmp"),
    ("secrets import --format json /dev/null", 2, "is not JSON", "--format dotenv"),
    ("secrets get vault://", 2, "its path is empty", "vault://team/db#password"),
    ("secrets run --env K=key -- nowhere", 127, "no program nowhere", "command -v nowhere"),
    ("secrets run --env K=key -- /tmp", 126, "not an executable program", "ls -ld /tmp"),
    ("secrets describe key --label n=\udcff", 2, "not UTF-8", "locale"),
    ("store restore /tmp", 2, "is not a plain file", "openclaw store backup FILE"),
    ("store backup /nowhere/b", 74, "no such file or directory", "mkdir -p /nowhere"),
    ("config check nowhere", 3, "nowhere does not exist", "ls ."),
    ("config check /tmp", 2, "/tmp is a directory", "openclaw config check /tmp/FILE"),
    ("gateway start --port many", 2, "a whole number from 0 to 65535", "gateway start --help"),
    ("--environment bad! secrets list", 2, "not a name for an environment", "use letters"),
    ("--key-fd three secrets list", 2, "--key-fd takes the number", "3< FILE"),
    ("config set nothing 1", 78, "no setting is called nothing", "openclaw config show"),
]


@pytest.mark.parametrize(("line", "status", "said", "hint"), MISTAKES, ids=str)
def test_a_mistake_is_told_with_what_to_do_next(
    line: str, status: int, said: str, hint: str, main: Main
) -> None:
    main("secrets", "set", "key", input=b"value", check=0)
    refused = main(*line.split(), check=status)
    assert refused.out == b""
    first, second = refused.err.decode().splitlines()
    assert first.startswith("openclaw: ")
    assert said in first
    assert second.startswith("  hint: ")
    assert hint in second

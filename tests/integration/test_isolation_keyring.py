"""An unlocked keyring on the session's bus: within an agent's reach at `landlock`, not at `uid`.

What docs/explanation/isolation.md says of unix sockets, with a real bus and a real keyring.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import others
from tests.conftest import runner
from tests.gateways import settings
from tests.integration.test_keyring import Desktop

pytestmark = pytest.mark.integration

CODE = """
done = subprocess.run(
    ["secret-tool", "lookup", "service", "bank"], env={environ!r}, capture_output=True, timeout=20
)
print(done.stdout, done.stderr)
"""


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        made = Desktop(Path(folder))
        try:
            made.start()
            yield made
        finally:
            made.close()


def test_who_answers_a_user_of_the_machine_does_not_answer_an_agents_own(
    desktop: Desktop, tmp_path: Path
) -> None:
    subprocess.run(
        ["secret-tool", "store", "--label=x", "service", "bank"],
        input=b"pin-4417",
        env=desktop.environ,
        check=True,
    )
    desktop.folder.chmod(0o755)  # so that it is the bus that refuses, and not the folder
    (desktop.folder / "bus").chmod(0o777)
    thief = {"handler": "reach:try_it", "memory-limit": "200MB"}
    settings({"landlock": thief, "uid": {**thief, "require-isolation": "uid"}})
    openclaw = runner(others.reachable(tmp_path))
    given = json.dumps(CODE.format(environ=desktop.environ)).encode()
    said = {
        level: openclaw("agents", "run", level, "--input", "-", input=given, check=0).out
        for level in ("landlock", "uid")
    }
    assert b"pin-4417" in said["landlock"]
    assert b"pin-4417" not in said["uid"]
    assert b"FAILED" not in said["uid"]

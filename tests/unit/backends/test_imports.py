"""No backend loads what it does not use yet."""

from __future__ import annotations

import subprocess
import sys

import pytest

from openclaw_cli.backends import BACKENDS

LIBRARIES = ("hvac", "boto3", "botocore", "requests", "keyring", "secretstorage", "yaml", "dotenv")


@pytest.mark.parametrize("name", ["env", "file", "exec", "keyring"])
def test_importing_a_backend_loads_no_library(name: str) -> None:
    module = BACKENDS.get(name).__module__
    program = f"import sys, {module}; print(*(each for each in {LIBRARIES} if each in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == []


def test_control_a_loaded_library_is_seen() -> None:
    program = f"import sys, dotenv; print(*(each for each in {LIBRARIES} if each in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == [b"dotenv"]

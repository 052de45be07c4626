"""Moto as a server: Amazon's services over HTTP, as boto3 sees them.

Moto is kinder than AWS in places, which the backends do not rely on: it knows no limits of size,
and each action is allowed until a test asks it to check keys, signatures and policies.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

REGION = "eu-west-1"
PATIENCE = 30  # seconds
ACCOUNT = "123456789012"

_WHOLE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


class Moto:
    """A server of its own process, and clients of boto3 to look at it from another side."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, "moto did not start"
            assert time.monotonic() < deadline, "moto did not start"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def reset(self) -> None:
        self._post("/moto-api/reset", b"")
        self._post("/moto-api/reset-auth", b"inf")

    def _post(self, path: str, body: bytes) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(  # noqa: S310 - our own server
            self.address + path, data=body, headers={"Content-Type": "text/plain"}
        )
        with opener.open(request, timeout=PATIENCE) as answer:
            assert answer.status == 200

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 has no types
        import boto3

        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.address,
            aws_access_key_id="looking",
            aws_secret_access_key="on",
        )

    def user(self, policy: dict[str, Any] | None = None) -> tuple[str, str]:
        """Return the key of a new user, whom a policy allows something."""
        iam = self.client("iam")
        name = f"user-{time.monotonic_ns()}"
        iam.create_user(UserName=name)
        iam.put_user_policy(
            UserName=name, PolicyName="its", PolicyDocument=json.dumps(policy or _WHOLE)
        )
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    @contextmanager
    def strict(self) -> Iterator[None]:
        """Check keys, signatures and policies from now on."""
        self._post("/moto-api/reset-auth", b"0")
        try:
            yield
        finally:
            self._post("/moto-api/reset-auth", b"inf")


def policy(*statements: str) -> dict[str, Any]:
    """Return the policy of statements as our hints write them."""
    return {"Version": "2012-10-17", "Statement": [json.loads(each) for each in statements]}


def variables(address: str, key: str = "testing", secret: str = "testing") -> dict[str, str]:
    """Return Amazon's own variables that lead to an address with a key."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
    }

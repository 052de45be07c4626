"""HashiCorp Vault and OpenBao: secrets in their key-value engine, of both its versions.

A path is below mount and prefix, and a value is one field of what is there: `openai-api-key` is
the field `value` of `secret/openclaw/openai-api-key`, as `vault kv put` writes it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeGuard

from openclaw_cli import duration
from openclaw_cli.backends.connect import vault as connect
from openclaw_cli.backends.protocols import (
    ONLY,
    Health,
    Setting,
    Settings,
    UncertainError,
    checked_path,
    is_path,
    part,
    the_only,
)
from openclaw_cli.errors import (
    ConfigError,
    ConflictError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.model import CURRENT, PREVIOUS, RETIRED, Secret, SecretValue, Version
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.vault_http import Adapter, Rejected

NAME = "vault"
_MOST_NAMES = 10_000
_TRIES = 12  # of a write, before we say that others are always faster
_SOON = 3600  # seconds
_DIGITS = 20  # of a version's number, from where on nobody counted that far
_BAD, _ABSENT = 400, 404
_DENIED = (401, 403)


class VaultBackend:
    SETTINGS = (
        *connect.SETTINGS,
        Setting("mount", "secret", "Where the key-value engine is mounted."),
        Setting("prefix", "openclaw", "The folder there that all paths are below."),
        Setting("field", "value", "The field that holds a value, when a reference names none."),
        Setting("kv", "auto", "The engine's version: 1, 2, or auto to ask Vault."),
    )

    def __init__(self, settings: Settings) -> None:
        """Read the settings; raises `ConfigError`. Vault is asked when something is."""
        added = self.SETTINGS[len(connect.SETTINGS) :]
        self._connection = connect.Connection(settings, more=added, name=NAME)
        self._mount = connect.in_path(self._connection.text("mount"))
        prefix = self._connection.text("prefix").strip("/")
        self._prefix = f"{connect.in_path(prefix)}/" if prefix else ""
        self._field = self._connection.text("field")
        if not self._field:
            raise ConfigError("the setting field of the vault backend is empty")
        kv = self._connection.text("kv")
        if kv not in ("auto", "1", "2"):
            raise ConfigError("the setting kv of the vault backend is 1, 2 or auto")
        self._threads = max(int(self._connection.settings["threads"]), 1)
        # Version 2 until we know better: a read that fails asks, so most reads are one request.
        self._plain = kv == "1"
        self._known = kv != "auto"

    def notices(self) -> tuple[tuple[str, str], ...]:
        """Return what is unsafe about how Vault is reached, each with its mend. Asks nobody."""
        return self._connection.notices()

    def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
        """Return the value. `field` is one of the secret's, or of a value that is an object."""
        checked_path(path)
        return self._get(self._connection.adapter(), path, version, field)

    def get_many(self, paths: Sequence[str]) -> dict[str, Secret | OpenclawError]:
        """Answer all within the time limit of one, some at once over the same connections."""
        from concurrent.futures import ThreadPoolExecutor

        if not paths:
            return {}
        try:
            adapter = self._connection.adapter()
        except OpenclawError as refused:
            return dict.fromkeys(paths, refused)
        # One goes alone: it learns the engine's version, and whether Vault is there at all.
        first, *others = dict.fromkeys(paths)
        answer = self._answer(adapter, first)
        if isinstance(answer, TemporaryError | ConfigError | connect.NotAcceptedError):
            return dict.fromkeys(paths, answer)
        with ThreadPoolExecutor(self._threads) as threads:
            answers = threads.map(lambda path: self._answer(adapter, path), others)
            return {first: answer, **dict(zip(others, answers, strict=True))}

    def put(self, path: str, value: SecretValue) -> Version:
        """Write the field and keep the others; again, when somebody else wrote in between.

        Raises `RefusedError` for what is not UTF-8, for Vault holds texts. Version 1 of the engine
        cannot check: of two writers at once the last wins.
        """
        checked_path(path)
        try:
            text = value.reveal().decode()
        except UnicodeDecodeError:
            raise RefusedError(
                f"vault holds text only, and the value for {path} is not UTF-8",
                hint=f"base64 -w0 FILE | openclaw secrets set vault://{path}",
            ) from None
        adapter = self._connection.adapter()
        self._learn(adapter)
        for attempt in range(_TRIES):
            fields, number = self._now(adapter, path)
            try:
                return self._write(adapter, path, {**fields, self._field: text}, number)
            except connect.rejected_class() as rejected:
                if rejected.status != _BAD or self._now(adapter, path)[1] == number:
                    raise self._refusal(adapter, rejected, path, "update") from None
            pause = 0.01 * 2 ** min(attempt, 5) * random.random()  # noqa: S311 - to keep apart
            if not adapter.deadline.sleep(pause):
                break
        raise ConflictError(f"others keep writing vault://{path} at the same time")

    def delete(self, path: str) -> bool:
        """Delete the newest version, which Vault can undelete; version 1 forgets all for good."""
        checked_path(path)
        adapter = self._connection.adapter()
        self._learn(adapter)
        try:
            self._read(adapter, path)
        except NotFoundError:
            return False
        kv = connect.client(adapter).secrets.kv
        delete = kv.v1.delete_secret if self._plain else kv.v2.delete_latest_version_of_secret
        try:
            delete(path=self._prefix + path, mount_point=self._mount)
        except connect.rejected_class() as rejected:
            raise self._refusal(adapter, rejected, path, "delete") from None
        return True

    def names(self, prefix: str = "") -> list[str]:
        """Return the paths, what was deleted and can be undeleted among them, as Vault does."""
        start = prefix[: prefix.rfind("/") + 1]
        if start:
            checked_path(start[:-1])
        adapter = self._connection.adapter()
        self._learn(adapter)
        found: list[str] = []
        folders = [start]
        while folders:
            folder = folders.pop()
            for name in (folder + entry for entry in self._entries(adapter, folder)):
                if name.endswith("/") and (name.startswith(prefix) or prefix.startswith(name)):
                    folders.append(name)
                elif name.startswith(prefix) and not name.endswith("/"):
                    found.append(name)
            if len(found) > _MOST_NAMES:
                raise RefusedError(f"vault has more than {_MOST_NAMES} names in {self._at(prefix)}")
        return sorted(found)

    def versions(self, path: str) -> list[Version]:
        """Return those that can be read, newest first; raises `NotFoundError` when none can."""
        checked_path(path)
        adapter = self._connection.adapter()
        self._learn(adapter)
        if self._plain:
            self._read(adapter, path)
            return [Version(ONLY)]
        try:
            answer = connect.client(adapter).secrets.kv.v2.read_secret_metadata(
                path=self._prefix + path, mount_point=self._mount
            )
        except connect.rejected_class() as rejected:
            raise self._refusal(adapter, rejected, path, "read", folder="metadata") from None
        data = _object(answer.get("data"))
        newest = data.get("current_version")
        found = [
            Version(
                number, stage=_stage(int(number), newest), created=_seconds(one["created_time"])
            )
            for number, one in _object(data.get("versions")).items()
            if number.isdecimal() and len(number) < _DIGITS and _is_readable(one)
        ]
        if not found:
            raise self._absent(path)
        return sorted(found, key=lambda version: int(version.id), reverse=True)

    def check(self) -> Health:
        """Ask how Vault is, who we are to it, and what its policies allow us."""
        try:
            origin = self._connection.origin
            health = self._connection.unsigned().health()
        except OpenclawError as away:
            return Health(reachable=False, problems=((away.message, away.hint),))
        detail = f"{origin}, version {safe(str(health.get('version', 'unknown')))}"
        wrong = _unwell(origin, health)
        if wrong:
            return Health(reachable=bool(health), detail=detail, problems=(wrong,))
        try:
            adapter = self._connection.adapter()
            known = adapter.lookup()
            if not known:
                raise self._not_accepted()
            self._learn(adapter)
            wanted = self._below_the_prefix()
            forbidden = self._forbidden(adapter, wanted)
            problems = [*self._connection.notices(), *forbidden, *_ending(known)]
        except OpenclawError as refused:
            problem = (refused.message, refused.hint)
            return Health(reachable=True, detail=detail, problems=(problem,))
        engine = f"key-value version {1 if self._plain else 2} at {self._mount}/"
        return Health(
            reachable=True,
            identity=_identity(known),
            detail=f"{detail}, {engine}, {self._connection.signed_in_with}{_life(known)}",
            problems=tuple(problems),
        )

    def require(self, path: str, *capabilities: str) -> None:
        """Raise `DeniedError`, with the lines of a policy, unless ours allow all of these."""
        adapter = self._connection.adapter()
        self._learn(adapter)
        where = self._policy_path(checked_path(path))
        for problem, mend in self._forbidden(adapter, [(where, each) for each in capabilities]):
            raise DeniedError(problem, hint=f"add to a policy: {mend}")

    def _answer(self, adapter: Adapter, path: str) -> Secret | OpenclawError:
        try:
            return self._get(adapter, checked_path(path), None, "")
        except OpenclawError as refused:
            return refused

    def _get(self, adapter: Adapter, path: str, version: str | None, field: str) -> Secret:
        fields, found = self._read(adapter, path, version)
        return Secret(self._chosen(fields, field, path), found, NAME)

    def _chosen(self, fields: dict[str, Any], field: str, path: str) -> SecretValue:
        chosen = _bytes(fields.get(field or self._field))
        if chosen:
            return SecretValue(chosen)
        whole = _bytes(fields.get(self._field))
        if field and whole:
            return part(whole, field, path)
        raise NotFoundError(
            f"vault://{path} has no text in the field {field or self._field}",
            hint=f"it has the fields {', '.join(safe(name) for name in sorted(fields)[:20])}"
            if fields
            else "",
        )

    def _read(
        self, adapter: Adapter, path: str, version: str | None = None
    ) -> tuple[dict[str, Any], Version]:
        """Return the fields and their version; asks for the engine's version if that may help."""
        try:
            if self._plain:
                return self._read_plain(adapter, path, version)
            return self._read_versioned(adapter, path, version)
        except connect.rejected_class() as rejected:
            if not self._known and rejected.status in (*_DENIED, _ABSENT):
                self._learn(adapter)
                if self._plain:
                    return self._read(adapter, path, version)
            raise self._refusal(adapter, rejected, path, "read") from None

    def _read_plain(
        self, adapter: Adapter, path: str, version: str | None
    ) -> tuple[dict[str, Any], Version]:
        the_only(version, f"vault://{path}")
        answer = connect.client(adapter).secrets.kv.v1.read_secret(
            path=self._prefix + path, mount_point=self._mount
        )
        return _object(answer.get("data")), Version(ONLY)

    def _read_versioned(
        self, adapter: Adapter, path: str, version: str | None
    ) -> tuple[dict[str, Any], Version]:
        if version is not None and not (version.isascii() and version.isdecimal()):
            raise NotFoundError(f"vault://{path} has no version {version}: they are numbers")
        kv = connect.client(adapter).secrets.kv.v2
        answer = kv.read_secret_version(
            path=self._prefix + path,
            version=version,
            mount_point=self._mount,
            raise_on_deleted_version=True,
        )
        data = _object(answer.get("data"))
        found = _version(data.get("metadata"))
        if version is not None:
            found.stage = _stage(int(found.id), self._now(adapter, path)[1])
        return _object(data.get("data")), found

    def _now(self, adapter: Adapter, path: str) -> tuple[dict[str, Any], int]:
        """Return the fields there are and the number of the newest version, deleted or not."""
        kv = connect.client(adapter).secrets.kv
        try:
            if self._plain:
                return self._read_plain(adapter, path, None)[0], 0
            answer = kv.v2.read_secret_version(
                path=self._prefix + path, mount_point=self._mount, raise_on_deleted_version=True
            )
        except connect.rejected_class() as rejected:
            if rejected.status != _ABSENT:
                raise self._refusal(adapter, rejected, path, "read") from None
            number = _deleted(rejected).get("version")
            return {}, number if isinstance(number, int) else 0
        data = _object(answer.get("data"))
        return _object(data.get("data")), int(_version(data.get("metadata")).id)

    def _write(self, adapter: Adapter, path: str, fields: dict[str, Any], number: int) -> Version:
        """Write over version `number`, and only over that."""
        kv = connect.client(adapter).secrets.kv
        at = {"path": self._prefix + path, "mount_point": self._mount}
        if self._plain:
            kv.v1.create_or_update_secret(secret=fields, method="POST", **at)
            return Version(ONLY, created=time.time())
        answer = kv.v2.create_or_update_secret(secret=fields, cas=number, **at)
        return _version(answer.get("data"))

    def _entries(self, adapter: Adapter, folder: str) -> list[str]:
        kv = connect.client(adapter).secrets.kv
        engine = kv.v1 if self._plain else kv.v2
        try:
            answer = engine.list_secrets(path=self._prefix + folder, mount_point=self._mount)
        except connect.rejected_class() as rejected:
            if rejected.status == _ABSENT:
                return []
            raise self._refusal(
                adapter, rejected, folder, "list", folder="" if self._plain else "metadata"
            ) from None
        keys = _texts(_object(answer.get("data")).get("keys"))
        return [key for key in keys if is_path(key.removesuffix("/"))]

    def _learn(self, adapter: Adapter) -> None:
        """Ask once which engine is mounted; who may not know it is taken to speak to version 2."""
        if self._known:
            return
        try:
            answer = adapter.get(f"/v1/sys/internal/ui/mounts/{self._mount}")
        except connect.rejected_class() as rejected:
            if rejected.status not in (*_DENIED, _ABSENT):
                raise connect.meaning(adapter, rejected, "say what is mounted") from None
        else:
            data = _object(answer.get("data"))
            kind = data.get("type")
            if kind not in ("kv", "generic"):
                raise ConfigError(
                    f"vault has no key-value engine at {self._mount}/, but {safe(str(kind))}",
                    hint=f"vault secrets enable -path={self._mount} kv-v2",
                )
            options = data.get("options")
            self._plain = not isinstance(options, dict) or options.get("version") != "2"
        self._known = True

    def _refusal(
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
            return self._absent(path, _deleted(rejected))
        if rejected.status not in _DENIED:
            return connect.meaning(adapter, rejected, f"{capability} vault://{path}")
        if not adapter.lookup():
            return self._not_accepted()
        where = self._policy_path(path, folder)
        return DeniedError(
            f"no policy of ours in vault allows to {capability} {where}",
            hint=f"add to a policy: {_policy(where, capability)}",
        )

    def _absent(self, path: str, deleted: dict[str, Any] | None = None) -> NotFoundError:
        version = deleted.get("version") if deleted else None
        if deleted and isinstance(version, int) and not deleted.get("destroyed"):
            return NotFoundError(
                f"vault://{path} was deleted",
                hint=f"vault kv undelete -mount={self._mount} -versions={version} "
                f"{self._prefix}{path}",
            )
        whole = f"{self._mount}/{self._prefix}"
        if path.startswith(whole):
            return NotFoundError(
                f"vault://{path} is not there: paths are below {whole}",
                hint=f"openclaw secrets get vault://{path[len(whole) :]}",
            )
        return NotFoundError(
            f"vault://{path} is not there, at {whole}{path}",
            hint="openclaw secrets list --backend vault",
        )

    def _not_accepted(self) -> DeniedError:
        return connect.NotAcceptedError(
            f"vault does not accept {self._connection.signed_in_with}: it has ended, was revoked, "
            "or is of another vault",
            hint="vault login",
        )

    def _at(self, path: str) -> str:
        return f"{self._mount}/{self._prefix}{path}"

    def _policy_path(self, path: str, folder: str | None = None) -> str:
        """Return the path as a policy names it: version 2 has folders of its own between."""
        between = ("" if self._plain else "data") if folder is None else folder
        return f"{self._mount}/{f'{between}/' if between else ''}{self._prefix}{path}"

    def _below_the_prefix(self) -> list[tuple[str, str]]:
        values = self._policy_path("*")
        listing = self._policy_path("*", None if self._plain else "metadata")
        return [(values, "read"), (listing, "list"), (values, "update"), (values, "delete")]

    def _forbidden(
        self, adapter: Adapter, wanted: Sequence[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        """Return what of these our policies do not allow, with the lines that would."""
        try:
            answer = adapter.post(
                "/v1/sys/capabilities-self",
                json={"paths": [path.replace("*", "any-name") for path, _ in wanted]},
            )
        except connect.rejected_class():
            return [("vault does not tell what our policies allow", "vault policy read default")]
        found = _object(answer.get("data"))
        allowed = {
            (path, capability)
            for path, capability in wanted
            if {capability, "root"} & _texts(found.get(path.replace("*", "any-name")))
        }
        return [
            (f"no policy of ours allows to {capability} {path}", _policy(path, capability))
            for path, capability in wanted
            if (path, capability) not in allowed
        ]


def _texts(found: object) -> set[str]:
    return {one for one in found if isinstance(one, str)} if isinstance(found, list) else set()


def _policy(path: str, capability: str) -> str:
    both = '"create", "update"' if capability == "update" else f'"{capability}"'
    return f'path "{path}" {{ capabilities = [{both}] }}'


def _unwell(origin: str, health: dict[str, Any]) -> tuple[str, str] | None:
    if not health:
        return (f"what answers at {origin} is not vault", f"curl {origin}/v1/sys/health")
    if health.get("initialized") is False:
        return (f"vault at {origin} is not initialised", "vault operator init")
    if health.get("sealed"):
        return (f"vault at {origin} is sealed", "vault operator unseal")
    return None


def _identity(known: dict[str, Any]) -> str:
    policies = known.get("policies")
    names = [str(one) for one in policies] if isinstance(policies, list) else []
    return safe(f"{known.get('display_name', 'unknown')} (policies: {', '.join(names)})")


def _ending(known: dict[str, Any]) -> list[tuple[str, str]]:
    left = known.get("ttl")
    if not isinstance(left, int) or not 0 < left < _SOON:
        return []
    mend = "vault token renew" if known.get("renewable") is True else "vault login"
    return [(f"the sign-in ends in {duration.exact(left)}", mend)]


def _life(known: dict[str, Any]) -> str:
    left = known.get("ttl")
    return f", for {duration.exact(left)}" if isinstance(left, int) and left > 0 else ""


def _object(found: object) -> dict[str, Any]:
    """Return what should be an object; raises `TemporaryError` for a server that is not Vault."""
    if isinstance(found, dict):
        return found
    raise UncertainError("what answers does not answer as vault's key-value engine does")


def _deleted(rejected: Rejected) -> dict[str, Any]:
    """Return what Vault says of a version that is gone: it comes with the status 404."""
    data = rejected.body.get("data")
    found = data.get("metadata") if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _version(metadata: object) -> Version:
    found = _object(metadata)
    number = found.get("version")
    if not isinstance(number, int):
        raise UncertainError("what answers does not answer as vault's key-value engine does")
    return Version(str(number), created=_seconds(found.get("created_time")))


def _stage(number: int, newest: object) -> str:
    if number == newest:
        return CURRENT
    return PREVIOUS if number + 1 == newest else RETIRED


def _is_readable(version: object) -> TypeGuard[dict[str, Any]]:
    if not isinstance(version, dict) or "created_time" not in version or version.get("destroyed"):
        return False
    ends = version.get("deletion_time")
    return not ends or _seconds(ends) > time.time()


def _seconds(text: object) -> float:
    """Return seconds since 1970 of Vault's times, or 0."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError):
        return 0


def _bytes(found: object) -> bytes:
    """Return a text's bytes; nothing for what is no text, and for half a surrogate pair."""
    try:
        return found.encode() if isinstance(found, str) else b""
    except UnicodeEncodeError:
        return b""

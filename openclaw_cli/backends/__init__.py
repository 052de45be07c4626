"""Backends: places where values live besides the local store. One file each, one line here.

A backend is a class that takes its settings (a mapping of text, numbers and truths), imports its
library when it is first used, returns our types and raises our errors. What it can do is the
methods it has:

`get(path, *, version=None, field="") -> Secret`   every backend
`get_many(paths) -> dict[path, Secret | OpenclawError]`   those that answer many at once
`put(path, value) -> Version`   those that can be written
`delete(path) -> bool`   whether there was something
`names(prefix="") -> list[str]`   the paths there are, sorted
`versions(path) -> list[Version]`   newest first
`check() -> Health`   reachable, signed in as whom, what is refused and what would mend it

Raised, whatever the service says: `NotFoundError` for what is not there, `DeniedError` for what a
policy or a sign-in refuses, `RefusedError` for what it will never do, `TemporaryError` when it is
away, slow or throttling, `ConfigError` for bad settings or a missing library, `ConflictError` for
a write that somebody else was faster with. Never the library's own text, never a value.
"""

from __future__ import annotations

from openclaw_cli.registry import Registry

BACKENDS = Registry(
    "backend",
    {
        "env": "openclaw_cli.backends.env:EnvBackend",
        "file": "openclaw_cli.backends.file:FileBackend",
        "exec": "openclaw_cli.backends.exec:ExecBackend",
        "keyring": "openclaw_cli.backends.keyring:KeyringBackend",
        "vault": "openclaw_cli.backends.vault:VaultBackend",
        "aws-secrets-manager": "openclaw_cli.backends.aws_secrets_manager:SecretsManagerBackend",
        "aws-parameter-store": "openclaw_cli.backends.aws_parameter_store:ParameterStoreBackend",
    },
)

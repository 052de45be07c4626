"""The reference page of the rotators, from their table and what each says of itself."""

from __future__ import annotations

import inspect
import sys

from openclaw_cli.providers.provider import CHOSEN, MINTED, PERSON
from openclaw_cli.rotation import aws, vault
from openclaw_cli.rotation.rotator import Rotator, Setting
from openclaw_cli.rotation.rotators import ROTATORS
from openclaw_cli.rotation.rotators.aws_iam import policy

_MADE = "<!-- Written by scripts/generate.py: `make docs`. -->\n"
_KINDS = {
    CHOSEN: "We make the value and tell the service.",
    MINTED: "The service makes the value.",
    PERSON: "A person makes the value.",
}
_SECRETS_MANAGER = """```json
{{
  "Version": "2012-10-17",
  "Statement": [
    {{
      "Effect": "Allow",
      "Action": [{}],
      "Resource": "arn:aws:secretsmanager:*:*:secret:NAME-*"
    }}
  ]
}}
```"""

# What each must be allowed; a test compares it with what the rotator's own error asks for.
NEEDS = {
    "postgres": """A role that changes its own password needs nothing. An admin for two in turns:

```sql
CREATE ROLE rotator LOGIN CREATEROLE;
GRANT app_a, app_b TO rotator WITH ADMIN OPTION;
```

Let both belong to a third role that owns what they use: `CREATE ROLE app_b LOGIN IN ROLE app`.""",
    "mysql": """A user that changes its own password needs nothing. An admin for others:

```sql
GRANT CREATE USER ON *.* TO rotator;
GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO rotator; -- MySQL, for keep-old
```

With `SELECT ON mysql.user` it finds the host part of an account's name by itself.""",
    "openai": """An admin API key, which an owner makes at
<https://platform.openai.com/settings/organization/admin-keys>, and a service account in the
project: `POST /v1/organization/projects/PROJECT/service_accounts`.""",
    "github-app": """The App's id and one of its private keys (from its page), and the id of its
installation. A token lives an hour: rotate it `every:30m`, with `--grace 15m`.
Fine-grained and classic personal access tokens can be made on GitHub's page only.""",
    "github-deploy-key": "A token with *Administration: write* for the repository.",
    "slack": """An app that has turned token rotation on, which cannot be turned off again; its
client id and secret are on the page *Basic Information*.""",
    "anthropic": """An Admin API key, which an admin of the organization makes at
<https://platform.claude.com/settings/admin-keys>.""",
    "aws-iam": f"```json\n{policy('NAME')}\n```",
    "aws-secrets-manager": _SECRETS_MANAGER.format(
        '"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", '
        '"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"'
    ),
    "aws-rotate-secret": _SECRETS_MANAGER.format(
        '"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", '
        '"secretsmanager:RotateSecret"'
    ),
    "vault": """```hcl
path "secret/data/PATH" { capabilities = ["create", "read", "update"] }
```""",
    "vault-static": """```hcl
path "database/static-creds/NAME" { capabilities = ["read"] }
path "database/rotate-role/NAME" { capabilities = ["update"] }
```

Of the AWS engine, `aws/static-creds/NAME` alone.""",
    "vault-dynamic": """```hcl
path "database/creds/NAME" { capabilities = ["read"] }
path "auth/token/create" { capabilities = ["update"] }
path "auth/token/renew-accessor" { capabilities = ["update"] }
path "auth/token/revoke-accessor" { capabilities = ["update"] }
path "auth/token/lookup-accessor" { capabilities = ["update"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
path "sys/leases/lookup" { capabilities = ["update"] }
```

With a token role, `auth/token/create/ROLE` in place of `auth/token/create`.""",
}
_SHARED = (
    ("Signing in to Vault", "vault", vault.SETTINGS),
    ("Signing in to AWS", "AWS", aws.SETTINGS),
)


def page() -> str:
    """Return docs/reference/rotators.md."""
    parts = [
        "# Rotators",
        "",
        _MADE,
        "A rotator gives one kind of secret a new value, at the service that accepts it.",
        "`openclaw secrets rotate NAME --with ROTATOR --setting KEY=VALUE` chooses one;",
        "it is remembered with the secret, and `--schedule` says how often from then on.",
        "[Rotation that can be left alone](../tutorial/unattended-rotation.md) shows two of them.",
        "",
        "A setting of the kind *secret* takes no value but the name of a secret, or a reference",
        "to one: it is read when it is needed, and each reading is in the trail. What a rotator",
        "may not do is said before anything is changed, with what to grant.",
        "",
        "Another installed package may add rotators by the entry point group",
        "`openclaw_cli.rotator`.",
        "",
    ]
    for name in ROTATORS.ours:
        parts += _section(ROTATORS.get(name)())
    for title, _, settings in _SHARED:
        parts += [f"## {title}", "", *_table(settings)]
    return "\n".join(parts).rstrip() + "\n"


def _section(rotator: Rotator) -> list[str]:
    module = sys.modules[type(rotator).__module__]
    parts = [f"## `{rotator.name}`", "", *inspect.getdoc(module).splitlines(), ""]  # type: ignore[union-attr]
    parts += [_KINDS[rotator.kind], ""]
    if rotator.name in NEEDS:
        parts += ["It must be allowed:", "", NEEDS[rotator.name], ""]
    own = list(rotator.SETTINGS)
    for title, service, settings in _SHARED:
        if set(settings) <= set(own):
            own = [each for each in own if each not in settings]
            anchor = title.lower().replace(" ", "-")
            parts += [f"It takes the settings for [signing in to {service}](#{anchor}), too.", ""]
    return parts + _table(tuple(own))


def _table(settings: tuple[Setting, ...]) -> list[str]:
    if not settings:
        return []
    parts = ["| Setting | | Default | Meaning |", "| --- | --- | --- | --- |"]
    for each in settings:
        kind = "required" if each.required else ""
        kind = f"{kind} secret".strip() if each.secret else kind
        default = f"`{each.default}`" if each.default else ""
        parts.append(f"| `{each.name}` | {kind} | {default} | {each.meaning} |")
    return [*parts, ""]

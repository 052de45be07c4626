"""Rotators: how each kind of secret is given a new value. One file each, one line here.

What one is stands in `rotation/rotator.py`. Packages add theirs by the entry point group
`openclaw_cli.rotator`.
"""

from __future__ import annotations

from openclaw_cli.registry import Registry

ROTATORS = Registry(
    "rotator",
    {
        "anthropic": "openclaw_cli.rotation.rotators.anthropic:Anthropic",
        "aws-iam": "openclaw_cli.rotation.rotators.aws_iam:AwsIam",
        "aws-rotate-secret": "openclaw_cli.rotation.rotators.aws_rotate_secret:AwsRotateSecret",
        "aws-secrets-manager": "openclaw_cli.rotation.rotators.aws_secrets:AwsSecrets",
        "command": "openclaw_cli.rotation.rotators.command:Command",
        "command-mints": "openclaw_cli.rotation.rotators.command:CommandMints",
        "generate": "openclaw_cli.rotation.rotators.generate:Generate",
        "github-app": "openclaw_cli.rotation.rotators.github_app:GithubApp",
        "github-deploy-key": "openclaw_cli.rotation.rotators.github_deploy_key:GithubDeployKey",
        "mysql": "openclaw_cli.rotation.rotators.mysql:Mysql [mysql]",
        "openai": "openclaw_cli.rotation.rotators.openai:Openai",
        "postgres": "openclaw_cli.rotation.rotators.postgres:Postgres [postgres]",
        "person": "openclaw_cli.rotation.rotators.person:Person",
        "slack": "openclaw_cli.rotation.rotators.slack:Slack",
        "vault": "openclaw_cli.rotation.rotators.vault:Vault",
        "vault-dynamic": "openclaw_cli.rotation.rotators.vault_dynamic:VaultDynamic",
        "vault-static": "openclaw_cli.rotation.rotators.vault_static:VaultStatic",
        "webhook": "openclaw_cli.rotation.rotators.webhook:Webhook",
        "webhook-mints": "openclaw_cli.rotation.rotators.webhook:WebhookMints",
    },
)

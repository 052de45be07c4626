"""GitHub: personal access tokens, and those of apps."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Github(Provider):
    name = "github"
    title = "GitHub"
    variables = ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_PAT", "GH_PAT", "GITHUB_API_TOKEN")
    distinct = (
        rb"gh[opur]_[A-Za-z0-9_]{36,}",
        # An installation's token is a JSON Web Token behind its prefix since 2026.
        rb"ghs_[A-Za-z0-9._-]{36,}",
        rb"github_pat_[A-Za-z0-9_]{36,}",
    )
    plausible = (rb"[0-9a-f]{40}",)
    looks = "ghp_, github_pat_ or the like, and 36 or more letters, digits and _"
    page = "https://github.com/settings/tokens"
    rotation = PERSON
    how = "personal access tokens are made on the page only; github-app makes those of an App"

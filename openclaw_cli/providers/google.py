"""Google: API keys, OAuth client secrets and service accounts."""

from __future__ import annotations

from openclaw_cli.providers.provider import MINTED, Provider


class Google(Provider):
    name = "google"
    title = "Google"
    variables = (
        "GOOGLE_API_KEY",
        "GOOGLE_MAPS_API_KEY",
        "GOOGLE_CLIENT_SECRET",
        "GOOGLE_APPLICATION_CREDENTIALS_JSON",
    )
    distinct = (rb"AIza[A-Za-z0-9_-]{35}", rb"GOCSPX-[A-Za-z0-9_-]{28,}")
    plausible = (
        rb"AQ\.[A-Za-z0-9_-]{20,}",
        rb"\s*\{(?s:.*)\}\s*",  # a service account's key file
    )
    looks = "AIza and 35 letters, digits, - and _; or a service account's key, a JSON file"
    page = "https://console.cloud.google.com/apis/credentials"
    rotation = MINTED
    how = (
        "the API Keys API makes keys and IAM those of a service account; each is deleted by it too"
    )

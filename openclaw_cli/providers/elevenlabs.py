"""ElevenLabs."""

from __future__ import annotations

from openclaw_cli.providers.provider import MINTED, Provider


class Elevenlabs(Provider):
    name = "elevenlabs"
    title = "ElevenLabs"
    variables = ("ELEVENLABS_API_KEY", "ELEVEN_API_KEY", "XI_API_KEY")
    distinct = (rb"sk_[0-9a-f]{48}",)
    plausible = (rb"[0-9a-f]{32}", rb"sk_[A-Za-z0-9]{32,}")
    looks = "sk_ and 48 digits and letters from a to f"
    page = "https://elevenlabs.io/app/settings/api-keys"
    rotation = MINTED
    how = "the API makes and deletes the keys of a service account; a person's own it cannot"

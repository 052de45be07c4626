"""Hugging Face."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Huggingface(Provider):
    name = "huggingface"
    title = "Hugging Face"
    variables = (
        "HF_TOKEN",
        "HUGGINGFACEHUB_API_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "HUGGINGFACE_API_KEY",
        "HUGGINGFACE_TOKEN",
    )
    distinct = (rb"(?:hf|api_org)_[A-Za-z0-9]{30,}",)
    looks = "hf_ and 34 letters and digits"
    page = "https://huggingface.co/settings/tokens"
    rotation = PERSON
    how = "tokens are made on its settings page only"

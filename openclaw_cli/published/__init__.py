"""What configurations that people already have say of secrets, in our own words.

`externalSecrets`, `secrets`, `encryption` and a provider's own table (`anthropic.apiKey`), each as
articles write it, within `{"openclaw": {...}}` or without. Pure: takes the parsed document, keeps
no value, and leaves alone in silence what is the OpenClaw gateway's. Such a file may choose names
and backends; a program, an address or a credential is taken from `settings.toml` alone.
"""

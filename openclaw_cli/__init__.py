"""openclaw-cli: the API keys of a machine that runs AI agents."""

__version__ = "0.1.0"

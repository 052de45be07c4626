"""The handlers that we bring: `chat` with a model, `acp` for agents that speak that protocol.

They run in an instance, with nothing but the request's own secrets.
"""

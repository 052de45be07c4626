"""Looks for plain text: our own values, keys of known services, and what looks like a secret."""

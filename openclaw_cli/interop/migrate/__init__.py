"""Moves a gateway's plain text into the store: a plan (pure), then steps that each last."""

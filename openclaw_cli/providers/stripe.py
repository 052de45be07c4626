"""Stripe."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Stripe(Provider):
    name = "stripe"
    title = "Stripe"
    variables = ("STRIPE_API_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
    distinct = (rb"[sr]k_(?:org_)?(?:live|test)_[A-Za-z0-9_]{16,}",)
    plausible = (rb"whsec_[A-Za-z0-9+/=_-]{20,}",)
    looks = "sk_live_, sk_test_ or rk_live_ and a row of letters and digits"
    page = "https://dashboard.stripe.com/apikeys"
    rotation = PERSON
    how = "keys are rolled in its Dashboard only; there it keeps the old one valid for a while"

"""New values for old: when a secret is due, how its value is changed, and how one is made."""

"""What the settings say of agents, what each may read and do; `runtime/` runs them."""

GRANTS = "grants"
"""Where the store's directory keeps what agents may read: by agent, then by pattern."""

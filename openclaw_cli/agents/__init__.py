"""What the settings say of agents, what each may read and do; `runtime/` runs them."""

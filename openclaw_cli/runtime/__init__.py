"""Agents as processes: a zygote for each agent, an instance for each request or session."""

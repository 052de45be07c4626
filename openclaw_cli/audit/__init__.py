"""The trail: what happened, chained so that a change to it shows."""

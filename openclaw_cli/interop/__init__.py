"""What we do for the OpenClaw gateway."""

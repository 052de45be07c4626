"""The commands of `openclaw secrets`, one file for what is done together."""

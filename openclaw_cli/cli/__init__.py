"""The command line: what people type, what they are asked, and what they look at."""

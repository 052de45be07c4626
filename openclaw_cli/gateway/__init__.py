"""The gateway: agents behind HTTP and a unix socket, with their metrics and their log."""

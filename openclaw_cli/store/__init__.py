"""The sealed store: the file, its ciphers, its commits and its key slots."""

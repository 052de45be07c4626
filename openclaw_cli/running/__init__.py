"""Running a program with secrets: starting it, waiting for it, and masking what it prints."""

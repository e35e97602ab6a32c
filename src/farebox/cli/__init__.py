"""The command line face: it parses a command, asks a service, and prints the answer."""

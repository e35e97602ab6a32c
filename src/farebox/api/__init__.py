"""The HTTP face: it parses a call, asks a service, and writes the answer."""

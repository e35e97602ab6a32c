"""Embed: Farebox inside the provider's own API, as a middleware for ASGI and for WSGI."""

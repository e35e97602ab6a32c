"""Farebox meters, limits and reports the use of an HTTP API that is sold by credits."""

__version__ = "0.1.0"

"""Exports: a report as a table, and a table as a file that is made piece by piece."""

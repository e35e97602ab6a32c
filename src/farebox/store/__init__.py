"""The stores: one contract of named queries, one folder an engine."""

"""One file a use case: each does one thing for a caller, in the nouns of the core."""

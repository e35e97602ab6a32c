"""The nouns and their rules: pure, without I/O, clock, randomness or third-party imports."""

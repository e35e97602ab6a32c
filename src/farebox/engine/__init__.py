"""The running heart: the recorder, the link to it, what is kept in memory, and the clock."""

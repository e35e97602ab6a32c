"""The tests: a room for each room of the house, and the house rules themselves."""

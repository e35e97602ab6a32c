"""The documentation that the program serves, made from the one definition of the routes."""

"""The demo: a workspace with made-up traffic, a sample priced API, and a server for both."""

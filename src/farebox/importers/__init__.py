"""The face to files: readers of web server logs that become requests."""

"""The forms of the admin API: what comes in and what goes out, one noun a file.

A form is at once the body of a call, the arguments of its command and, by its descriptions, its
documentation. Credits come in as exact decimals and leave as JSON numbers; stamps are RFC 3339 in
UTC. In a form for changes, a field that was not sent is UNSET and stays as it is.
"""

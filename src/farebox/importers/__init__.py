"""Importers: the access logs of real web servers, read into drafts of requests.

    lines ─► a format (combined, nginx JSON, Caddy JSON) ─► row ─► drafter (mapping) ─► Draft

Reading ends at the draft. Which workspace a key belongs to, which log type a path is and what it
costs is decided by the service that records drafts.
"""

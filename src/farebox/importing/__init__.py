"""The import: a web server's log, read by the importers, is priced and recorded."""

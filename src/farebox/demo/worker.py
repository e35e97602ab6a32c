"""A worker of the demo, as `farebox.workers.worker`, with the sample API beside Farebox's own."""

from __future__ import annotations

from farebox.demo.sample_api import sample_routes
from farebox.workers.worker import main

if __name__ == "__main__":
    raise SystemExit(main(sample_routes))

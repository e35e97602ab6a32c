"""Headers: what browsers may do with our pages. Nothing from outside, no script but ours."""

from __future__ import annotations

from collections.abc import Mapping

from farebox.dashboard.session import Area

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
_ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
_FILE = {**_ALWAYS, "Content-Security-Policy": _NOTHING}
ASSET_HEADERS = {
    **_FILE,
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
}
NO_ASSET_HEADERS = {**_FILE, "Cache-Control": "no-store"}


def page_headers(frame_ancestors: tuple[str, ...], area: Area) -> Mapping[str, str]:
    """The headers of a page. The operator's are never shown in a frame of somebody else."""
    framed = frame_ancestors if area == "workspace" else ()
    ancestors = " ".join(["'self'", *framed]) if framed else "'none'"
    return {
        **_ALWAYS,
        "Cache-Control": "no-store",
        "Content-Security-Policy": _POLICY.format(ancestors=ancestors),
        "Vary": "Accept-Language, Cookie",
    }

"""A provider's own site over https, and the dashboard on another one that it may show in a frame.

    https://usage.test        a real server of Farebox, behind a real nginx with TLS
    https://provider.test     the provider's site, which FAREBOX_FRAME_ANCESTORS names
    https://stranger.test     anybody else's

The browser finds all of them here, with a certificate that is made for the time of the tests: so
its contexts need `ignore_https_errors`. To a browser they are three sites, whatever their port.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.nginx import Nginx
from tests.support.server import RunningServer

USAGE, PROVIDER, STRANGER = "usage.test", "provider.test", "stranger.test"
HOW_TO_GET_IT = "There is no openssl. On Debian and Ubuntu: apt-get install openssl"
CERTIFY = (
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
    *("-days", "2", "-subj", f"/CN={USAGE}"),
    *("-addext", f"subjectAltName=DNS:{USAGE},DNS:{PROVIDER},DNS:{STRANGER}"),
)
CONFIGURATION = """
worker_processes 1;
pid {folder}/nginx.pid;
events {{}}
http {{
  {temporary}
  access_log off;
  types {{ text/html html; }}
  ssl_certificate {folder}/certificate.pem;
  ssl_certificate_key {folder}/key.pem;
  server {{
    listen {listen} ssl;
    server_name {usage};
    location / {{
      proxy_pass {server};
      proxy_set_header Host $http_host;
    }}
  }}
  server {{
    listen {listen} ssl;
    server_name {provider} {stranger};
    root {folder}/pages;
  }}
}}
"""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Portal</title>
<link rel="icon" href="data:,"></head><body>
<iframe title="Usage" width="1000" height="700" src="{address}"></iframe></body></html>"""
# What a browser does whose owner has said so; Chromium has no flag for it.
BLOCK_THIRD_PARTY_COOKIES = {
    "enableThirdPartyCookieRestriction": True,
    "disableThirdPartyCookieMetadata": True,
    "disableThirdPartyCookieHeuristics": True,
}


class Portal:
    """What was made, and where it is served."""

    def __init__(self, server: RunningServer, nginx: Nginx) -> None:
        self._server = server
        self._nginx = nginx
        server.make("/plans", {"slug": "gold", "name": "Gold", "credits_per_month": 100})
        self.profile_id = server.make("/workspaces", {"name": "Acme", "plan": "gold"})["profile_id"]

    def url(self, host: str) -> str:
        """Where a site is."""
        return f"https://{host}:{self._nginx.port}"

    def put(self, host: str, address: str, *, name: str = "portal.html") -> str:
        """The address of a page of a site that shows another page in a frame."""
        (self._nginx.folder / "pages" / name).write_text(PAGE.format(address=address))
        return f"{self.url(host)}/{name}"

    def link(self, role: str = "manage") -> str:
        """A link into the workspace, as the provider's server makes one for whoever looks."""
        made = self._server.make(f"/workspaces/{self.profile_id}/links", {"role": role})
        link: str = made["url"]
        return link

    def end_links(self) -> None:
        """End all links and sessions of the workspace."""
        path = f"/admin/v1/workspaces/{self.profile_id}/links"
        assert self._server.call("DELETE", path).is_success

    def key_names(self) -> set[str]:
        """The names of the workspace's API keys."""
        path = f"/admin/v1/workspaces/{self.profile_id}/keys"
        return {key["name"] for key in self._server.call("GET", path).json()["data"]}


@contextmanager
def running_portal(folder: Path) -> Iterator[Portal]:
    """A portal, served for the time of the `with`."""
    (folder / "pages").mkdir()
    if shutil.which(CERTIFY[0]) is None:
        pytest.fail(HOW_TO_GET_IT, pytrace=False)
    files = ("-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem"))
    subprocess.run([*CERTIFY, *files], check=True, capture_output=True)
    with Nginx(folder) as nginx:
        settings = {
            "FAREBOX_PUBLIC_URL": f"https://{USAGE}:{nginx.port}",
            "FAREBOX_FRAME_ANCESTORS": f"https://{PROVIDER}:{nginx.port}",
            "FAREBOX_LOG_LEVEL": "error",
        }
        with RunningServer(folder, settings) as server:
            nginx.start(
                CONFIGURATION.format(
                    folder=folder,
                    temporary=nginx.temporary,
                    listen=nginx.listen,
                    server=server.url,
                    usage=USAGE,
                    provider=PROVIDER,
                    stranger=STRANGER,
                )
            )
            yield Portal(server, nginx)


def block_third_party_cookies(page: Page) -> None:
    """Have the browser keep no cookie of another site than that of the address bar."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCookieControls", BLOCK_THIRD_PARTY_COOKIES)

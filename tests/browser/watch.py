"""Watch: whatever a page does that no page of ours may do is found, and fails the test.

That is an error or a warning on the console, an exception that nobody caught, what the
Content-Security-Policy forbids, and a request to another host. A test that means to see one of
them, as when a wrong key is refused, says so with `expect`, and then it must come.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebError

HOSTS = {"127.0.0.1", "localhost"}
# The browser of the tests finds them here.
OWN_SITES = ".test"
LOCAL_SCHEMES = {"about", "blob", "data"}
FOUND = {"assert", "error", "warning"}


class Watch:
    """What the pages of some contexts have done, in words."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._expected: list[str] = []

    def over(self, context: BrowserContext) -> None:
        """Watch all pages of a context."""
        context.on("console", self._hear)
        context.on("request", self._see)
        context.on("weberror", self._catch)
        context.on("page", self._open)

    def expect(self, words: str) -> None:
        """Something with these words must be found, and is all right."""
        self._expected.append(words)

    def check(self) -> None:
        """Fail unless all that was found was expected, and all that was expected was found."""
        unexpected = [one for one in self.found if not any(e in one for e in self._expected)]
        missing = [e for e in self._expected if not any(e in one for one in self.found)]
        assert not unexpected, "\n".join(unexpected)
        assert not missing, f"nothing on the console has said: {missing}"

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in FOUND:
            self.found.append(f"{message.type} on the console: {message.text}")

    def _see(self, request: Request) -> None:
        address = urlsplit(request.url)
        host = address.hostname or ""
        is_here = host in HOSTS or host.endswith(OWN_SITES)
        if address.scheme not in LOCAL_SCHEMES and not is_here:
            self.found.append(f"a request to another host: {request.url}")

    def _catch(self, error: WebError) -> None:
        self.found.append(f"nobody caught: {error.error}")

    def _open(self, page: Page) -> None:
        page.on("crash", lambda _: self.found.append("the page has crashed"))

"""Places: where a format's lines hold what a mapping asks for.

What the mapping names and a line of the format can't have is reported, all of it at once, before
a line is read.
"""

from __future__ import annotations

from farebox.core.errors import INVALID_REQUEST, FareboxError
from farebox.importers.formats import Format
from farebox.importers.mapping import ROLES, ImportMapping
from farebox.importers.row import Find, Path, Place, field_paths, finder

# The roles of a duration, best first, each with the power of ten of its unit in seconds.
_DURATIONS = (
    ("duration_seconds", 0),
    ("duration_ms", -3),
    ("duration_us", -6),
    ("duration_ns", -9),
)


class Places:
    """Turns what the mapping names into finders, and gathers what this format can't have."""

    def __init__(self, log_format: Format, mapping: ImportMapping) -> None:
        self._format = log_format
        self._mapping = mapping
        self._problems: list[str] = []

    def find(self, entry: str, place: Place | None) -> Find:
        """The finder of a place; it finds nothing when there is none."""
        if place is None:
            return finder(())
        if place.kind == "value":
            constant = place.name
            return lambda _row: constant
        return finder(self._paths(f"{entry}.{place.kind}", place))

    def _paths(self, entry: str, place: Place) -> tuple[Path, ...]:
        paths = self._format.paths(place)
        if not paths:
            names = ", ".join(name for name in self._format.names if name[0] != "-")
            self._problems.append(
                f"'{entry}' must be among the fields of a {self._format.name} line: {names}"
                " ('combined.trailing' names more)"
            )
        return paths

    def roles(self) -> dict[str, Find]:
        """The finders of what every line may have, by role."""
        paths = {
            role: tuple(path for name in names for path in field_paths(name))
            for role, names in self._format.roles.items()
        }
        named = self._mapping.fields
        if "method" in named or "path" in named:
            paths.pop("request", None)
        for role, name in named.items():
            paths[role] = self._paths(f"fields.{role}", Place("field", name))
        return {role: finder(paths.get(role, ())) for role in ROLES}

    def durations(self) -> list[tuple[Find, int]]:
        """The finders of the duration with its unit; only the mapping's when it names one."""
        roles = self.roles()
        named = [unit for unit in _DURATIONS if unit[0] in self._mapping.fields]
        return [(roles[role], places) for role, places in named or _DURATIONS]

    def keys(self) -> list[tuple[Find, str | None]]:
        """The finders of the key, each with the name of the header that it reads."""
        found = []
        for place in self._mapping.keys:
            paths = self._format.paths(place)
            if paths:
                found.append((finder(paths), _header_name(place)))
        if self._mapping.keys and not found:
            self._problems.append(
                f"'key' or 'key_id' must name where a {self._format.name} line has the key"
                " ('combined.trailing' names its trailing fields)"
            )
        return found

    def raise_problems(self) -> None:
        """Reports all problems at once."""
        if self._problems:
            problems = list(dict.fromkeys(self._problems))
            raise FareboxError(
                INVALID_REQUEST, reason="; ".join(problems), details={"problems": problems}
            )


def _header_name(place: Place) -> str | None:
    if place.kind == "header":
        return place.name.lower()
    prefix = "http_"
    is_header = place.name.startswith(prefix)
    return place.name[len(prefix) :].replace("_", "-").lower() if is_header else None

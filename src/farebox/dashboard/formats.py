"""Formats: numbers, credits, days and instants as a reader of each language expects them.

Each stands in the page with its exact value beside what is shown: `<data value="1250.5">1,250.5
</data>`, `<time datetime="…">`. Nothing is rounded but what says so in its name.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from babel import Locale
from babel.dates import (
    format_date,
    format_skeleton,
    format_time,
    format_timedelta,
)
from babel.numbers import format_percent
from babel.units import format_unit
from markupsafe import Markup

from farebox.contract.texts import Language
from farebox.core.calendar import format_day
from farebox.core.credits import to_number
from farebox.core.instant import MS_PER_SECOND, to_iso_ms

LOCALES: dict[Language, Locale] = {
    "en": Locale("en"),
    "cn": Locale("zh", "CN", "Hans"),
    "ko": Locale("ko", "KR"),
    "jp": Locale("ja", "JP"),
}
NONE = Markup('<span class="none">–</span>')
_TimeStyle = Literal["short", "medium"]
_ROUGH_FROM_MICRO = 10_000_000
_UNITS = ("B", "KiB", "MiB", "GiB")
_STEP = 1024
_EPOCH = date(1970, 1, 1)


class Formats:
    """Of one language. None is shown as a dash."""

    def __init__(self, language: Language) -> None:
        self.locale = LOCALES[language]

    def number_text(self, value: Decimal | int) -> str:
        """An exact number as text.

        All our languages write numbers alike. Babel would take 20 times as long, which a page with
        thousands of numbers can't wait for; a test holds this against it.
        """
        return f"{value:,}" if isinstance(value, int) else f"{value:,f}"

    def number(self, value: Decimal | int | None) -> Markup:
        """An exact number."""
        if value is None:
            return NONE
        return Markup('<data value="{}">{}</data>').format(value, self.number_text(value))

    def credits_text(self, micro: int) -> str:
        """Micro-credits as credits, exact, as text."""
        return self.number_text(to_number(micro))

    def credits(self, micro: int | None) -> Markup:
        """Micro-credits as credits, exact."""
        return NONE if micro is None else self.number(to_number(micro))

    def rough_credits(self, micro: int) -> Markup:
        """About how many credits: from ten on in whole ones, below cut to two decimal places."""
        step = 1_000_000 if micro >= _ROUGH_FROM_MICRO else 10_000
        shown = self.credits_text(micro // step * step)
        about = "" if micro % step == 0 else "≈ "
        return Markup('<data value="{}">{}{}</data>').format(to_number(micro), about, shown)

    def percent(
        self, value: Decimal | int | None, *, is_signed: bool = False, places: int = 0
    ) -> Markup:
        """A percentage (12.5 is 12.5 %), exact, with at least so many decimal places."""
        if value is None:
            return NONE
        pattern = f"#,##0.{'0' * places}%" if places else None
        shown = format_percent(
            Decimal(value) / 100, pattern, locale=self.locale, decimal_quantization=False
        )
        sign = "+" if is_signed and value > 0 else ""
        return Markup('<data value="{}">{}{}</data>').format(value, sign, shown)

    def size(self, size_bytes: int | None) -> Markup:
        """A size, rounded to a tenth of its unit; the exact bytes are its value."""
        if size_bytes is None:
            return NONE
        unit, step = 0, 1
        while size_bytes >= step * _STEP and unit < len(_UNITS) - 1:
            unit, step = unit + 1, step * _STEP
        tenths = size_bytes * 10 // step
        shown = self.number_text(Decimal(tenths) / 10 if unit else size_bytes)
        return Markup('<data value="{}">{} {}</data>').format(size_bytes, shown, _UNITS[unit])

    def milliseconds(self, ms: int | None) -> Markup:
        """A duration."""
        if ms is None:
            return NONE
        shown = format_unit(ms, "duration-millisecond", "short", locale=self.locale)
        return Markup('<data value="{}">{}</data>').format(ms, shown)

    def day(self, day: int | None, *, style: str = "medium") -> Markup:
        """A day, counted from 1970-01-01."""
        if day is None:
            return NONE
        return Markup('<time datetime="{}">{}</time>').format(
            format_day(day), self.day_text(day, style)
        )

    def day_text(self, day: int, style: str = "medium") -> str:
        """A day as text; `style` is one of Babel's, or a skeleton such as `MMMd`."""
        return _day(self.locale, day, style)

    def moment(self, ms: int | None, zone: tzinfo) -> Markup:
        """An instant to the minute, in a zone."""
        return self._moment(ms, zone, "short")

    def stamp(self, ms: int | None, zone: tzinfo) -> Markup:
        """An instant to the second, in a zone."""
        return self._moment(ms, zone, "medium")

    def date(self, ms: int, zone: tzinfo) -> Markup:
        """The day that an instant lies in, in a zone."""
        day = format_date(_at(ms).astimezone(zone).date(), "medium", locale=self.locale)
        return Markup('<time datetime="{}">{}</time>').format(to_iso_ms(ms), day)

    def clock(self, ms: int, zone: tzinfo) -> str:
        """The time of day of an instant as text."""
        return self._time(ms, zone, "short")

    def ago(self, ms: int | None, now_ms: int, zone: tzinfo) -> Markup:
        """How long ago, or until when, roughly; the instant itself is its title."""
        if ms is None:
            return NONE
        exact = self._moment_text(ms, zone, "medium")
        passed = timedelta(seconds=(ms - now_ms) // MS_PER_SECOND)
        shown = format_timedelta(passed, add_direction=True, locale=self.locale)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            to_iso_ms(ms), exact, shown
        )

    def _moment(self, ms: int | None, zone: tzinfo, time_style: _TimeStyle) -> Markup:
        if ms is None:
            return NONE
        shown = self._moment_text(ms, zone, time_style)
        return Markup('<time datetime="{}">{}</time>').format(to_iso_ms(ms), shown)

    def _moment_text(self, ms: int, zone: tzinfo, time_style: _TimeStyle) -> str:
        day = format_date(_at(ms).astimezone(zone).date(), "medium", locale=self.locale)
        return f"{day} {self._time(ms, zone, time_style)}"

    def _time(self, ms: int, zone: tzinfo, style: _TimeStyle) -> str:
        # Korean says 오후 for what its short form of the half of a day gives as PM.
        pattern = self.locale.time_formats[style].pattern.replace("a h", "aaaa h")
        pattern = pattern if self.locale.language == "ko" else style
        return str(format_time(_at(ms), pattern, tzinfo=zone, locale=self.locale))


@lru_cache(maxsize=4096)
def _day(locale: Locale, day: int, style: str) -> str:
    at = _EPOCH + timedelta(days=day)
    if style in {"short", "medium", "long", "full"}:
        return str(format_date(at, style, locale=locale))
    midnight = datetime(at.year, at.month, at.day, tzinfo=UTC)
    return str(format_skeleton(style, midnight, locale=locale))


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // MS_PER_SECOND, UTC)

"""A database's URL: read strictly, told clearly, and never shown with its password."""

from __future__ import annotations

import pytest

from farebox.core.database_url import file_url, read_database_url

PASSWORD = "pass%3Aword%40of-the-tests"


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("sqlite:///farebox.db", "farebox.db"),
        ("sqlite:////var/lib/farebox.db", "/var/lib/farebox.db"),
        ("sqlite:///a b/ü.db?x=1", "a b/ü.db?x=1"),
    ],
)
def test_a_file_of_sqlite_is_its_path(text: str, file: str) -> None:
    url = read_database_url(text)
    assert (url.file, url.shown, str(url), url.reveal()) == (file, file, file, text)
    assert url == file_url(file)
    assert not url.has_password


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://farebox@db.example/farebox",
        "postgresql://db.example:5433/farebox",
        "postgresql://a.example:5432,b.example,[::1]:5434/farebox",
        "postgresql://[fe80::1%25eth0]/farebox?sslmode=verify-full&target_session_attrs=read-write",
        "postgresql:///farebox?host=/run/postgresql",
        "postgresql://%2Frun%2Fpostgresql/farebox",
        "postgresql://:5433/farebox",
        "postgresql://?service=farebox",
        "postgresql://db.example?dbname=farebox",
        "postgresql://db.example/farebox?options=-c%20search_path%3Dmetering",
        "postgresql://us%40er@db.example/fare%2Fbox?passfile=/etc/farebox/pgpass",
    ],
)
def test_without_a_password_it_is_shown_as_it_is(text: str) -> None:
    url = read_database_url(text)
    assert url.shown == str(url) == url.reveal() == text
    assert url.file is None
    assert not url.has_password


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"postgresql://u:{PASSWORD}@h:5432/d", "postgresql://u@h:5432/d"),
        (f"postgres://u:{PASSWORD}@h,i/d?sslmode=require", "postgresql://u@h,i/d?sslmode=require"),
        (f"postgresql://u@h/d?password={PASSWORD}", "postgresql://u@h/d"),
        (
            f"postgresql:///d?host=/run&password={PASSWORD}&user=u",
            "postgresql:///d?host=/run&user=u",
        ),
        (f"postgresql://h/d?sslkey=/k&sslpassword={PASSWORD}", "postgresql://h/d?sslkey=/k"),
        (f"postgresql://h/d?oauth_client_secret={PASSWORD}", "postgresql://h/d"),
    ],
)
def test_a_password_is_in_no_text_of_it(text: str, shown: str) -> None:
    url = read_database_url(text)
    assert url.has_password
    assert url.shown == str(url) == f"{url}" == shown
    assert PASSWORD not in f"{url!r} {[url]} {url}"
    assert url.reveal() == text.replace("postgres:", "postgresql:")


def test_urls_are_the_same_when_they_lead_to_the_same_place() -> None:
    urls = ["postgres://u:one@h/d", "postgresql://u:two@h/d", "postgresql://u@h/d?password=three"]
    assert len({read_database_url(url) for url in urls}) == 1
    assert read_database_url("postgresql://v@h/d") != read_database_url(urls[0])


def test_an_empty_password_is_none() -> None:
    assert not read_database_url("postgresql://u:@h/d").has_password


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "sqlite:///FILE"),
        ("farebox.db", "sqlite:///FILE"),
        ("sqlite:///", "sqlite:///FILE"),
        ("sqlite://farebox.db", "sqlite:///FILE"),
        ("mysql://u:PASS@h/d", "or postgresql://USER"),
        ("postgresql:/h/d", "or postgresql://USER"),
        ("POSTGRESQL://h/d", "or postgresql://USER"),
        ("postgresql+psycopg://u:PASS@h/d", "or postgresql://USER"),
        ("postgresql://u:PASS@x@h/d", "written as %XX"),
        ("postgresql://u:PASS/x@h/d", "written as %XX"),
        ("postgresql://u:PASS#x@h/d", "written as %XX"),
        ("postgresql://u:PASS:x@h/d", "written as %XX"),
        ("postgresql://u:PASS%@h/d", "written as %XX"),
        ("postgresql://u:PASS%0@h/d", "written as %XX"),
        ("postgresql://u:PASS%00@h/d", "written as %XX"),
        ("postgresql://u:PASSü@h/d", "written as %XX"),
        ("postgresql://u:PASS word@h/d", "written as %XX"),
        ("postgresql://u:PASS@h/d\nx", "written as %XX"),
        ("postgresql://u:PASS@h/d/e", "written as %XX"),
        ("postgresql://u:PASS@h:0/d", "from 1 to 65535"),
        ("postgresql://u:PASS@h:65536/d", "from 1 to 65535"),
        ("postgresql://u:PASS@h:port/d", "from 1 to 65535"),
        ("postgresql://u:PASS@h:123456/d", "from 1 to 65535"),
        ("postgresql://u:PASS@::1/d", "in [brackets]"),
        ("postgresql://u:PASS@[::1/d", "in [brackets]"),
        ("postgresql://u:PASS@h", "the name of the database is missing"),
        ("postgresql://u:PASS@h/", "the name of the database is missing"),
        ("postgresql://", "the name of the database is missing"),
        ("postgresql://u:PASS@h/d?", "NAME=VALUE"),
        ("postgresql://u:PASS@h/d?sslmode", "NAME=VALUE"),
        ("postgresql://u:PASS@h/d?sslmode=a=b", "NAME=VALUE"),
        ("postgresql://u:PASS@h/d?sslmode=a&sslmode=b", "NAME=VALUE"),
        ("postgresql://u:PASS@h/d?pass%77ord=PASS", "NAME=VALUE"),
        ("postgresql://u:PASS@h/d?PASSWORD=PASS", "NAME=VALUE"),
    ],
)
def test_what_is_wrong_is_told_and_not_repeated(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite:///FILE") as caught:
        read_database_url(text.replace("PASS", "kept-to-itself"))
    assert told in str(caught.value)
    assert "kept-to-itself" not in str(caught.value)

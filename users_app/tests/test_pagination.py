"""Pages by cursor: every row once, whatever its moment; cursors that this release did not write are refused."""

import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db.models import Model, QuerySet
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from users_app.http.pagination import BadCursor, NewestFirst, Page, Position
from users_app.models import AuditEntry, Session, User
from users_app.tests.conftest import SignIn

ROUTES = ("/api/v1/videos/", "/api/v1/upload/videos/", "/api/v1/users/", "/api/v1/audit/", "/api/v1/auth/sessions/")
MOMENT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)


class LatestFirst(NewestFirst):
    field = "at"


def page_of(rows: "QuerySet[Any]", address: str = "/", pages: type[NewestFirst] = LatestFirst) -> Page[Any]:
    return pages(Request(APIRequestFactory().get(address))).page(rows)


def walk(first: Page[Any], rows: "QuerySet[Any]", way: Callable[[Page[Any]], str | None]) -> Iterator[Page[Any]]:
    page = first
    while address := way(page):
        page = page_of(rows, address)
        yield page


def add(count: int, at: datetime = MOMENT) -> None:
    AuditEntry.objects.bulk_create(AuditEntry(at=at, action="sign_in", status=200) for _ in range(count))


@pytest.mark.parametrize("size", [1, 3, 7, 10, 100])
@pytest.mark.parametrize("moments", [1, 2, 5, 10])
def test_every_row_is_on_one_page_forwards_and_back(size: int, moments: int, db: None) -> None:
    for number in range(10):
        add(1, MOMENT + timedelta(microseconds=number % moments))
    rows = AuditEntry.objects.all()
    expected = list(rows.order_by("-at", "-pk"))
    first = page_of(rows, f"/?page_size={size}")
    pages = [first, *walk(first, rows, lambda page: page.next)]
    assert [row for page in pages for row in page.rows] == expected
    assert {len(page.rows) for page in pages[:-1]} <= {size}
    back = list(walk(pages[-1], rows, lambda page: page.previous))
    assert [page.rows for page in back] == [page.rows for page in reversed(pages[:-1])]
    assert first.previous is None


def test_thousands_of_rows_of_one_moment_are_on_one_page_each(db: None) -> None:
    add(3000)
    rows = AuditEntry.objects.all()
    first = page_of(rows, "/?page_size=100")
    shown = [row.pk for page in (first, *walk(first, rows, lambda page: page.next)) for row in page.rows]
    assert shown == sorted(shown, reverse=True)
    assert len(shown) == len(set(shown)) == 3000


def test_rows_that_come_and_go_shift_no_page(db: None) -> None:
    add(6)
    rows = AuditEntry.objects.all()
    first = page_of(rows, "/?page_size=2")
    second = page_of(rows, str(first.next))
    add(3, MOMENT + timedelta(days=1))
    first.rows[1].delete()  # the row that the cursor names
    assert page_of(rows, str(first.next)).rows == second.rows
    AuditEntry.objects.all().delete()
    gone = page_of(rows, str(first.next))
    assert (gone.rows, gone.next) == ([], None)
    assert page_of(rows, str(gone.previous)).previous is None


def test_keys_need_not_be_numbers(viewer: User) -> None:
    Session.objects.bulk_create(
        Session(id=uuid.UUID(int=number), user=viewer, created_at=MOMENT, expires_at=MOMENT) for number in range(9)
    )
    rows = Session.objects.filter(user=viewer)
    pages = [page_of(rows, "/?page_size=4", NewestFirst)]
    while address := pages[-1].next:
        pages.append(page_of(rows, address, NewestFirst))
    assert [row.pk.int for page in pages for row in page.rows] == list(range(8, -1, -1))


@pytest.mark.parametrize(
    ("text", "size"),
    [("", 24), ("0", 24), ("-1", 24), ("x", 24), ("٣", 24), ("9" * 5000, 24), ("7", 7), ("100", 100), ("101", 100)],
)
def test_the_size_of_a_page_has_a_limit(text: str, size: int) -> None:
    assert NewestFirst(Request(APIRequestFactory().get("/", {"page_size": text}))).size() == size


def drf_cursor() -> str:
    """A cursor as former releases wrote them."""

    class Pages(CursorPagination):
        base_url = "http://testserver/"

    link = Pages().encode_cursor(Cursor(offset=1, reverse=False, position=str(MOMENT)))  # type: ignore[arg-type]  # it is a text
    return link.partition("cursor=")[2]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "cursor", [drf_cursor(), b64encode(urlencode({"p": "9999-12-31T23:59:59-14:00"}).encode()).decode(), "x", "n", "p1"]
)
def test_a_cursor_of_a_former_release_is_refused_with_a_sentence(
    route: str, cursor: str, admin: User, sign_in: SignIn
) -> None:
    answer = sign_in(admin).get(route, {"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")
    assert "first page" in answer.json()["detail"]


@pytest.mark.parametrize(
    "cursor",
    [
        *("n.", "n1", "n1.", "n.1", "q1.1", "N1.1", "n1.1.1", "n1.x", "n1.-1", "n1. 1", "n1.+1", "n1.1_0", "n1.٣"),
        *("n--1.1", "n-.1", "n1e3.1", "n٣.1", f"n{'9' * 18}.1", f"n-{'9' * 18}.1", f"n{'9' * 19}.1", f"n1.{'9' * 19}"),
        *(f"n1.{'1' * 5000}", f"n{'1' * 5000}.1", f"n1.{uuid.UUID(int=1)}", "n1.\0", "\ud7ff"),
    ],
)
def test_only_cursors_in_the_own_form_are_read(cursor: str) -> None:
    with pytest.raises(BadCursor):
        NewestFirst(Request(APIRequestFactory().get("/"))).parse(cursor, User)


@pytest.mark.parametrize("cursor", ["n1.", f"n1.{'0' * 33}", "n1.7", "n1.zz"])
def test_a_key_has_to_fit_the_table(cursor: str) -> None:
    with pytest.raises(BadCursor):
        NewestFirst(Request(APIRequestFactory().get("/"))).parse(cursor, Session)


@pytest.mark.parametrize("moment", [MOMENT, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)])
@pytest.mark.parametrize(("key", "model"), [(7, User), (uuid.UUID(int=7), Session)])
def test_a_position_survives_the_address(moment: datetime, key: Any, model: type[Model]) -> None:
    pages = NewestFirst(Request(APIRequestFactory().get("/?page_size=5")))
    address = pages.address("n", Position(moment, key))
    is_back, at = pages.parse(address.partition("cursor=")[2].partition("&")[0], model)
    assert (is_back, at.moment, at.key) == (False, moment, key)

"""RFC 9110, sections 13 and 14, as tables."""

from http import HTTPStatus

import pytest

from config.http.byte_ranges import ByteRange, Unsatisfiable, Validators, may_continue, parse_range, precondition

SIZE = 1000
STATE = Validators(etag='"abc"', modified_s=1_700_000_000)
THEN, BEFORE, AFTER = (
    "Tue, 14 Nov 2023 22:13:20 GMT",
    "Tue, 14 Nov 2023 22:13:19 GMT",
    "Tue, 14 Nov 2023 22:13:21 GMT",
)


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-999", 0, 999),
        ("bytes=0-", 0, 999),
        ("bytes=500-", 500, 999),
        ("bytes=999-", 999, 999),
        ("bytes=10-19", 10, 19),
        ("bytes=990-5000", 990, 999),
        ("bytes=-1", 999, 999),
        ("bytes=-1000", 0, 999),
        ("bytes=-5000", 0, 999),
        ("Bytes=0-1", 0, 1),
        ("bytes= 0-1 ", 0, 1),
        ("bytes=0000-0001", 0, 1),
        ("bytes=0-" + "9" * 5000, 0, 999),
        ("bytes=-" + "9" * 5000, 0, 999),
    ],
)
def test_one_range_is_cut_to_the_file(header: str, first: int, last: int) -> None:
    assert parse_range(header, size=SIZE) == ByteRange(first, last)


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=" + "9" * 5000 + "-"])
def test_a_range_behind_the_end_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, size=SIZE)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-1", "bytes=0-0"])
def test_an_empty_file_has_no_ranges(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, size=0)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=2-1",
        "bytes=a-b",
        "bytes=0-1,5-6",
        "bytes=0-1,",
        "items=0-1",
        "bytes=0",
        "bytes=--1",
        "bytes=0-1-2",
        "bytes 0-1",
        "bytes=٠-١",
        "bytes=0x0-0x1",
        "bytes=0-1\n",
    ],
)
def test_malformed_and_multiple_ranges_mean_the_whole_file(header: str | None) -> None:
    assert parse_range(header, size=SIZE) is None


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({}, None),
        ({"if-none-match": '"abc"'}, HTTPStatus.NOT_MODIFIED),
        ({"if-none-match": 'W/"abc"'}, HTTPStatus.NOT_MODIFIED),
        ({"if-none-match": '"x", "abc"'}, HTTPStatus.NOT_MODIFIED),
        ({"if-none-match": "*"}, HTTPStatus.NOT_MODIFIED),
        ({"if-none-match": '"x"'}, None),
        ({"if-none-match": "nonsense"}, None),
        ({"if-modified-since": THEN}, HTTPStatus.NOT_MODIFIED),
        ({"if-modified-since": AFTER}, HTTPStatus.NOT_MODIFIED),
        ({"if-modified-since": BEFORE}, None),
        ({"if-modified-since": "nonsense"}, None),
        ({"if-none-match": '"x"', "if-modified-since": AFTER}, None),
        ({"if-match": '"abc"'}, None),
        ({"if-match": "*"}, None),
        ({"if-match": '"x"'}, HTTPStatus.PRECONDITION_FAILED),
        ({"if-match": 'W/"abc"'}, HTTPStatus.PRECONDITION_FAILED),
        ({"if-unmodified-since": THEN}, None),
        ({"if-unmodified-since": BEFORE}, HTTPStatus.PRECONDITION_FAILED),
        ({"if-match": '"abc"', "if-unmodified-since": BEFORE}, None),
        ({"if-match": '"abc"', "if-none-match": '"abc"'}, HTTPStatus.NOT_MODIFIED),
    ],
)
def test_conditions_are_judged_in_the_order_of_the_rfc(headers: dict[str, str], answer: HTTPStatus | None) -> None:
    assert precondition(headers, STATE) == answer


@pytest.mark.parametrize(
    ("if_range", "holds"),
    [(None, True), ('"abc"', True), (THEN, True), ('W/"abc"', False), ('"x"', False), (BEFORE, False), (AFTER, False)],
)
def test_a_range_continues_only_the_exact_file_that_the_client_has(if_range: str | None, holds: bool) -> None:
    assert may_continue(if_range, STATE) is holds

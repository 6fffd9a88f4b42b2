"""Answers that show films: the whole list, a page, one film. Each has an ETag, and is 304 for a copy that holds."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from content_app.api.film_bytes import Films
from content_app.api.long_lists import LONG, PART, answer_in_turn, packed_array
from content_app.api.video_json import filtered_videos
from content_app.models import Video
from content_app.queries import (
    Light,
    findable,
    light,
    light_in_batches,
    read_light,
    read_visible_light,
    visible_to,
)
from users_app.http.pagination import NewestFirst, Position
from users_app.http.signed_in import person_of

Answer = TypeVar("Answer", bound=HttpResponseBase)
Find = Callable[[], "QuerySet[Video]"]
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The `ETag` of the answer that you have."
)
NOT_MODIFIED = OpenApiResponse(description="The answer that you have still holds; sent without a body.")


def film_list(request: Request) -> HttpResponseBase:
    """Answers with the videos that the query string asks for, newest first, as one array. Raises TooManyLists."""
    find = finder(request)
    rows = read_light(find()[: LONG + 1]) if request.query_params else read_visible_light(person_of(request), LONG + 1)
    if len(rows) > LONG:
        del rows  # free them before this request waits for its turn
        return answer_in_turn(person_of(request).pk, lambda: long_list(request, find))
    films = Films(request, find)
    ends = films.ends(rows)
    return answer(request, films, lambda: b"".join((b"[", *films.texts(rows, ends), b"]")))


def long_list(request: Request, find: Find) -> HttpResponseBase:
    if "If-None-Match" in request.headers:
        films = Films(request, find)
        for rows in light_in_batches(find(), PART):
            films.ends(rows)
        if is_known(request, films.etag):
            return labelled(HttpResponseNotModified(), films)
    films = Films(request, find)

    def parts() -> Iterator[bytes]:
        for rows in light_in_batches(find(), PART):
            ends = films.ends(rows)
            yield b"".join(films.texts(rows, ends))

    return labelled(packed_array(parts()), films)


def film_page(request: Request) -> HttpResponseBase:
    """Answers with the page of the videos that the query string asks for. Raises BadCursor."""
    find = finder(request)
    page = NewestFirst(request).page(light(find()).values_list(*Light._fields, "created_at"), position_of)
    rows = [row[:-1] for row in page.rows]
    edges = b'{"next":%b,"previous":%b,"results":[' % (as_json(page.next), as_json(page.previous))
    films = Films(request, find)
    films.note(edges)
    ends = films.ends(rows)
    return answer(request, films, lambda: b"".join((edges, *films.texts(rows, ends), b"]}")))


def one_film(request: Request, ref: int | uuid.UUID) -> HttpResponseBase:
    """Answers with the video that has this id or public id. Raises Http404."""
    videos = findable(person_of(request), ref)
    films = Films(request, lambda: videos)
    rows = read_light(videos)
    ends = films.ends(rows)

    def body() -> bytes:
        texts = films.texts(rows, ends)
        if not texts:
            raise Http404
        return b"".join(texts)

    if not rows:
        raise Http404
    return answer(request, films, body)


def finder(request: Request) -> Find:
    """Returns what finds the videos that the query string asks for. Raises ValidationError."""
    if not request.query_params:
        return lambda: visible_to(person_of(request))
    videos = filtered_videos(request)
    return lambda: videos


def answer(request: Request, films: Films, body: Callable[[], bytes]) -> HttpResponseBase:
    if is_known(request, films.etag):
        return labelled(HttpResponseNotModified(), films)
    return labelled(HttpResponse(body(), content_type=JSONRenderer.media_type), films)


def labelled(response: Answer, films: Films) -> Answer:
    # Browsers keep the answer, and ask each time whether it still holds.
    response["Cache-Control"] = "private, no-cache"
    if films.etag:
        response["ETag"] = films.etag
    return response


def is_known(request: Request, etag: str | None) -> bool:
    """True when the client has the answer with this ETag. Compares weakly: a proxy that compresses weakens ETags."""
    header = request.META.get("HTTP_IF_NONE_MATCH")
    if not header or etag is None:
        return False
    offered = parse_etags(header)
    return "*" in offered or etag in (one.removeprefix("W/") for one in offered)


def position_of(row: tuple[Any, ...]) -> Position:
    return Position(row[-1], row[0])


def as_json(address: str | None) -> bytes:
    return json.dumps(address).encode()

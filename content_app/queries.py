"""Which videos a user may find, and how they are read: a constant number of queries for any number of videos."""

import re
import uuid
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404

from content_app.access import Person, sees_everything
from content_app.models import Caption, Category, Favorite, Rendition, Video
from content_app.states import UNDERWAY, Visibility
from users_app.keyset import older
from users_app.models import User
from users_app.roles import OVERSEERS

# Long, and shown on the page of one film only.
REPORTS = tuple(f"{run}__{field}" for run in ("run", "refusal") for field in ("report", "settings", "verdict"))
ANY_OWNER = -1  # stands for the id of a user in SQL that is kept
MAX_ID_DIGITS = 18  # more do not fit a database integer


def parse_ref(text: str) -> int | uuid.UUID | None:
    """Returns the id or the public id that `text` spells; None when it is neither."""
    if text.isascii() and text.isdecimal() and len(text) <= MAX_ID_DIGITS:
        return int(text)
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def undeleted() -> QuerySet[Video]:
    return Video.objects.filter(deleted_at=None)


def listed() -> QuerySet[Video]:
    """The playable public videos, which every signed-in user may find."""
    return undeleted().filter(_listed())


def visible_to(person: Person) -> QuerySet[Video]:
    """The videos in this user's lists: playable public ones and the user's own; for admins, all."""
    if not person.is_authenticated:
        return Video.objects.none()
    return _visible(None if sees_everything(person) else person.pk)


def _visible(owner_id: int | None) -> QuerySet[Video]:
    """The public videos that play and those of this owner; None is for all videos."""
    return undeleted() if owner_id is None else undeleted().filter(_listed() | Q(owner=owner_id))


def reachable_by_link(person: Person) -> QuerySet[Video]:
    """The videos of `visible_to` plus all playable unlisted ones, for requests that name the public id, as links do."""
    if not person.is_authenticated or sees_everything(person):
        return visible_to(person)
    return undeleted().filter(_listed() | _unlisted() | Q(owner=person.pk))


def favorites_of(person: Person) -> QuerySet[Video]:
    """The user's favourites, unlisted videos included: to mark one, the user must have had its link."""
    return reachable_by_link(person).filter(favorites__user=person.pk)


def favorites_of_many(persons: Collection[User]) -> QuerySet[Video, tuple[int, int]]:
    """Returns (user id, video id), latest mark first: the rows of `favorites_of` for all these users, in one query."""
    marked = Q(favorites__user__in=[person.pk for person in persons])
    visible = _listed() | _unlisted() | Q(owner=F("favorites__user")) | Q(favorites__user__role__in=OVERSEERS)
    videos = undeleted().filter(marked & visible).order_by("-favorites__created_at", "-id")
    return videos.values_list("favorites__user", "pk")


def findable(person: Person, ref: int | uuid.UUID) -> QuerySet[Video]:
    """The video with this id or public id, if there is one that this user may find; else no row."""
    if isinstance(ref, uuid.UUID):
        return reachable_by_link(person).filter(public_id=ref)
    if not person.is_authenticated or sees_everything(person):
        return visible_to(person).filter(pk=ref)
    # A client can count through the ids, so the id of an unlisted video is no proof that the user has its link. To mark
    # it as a favourite, the user must have had that.
    is_marked = Exists(Favorite.objects.filter(user=person.pk, video=OuterRef("pk")))
    return undeleted().filter(_listed() | Q(owner=person.pk) | (_unlisted() & is_marked), pk=ref)


def find_visible(person: Person, ref: int | uuid.UUID) -> Video:
    """Returns a video by its id or public id. Raises Http404 when there is none, or none that this user may find."""
    return get_object_or_404(with_details(findable(person, ref)))


def find_undeleted(ref: int | uuid.UUID) -> Video:
    """Returns any video that is not deleted; for external transcoders, which see all. Raises Http404."""
    return get_object_or_404(_with_ref(ref, undeleted()))


def find_deleted(ref: int | uuid.UUID) -> Video:
    """Returns any deleted video; for admins, who may restore it. Raises Http404."""
    return get_object_or_404(_with_ref(ref, Video.objects.exclude(deleted_at=None)))


def find_deleted_by(person: Person, ref: int | uuid.UUID) -> Video | None:
    """Returns a video of this user that the same user deleted."""
    deleted = _with_ref(ref, Video.objects.exclude(deleted_at=None))
    return deleted.filter(owner=person.pk, deleted_by=person.pk).first()


def find_with_listed_poster(public_id: uuid.UUID) -> Video:
    """Returns the poster fields of a video that every signed-in user may find. Raises Http404."""
    with_poster = listed().filter(public_id=public_id).exclude(poster="")
    return get_object_or_404(with_poster.only("poster", "has_small_poster"))


def with_details(videos: QuerySet[Video]) -> QuerySet[Video]:
    """Adds what the JSON of a video needs: two queries for any number of videos."""
    return with_rows_of_making(videos).select_related("category").prefetch_related("version__renditions")


def with_rows_of_making(videos: QuerySet[Video]) -> QuerySet[Video]:
    """Adds the version that plays, the run that the state tells of, and the last refusal, without their reports."""
    return videos.select_related("version", "run", "refusal").defer(*REPORTS)


class Light(NamedTuple):
    """What tells a list that the prepared JSON of a film still holds."""

    pk: int
    revision: int
    category_revision: int  # 0 for a film without a category
    is_live: int  # 1 for a film whose JSON depends on the moment; see is_live()


def is_live(video: Video) -> bool:
    """True for a film that is being made, or has pictures with signed addresses, which expire."""
    return video.state in UNDERWAY or video.visibility != Visibility.PUBLIC


def light(videos: QuerySet[Video]) -> QuerySet[Video, tuple[Any, ...]]:
    """Returns the rows of Light, as plain tuples."""
    live = Case(
        When(Q(state__in=sorted(UNDERWAY)) | ~Q(visibility=Visibility.PUBLIC), then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )
    marked = videos.annotate(category_revision=Coalesce("category__revision", 0), is_live=live)
    return marked.values_list("pk", "revision", "category_revision", "is_live")


def read_light(videos: QuerySet[Video]) -> list[Light]:
    """Reads `light(videos)` without fields that convert: all columns are integers."""
    try:
        sql, params = light(videos).query.sql_with_params()
    except EmptyResultSet:
        return []
    return _fetch(videos.db, sql, params)


def read_visible_light(person: Person, limit: int) -> list[Light]:
    """Returns `read_light(visible_to(person)[:limit])`, which a list of everything asks for in each request."""
    if not person.is_authenticated:
        return []
    alias = Video.objects.db
    sql, params = _visible_light_sql(alias, limit, sees_everything(person))
    return _fetch(alias, sql, [person.pk if param == ANY_OWNER else param for param in params])


@cache
def _visible_light_sql(alias: str, limit: int, sees_all: bool) -> tuple[str, tuple[Any, ...]]:
    # Django needs a millisecond to put this query together, as long as a whole request for `{}` spends elsewhere.
    videos = light(_visible(None if sees_all else ANY_OWNER).using(alias)[:limit])
    sql, params = videos.query.get_compiler(alias).as_sql()
    return sql, tuple(params)


def _fetch(alias: str, sql: str, params: Sequence[Any]) -> list[Light]:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[Light] = cursor.fetchall()  # plain tuples of the same values
        return rows


def light_in_batches(videos: QuerySet[Video], size: int) -> Iterator[list[Light]]:
    """Yields the light rows newest first, `size` at a time, each batch by a query of its own."""
    rows = light(videos).values_list(*Light._fields, "created_at")
    batch = list(rows[:size])
    while batch:
        yield [Light(*row[:-1]) for row in batch]
        if len(batch) < size:
            return
        # By key, not by offset: a film that is added or removed in between must not shift the films that follow.
        batch = list(rows.filter(older("created_at", batch[-1][-1], batch[-1][0]))[:size])


def published_renditions(video: Video) -> list[Rendition]:
    """Returns the renditions, lowest first, of a video that was read `with_details`."""
    renditions = video.version.renditions.all() if video.version else ()
    return sorted(renditions, key=lambda rendition: min(rendition.width, rendition.height))


def published_captions(video: Video) -> QuerySet[Caption]:
    """The captions that came with the published version, and the uploaded ones."""
    return Caption.objects.filter(Q(is_uploaded=True) | Q(folder=video.folder), video=video.pk)


def categories_named(text: str) -> QuerySet[Category]:
    """The categories that have this name, slug or id."""
    matches = Q(name__iexact=text) | Q(slug=text)
    if text.isascii() and text.isdecimal() and len(text) <= MAX_ID_DIGITS:
        matches |= Q(pk=int(text))
    return Category.objects.filter(matches)


def matching(videos: QuerySet[Video], search: str) -> QuerySet[Video]:
    """The videos whose title or description contains every word of `search`, in upper or lower case."""
    for word in search.split():
        # A regular expression, because SQLite's LIKE ignores case for ASCII letters only.
        pattern = re.escape(word)
        videos = videos.filter(Q(title__iregex=pattern) | Q(description__iregex=pattern))
    return videos


def _with_ref(ref: int | uuid.UUID, videos: QuerySet[Video]) -> QuerySet[Video]:
    return videos.filter(public_id=ref) if isinstance(ref, uuid.UUID) else videos.filter(pk=ref)


def _listed() -> Q:
    return Q(visibility=Visibility.PUBLIC, version__isnull=False)


def _unlisted() -> Q:
    return Q(visibility=Visibility.UNLISTED, version__isnull=False)

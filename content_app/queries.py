"""Which videos a person may know of, and how they are read: a constant number of queries for any number of videos."""

import re
import uuid
from collections.abc import Collection, Iterator

from django.db.models import F, Prefetch, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from content_app import video_cache
from content_app.access import Person, sees_everything
from content_app.models import Caption, Category, Favorite, Rendition, Video
from content_app.states import Visibility
from users_app.models import User
from users_app.roles import OVERSEERS

VERDICTS = ("verdict", "played_verdict")
MAX_ID_DIGITS = 18  # more do not fit a database integer


def read_ref(text: str) -> int | uuid.UUID | None:
    """An id or a public id; None for what is neither."""
    if text.isascii() and text.isdecimal() and len(text) <= MAX_ID_DIGITS:
        return int(text)
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def undeleted() -> QuerySet[Video]:
    return Video.objects.filter(deleted_at=None)


def listed() -> QuerySet[Video]:
    """What everybody who is signed in may find."""
    return undeleted().filter(_listed())


def visible_to(person: Person) -> QuerySet[Video]:
    """What lists show: playable public videos and one's own, to admins everything."""
    if not person.is_authenticated:
        return Video.objects.none()
    if sees_everything(person):
        return undeleted()
    return undeleted().filter(_listed() | Q(owner=person.pk))


def reachable_by_link(person: Person) -> QuerySet[Video]:
    """Also the playable unlisted ones, for a person who has shown the public id."""
    if not person.is_authenticated or sees_everything(person):
        return visible_to(person)
    return undeleted().filter(_listed() | _unlisted() | Q(owner=person.pk))


def favorites_of(person: Person) -> QuerySet[Video]:
    """Whoever marked an unlisted video had its link."""
    return reachable_by_link(person).filter(favorites__user=person.pk)


def favorites_of_many(persons: Collection[User]) -> QuerySet[Video, tuple[int, int]]:
    """(person, video), latest mark first: for each of them what `favorites_of` has."""
    theirs = Q(favorites__user__in=[person.pk for person in persons])
    known = _listed() | _unlisted() | Q(owner=F("favorites__user")) | Q(favorites__user__role__in=OVERSEERS)
    found = undeleted().filter(theirs & known).order_by("-favorites__created_at", "-id")
    return found.values_list("favorites__user", "pk")


def find_visible(person: Person, ref: int | uuid.UUID) -> Video:
    """One video by its id or public id; Http404 for one that the person may not know of."""
    video = video_cache.remembered(ref, lambda: with_details(_named(ref, undeleted())).first())
    if video is None or not _may_know_of(person, video, by_link=isinstance(ref, uuid.UUID)):
        raise Http404
    return video


def _may_know_of(person: Person, video: Video, *, by_link: bool) -> bool:
    """As `visible_to` and `reachable_by_link` have it for lists.

    Ids can be counted through, so an unlisted video that is asked for by its id has to be a favourite.
    """
    if not person.is_authenticated:
        return False
    if sees_everything(person) or video.owner_id == person.pk:
        return True
    if not video.is_playable or video.visibility == Visibility.PRIVATE:
        return False
    is_known = video.visibility == Visibility.PUBLIC or by_link
    return is_known or Favorite.objects.filter(user=person.pk, video=video.pk).exists()


def find_undeleted(ref: int | uuid.UUID) -> Video:
    """For services, which know of every video; Http404."""
    return get_object_or_404(_named(ref, undeleted()))


def find_deleted(ref: int | uuid.UUID) -> Video:
    """For admins, who may restore it."""
    return get_object_or_404(_named(ref, Video.objects.exclude(deleted_at=None)))


def find_deleted_by(person: Person, ref: int | uuid.UUID) -> Video | None:
    """Of the person's own videos, one that the person has deleted."""
    return _named(ref, Video.objects.exclude(deleted_at=None)).filter(owner=person.pk, deleted_by=person.pk).first()


def find_with_listed_poster(public_id: uuid.UUID) -> Video:
    """What is known of the poster of a video that everybody who is signed in may find in the list, else Http404."""
    listed = undeleted().filter(_listed(), public_id=public_id).exclude(poster="")
    return get_object_or_404(listed.only("poster", "has_small_poster"))


def with_details(videos: QuerySet[Video]) -> QuerySet[Video]:
    """What the JSON of a video is made of, in two queries for any number of videos."""
    published = Rendition.objects.filter(version=F("video__version"))
    # Verdicts are long, and no list shows them.
    wanted = videos.select_related("category").defer(*VERDICTS)
    return wanted.prefetch_related(Prefetch("renditions", queryset=published))


def in_parts(videos: QuerySet[Video], size: int) -> Iterator[list[Video]]:
    """Newest first, with queries of its own for each part.

    Each part begins behind the last film of the part before, so that a film that is added or removed meanwhile shifts
    none of the others.
    """
    part = list(videos[:size])
    while part:
        yield part
        if len(part) < size:
            return
        last = part[-1]
        older = Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk)
        part = list(videos.filter(older)[:size])


def published_renditions(video: Video) -> list[Rendition]:
    """Lowest first, of a video that was read `with_details`."""
    return sorted(video.renditions.all(), key=lambda rendition: min(rendition.width, rendition.height))


def published_captions(video: Video) -> QuerySet[Caption]:
    """Those of the version that plays, and those that somebody has uploaded."""
    return Caption.objects.filter(Q(is_uploaded=True) | Q(folder=video.version), video=video.pk)


def categories_named(text: str) -> QuerySet[Category]:
    """By name, slug or id."""
    found = Q(name__iexact=text) | Q(slug=text)
    if text.isascii() and text.isdecimal() and len(text) <= MAX_ID_DIGITS:
        found |= Q(pk=int(text))
    return Category.objects.filter(found)


def matching(videos: QuerySet[Video], search: str) -> QuerySet[Video]:
    """Every word occurs in the title or the description, whatever its case."""
    for word in search.split():
        # A regular expression, because LIKE of SQLite knows upper and lower case of ASCII only.
        pattern = re.escape(word)
        videos = videos.filter(Q(title__iregex=pattern) | Q(description__iregex=pattern))
    return videos


def _named(ref: int | uuid.UUID, videos: QuerySet[Video]) -> QuerySet[Video]:
    return videos.filter(public_id=ref) if isinstance(ref, uuid.UUID) else videos.filter(pk=ref)


def _listed() -> Q:
    return Q(visibility=Visibility.PUBLIC) & ~Q(version="")


def _unlisted() -> Q:
    return Q(visibility=Visibility.UNLISTED) & ~Q(version="")

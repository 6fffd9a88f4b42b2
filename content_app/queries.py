"""Which videos a user may find, and how they are read: a constant number of queries for any number of videos."""

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
    if sees_everything(person):
        return undeleted()
    return undeleted().filter(_listed() | Q(owner=person.pk))


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


def find_visible(person: Person, ref: int | uuid.UUID) -> Video:
    """Returns a video by its id or public id. Raises Http404 when there is none, or none that this user may find."""
    video = video_cache.get_or_load(ref, lambda: with_details(_with_ref(ref, undeleted())).first())
    if video is None or not _may_find(person, video, by_link=isinstance(ref, uuid.UUID)):
        raise Http404
    return video


def _may_find(person: Person, video: Video, *, by_link: bool) -> bool:
    """The rule of `visible_to` and `reachable_by_link`, for one video that is already read."""
    if not person.is_authenticated:
        return False
    if sees_everything(person) or video.owner_id == person.pk:
        return True
    if not video.is_playable or video.visibility == Visibility.PRIVATE:
        return False
    if video.visibility == Visibility.PUBLIC or by_link:
        return True
    # A client can count through the ids, so the id of an unlisted video is no proof that the user has its link.
    return Favorite.objects.filter(user=person.pk, video=video.pk).exists()


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
    published = Rendition.objects.filter(version=F("video__version"))
    # Verdicts are long, and no list shows them.
    detailed = videos.select_related("category").defer(*VERDICTS)
    return detailed.prefetch_related(Prefetch("renditions", queryset=published))


def in_batches(videos: QuerySet[Video], size: int) -> Iterator[list[Video]]:
    """Yields the videos newest first, `size` at a time, each batch with queries of its own."""
    batch = list(videos[:size])
    while batch:
        yield batch
        if len(batch) < size:
            return
        # By key, not by offset: a film that is added or removed in between must not shift the films that follow.
        last = batch[-1]
        older = Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk)
        batch = list(videos.filter(older)[:size])


def published_renditions(video: Video) -> list[Rendition]:
    """Returns the renditions, lowest first, of a video that was read `with_details`."""
    return sorted(video.renditions.all(), key=lambda rendition: min(rendition.width, rendition.height))


def published_captions(video: Video) -> QuerySet[Caption]:
    """The captions that came with the published version, and the uploaded ones."""
    return Caption.objects.filter(Q(is_uploaded=True) | Q(folder=video.version), video=video.pk)


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
    return Q(visibility=Visibility.PUBLIC) & ~Q(version="")


def _unlisted() -> Q:
    return Q(visibility=Visibility.UNLISTED) & ~Q(version="")

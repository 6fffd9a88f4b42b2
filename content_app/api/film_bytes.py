"""The JSON of films as bytes, most of which is prepared and kept under the revisions of its rows.

A request reads the light rows of the films first: their ids and revisions. They tell whether the client's copy still
holds (304), and which prepared texts to join. Only films that are not prepared yet are read as rows.
"""

import hashlib
import struct
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path

import django
import rest_framework
from django.conf import settings
from django.db.models import QuerySet
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from content_app.access import sees_everything
from content_app.api.links import Links
from content_app.api.serializers import OF_THE_FILM, OF_THE_PERSON, OF_THE_RUN, PICTURES, VideoSerializer
from content_app.models import Video
from content_app.queries import Light, is_live, read_light, with_details, with_rows_of_making
from content_app.services.catalogue.prepared_films import Key, PreparedFilm, prepared_films
from content_app.services.processing.forecast import Forecast
from media_pipeline import layout
from users_app.http.signed_in import person_of
from users_app.models import User
from users_app.roles import Role

CODE = Path(__file__).parent.parent
# Rights follow from the role and from owning the film. These two users are no rows, so they own no film.
A_STRANGER, AN_ADMIN = User(role=Role.VIEWER), User(role=Role.ADMIN)


class Head(VideoSerializer):
    class Meta(VideoSerializer.Meta):
        fields = OF_THE_FILM  # type: ignore[assignment]  # another length


class HeadWithPictures(VideoSerializer):
    class Meta(VideoSerializer.Meta):
        fields = (*OF_THE_FILM, *PICTURES)  # type: ignore[assignment]  # another length


class End(VideoSerializer):
    class Meta(VideoSerializer.Meta):
        fields = (*OF_THE_RUN, *OF_THE_PERSON)  # type: ignore[assignment]  # another length


class EndWithPictures(VideoSerializer):
    class Meta(VideoSerializer.Meta):
        fields = (*PICTURES, *OF_THE_RUN, *OF_THE_PERSON)  # type: ignore[assignment]  # another length


class Films:
    """Films as bytes for one request. `find` returns those among which they are, all of which this user may find."""

    def __init__(self, request: Request, find: Callable[[], "QuerySet[Video]"]) -> None:
        self.find = find
        self.person = person_of(request)
        self.sees_all = sees_everything(self.person)
        self.links = Links(request)
        self.shape = shape_of(self.links)
        # A client may name any port as the host's. Such texts stay in the process, whose store has a limit.
        self.is_shared = self.links.origin == settings.BACKEND_ORIGIN
        self.forecast = Forecast()
        self.digest = hashlib.blake2b(f"{self.shape} {self.person.pk} {self.sees_all}".encode(), digest_size=16)
        self.is_mixed = False

    @property
    def etag(self) -> str | None:
        """The ETag of the texts so far; None when some of them are newer than their light rows.

        Strong: the light rows, the ends of live films and the person decide every byte.
        """
        return None if self.is_mixed else f'"{self.digest.hexdigest()}"'

    def note(self, text: bytes) -> None:
        """Makes `text` a part of the ETag."""
        self.digest.update(text)

    def ends(self, rows: Sequence[Light]) -> dict[int, bytes]:
        """Returns the ends of the live films among the light rows, by id. Makes them a part of the ETag, with the rows.

        Two queries for any number of live films, none without one.
        """
        self.digest.update(struct.pack(f"<{len(Light._fields) * len(rows)}q", *chain.from_iterable(rows)))
        live = {row[0]: row[1] for row in rows if row[3]}
        return self.made_ends(live) if live else {}

    def texts(self, rows: Sequence[Light], ends: Mapping[int, bytes]) -> list[bytes]:
        """Returns the pieces whose join is the JSON objects of the films, with commas between them.

        At most four queries for any number of films. A film that is gone or hidden by now is left out.
        """
        shape = self.shape
        films = prepared_films().find(
            [(shape, pk, film, category) for pk, film, category, _ in rows], shared=self.is_shared
        )
        if None in films:
            films = self.completed(rows, films)
        if self.is_mixed:
            late = {row[0]: row[1] for row, film in zip(rows, films, strict=True) if is_late(row, film, ends)}
            ends = {**ends, **self.made_ends(late)}
        me, sees_all = self.person.pk, self.sees_all
        pieces: list[bytes] = []
        for row, film in zip(rows, films, strict=True):
            if film is None:
                continue
            if not film.end_for_others:
                end = ends.get(row[0])
                if end is None:
                    continue
            elif sees_all or film.owner_id == me:
                end = film.end_for_changers
            else:
                end = film.end_for_others
            pieces += (b",", film.head, end)
        return pieces[1:]

    def completed(self, rows: Sequence[Light], films: Sequence[PreparedFilm | None]) -> list[PreparedFilm | None]:
        missing = [row[0] for row, film in zip(rows, films, strict=True) if film is None]
        made: dict[int, PreparedFilm] = {}
        keys: dict[int, Key] = {}
        expected = {row[0]: row[:3] for row in rows}
        preparer = Preparer(self.links)
        for video in with_details(self.find().filter(pk__in=missing)):
            made[video.pk] = preparer.prepare(video)
            keys[video.pk] = (self.shape, video.pk, video.revision, video.category.revision if video.category else 0)
        # Asked once more: a version that was replaced between the two queries has taken its renditions with it.
        current = {row[0]: row[:3] for row in read_light(Video.objects.filter(pk__in=made))}
        kept = {key: made[pk] for pk, key in keys.items() if key[1:] == current.get(pk)}
        self.is_mixed |= len(kept) < len(missing) or any(key[1:] != expected[key[1]] for key in kept)
        prepared_films().keep(kept, shared=self.is_shared)
        return [film or made.get(row[0]) for row, film in zip(rows, films, strict=True)]

    def made_ends(self, revisions: Mapping[int, int]) -> dict[int, bytes]:
        """Makes the ends of the films with these ids and, if they have not changed since, these revisions."""
        serializer = EndWithPictures(context={"links": self.links, "person": self.person, "forecast": self.forecast})
        # The rest of the row says what the end needs of the film, its run and its rights.
        videos = list(with_rows_of_making(self.find().filter(pk__in=revisions)).defer("description"))
        self.is_mixed |= {video.pk: video.revision for video in videos} != revisions
        ends = {video.pk: end_of(serializer, video) for video in videos}
        for pk in sorted(ends):
            self.digest.update(ends[pk])
        return ends


def is_late(row: Light, film: PreparedFilm | None, ends: Mapping[int, bytes]) -> bool:
    """True for a film that has become live since its light row was read."""
    return film is not None and not film.end_for_others and row[0] not in ends


class Preparer:
    """Prepares films for all users of one address of the site."""

    def __init__(self, links: Links) -> None:
        context = {"links": links, "forecast": Forecast()}
        # Made once for all films: a serializer copies its fields, which takes longer than showing a film.
        self.head, self.whole_head = Head(context=context), HeadWithPictures(context=context)
        self.end_for_others = End(context={**context, "person": A_STRANGER})
        self.end_for_changers = End(context={**context, "person": AN_ADMIN})

    def prepare(self, video: Video) -> PreparedFilm:
        if is_live(video):
            return PreparedFilm(head_of(self.head, video), b"", b"", video.owner_id)
        ends = end_of(self.end_for_others, video), end_of(self.end_for_changers, video)
        return PreparedFilm(head_of(self.whole_head, video), *ends, video.owner_id)


def head_of(serializer: VideoSerializer, video: Video) -> bytes:
    return rendered(serializer, video)[:-1]


def end_of(serializer: VideoSerializer, video: Video) -> bytes:
    return b"," + rendered(serializer, video)[1:]


def rendered(serializer: VideoSerializer, video: Video) -> bytes:
    text: bytes = JSONRenderer().render(serializer.to_representation(video))
    return text


def shape_of(links: Links) -> str:
    """A part of each key: texts of other code, or with other addresses, must not be taken for those of this process."""
    parts = (code_checksum(), links.stream_folder, settings.MEDIA_URL)
    return hashlib.blake2b(" ".join(parts).encode(), digest_size=8).hexdigest()


@cache
def code_checksum() -> str:
    digest = hashlib.blake2b(f"{django.VERSION} {rest_framework.VERSION}".encode(), digest_size=8)
    for path in (Path(layout.__file__), *sorted(CODE.rglob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()

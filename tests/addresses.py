"""Finds every media address that a user can get, and tries whether it opens other objects with their names in it.

The content of each object is its own key, so the answer to an address tells which object it is, also after redirects.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from content_app.services.storage.stores import get_store
from content_app.states import Visibility
from content_app.tests.factories import make_caption, make_playable
from media_pipeline import layout
from media_pipeline.packaging import playlists
from tests.client import Answer
from users_app.models import User

Get = Callable[[str], Answer]

LISTED_POSTERS = "/media/posters/"
GRANTED = re.compile(r"/media/(?:file/)?(?P<grant>[0-9a-z]+\.[\w-]{43})/")
KEY = re.compile(rb"KEY (\S+)")
# Addresses in the JSON and HTML of the site.
ADDRESS = re.compile(r"""https?://[^\s"'<>\\]+|/(?:media|api/v1|content|users|watch|admin)/[^\s"'<>\\,]*""")
PLAYLIST = layout.content_type(layout.MASTER)
# Documentation and static files, whose example addresses are not those of this site.
ABOUT = ("/api/schema", "/api/docs", "/api/redoc", "/static/")
MOST_HOPS = 5

MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360\n360p.m3u8\n"
FILM = "#EXTM3U\n#EXTINF:4,\n#EXT-X-BYTERANGE:1@0\n360p.mp4\n#EXT-X-ENDLIST\n"
CAPTIONS = "#EXTM3U\n#EXTINF:4,\ncaptions_{}.vtt\n#EXT-X-ENDLIST\n"
CUES = "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nstoryboard.jpg#xywh=0,0,160,90\n"

VERSION, POSTER_FOLDER, CAPTIONS_FOLDER = "v1", "0123456789abcdef", "fedcba9876543210"
POSTERS = {
    "candidate": f"{VERSION}/poster_2.jpg",
    "uploaded": f"{POSTER_FOLDER}/poster.jpg",
    "none": "",
}


@dataclass(frozen=True)
class Film:
    pk: int
    public_id: str
    visibility: str
    is_paid: bool
    poster: str

    @property
    def prefix(self) -> str:
        return layout.video_prefix(self.public_id)


def build_film(owner: User, *, visibility: str, is_paid: bool, poster: str) -> Film:
    """Builds a film with a former and a published version, an original, captions of the file and uploaded ones."""
    shown = POSTERS[poster]
    video = make_playable(
        owner, title=f"{visibility} {poster}", visibility=visibility, is_paid=is_paid, price=3 if is_paid else 0,
        folder=VERSION, rungs=("360p",), duration_s=4, poster=shown, has_small_poster=bool(shown), poster_choices=2,
    )  # fmt: skip
    make_caption(video, "de")
    make_caption(video, "en", label="English", folder=CAPTIONS_FOLDER, is_uploaded=True)
    film = Film(video.pk, str(video.public_id), visibility, is_paid, shown)
    pictures = [f"{name}{small}.jpg" for name in ("poster", "poster_2") for small in ("", "_small")]
    texts = {layout.MASTER: MASTER, "360p.m3u8": FILM, "storyboard.vtt": CUES, "captions_de.vtt": "WEBVTT\n\n"}
    texts |= {"captions_de.m3u8": CAPTIONS.format("de")} | dict.fromkeys([*pictures, "360p.mp4", "storyboard.jpg"], "")
    store(f"{film.prefix}/{VERSION}", texts)
    store(f"{film.prefix}/v0", {layout.MASTER: MASTER, "360p.mp4": ""})
    store(f"{film.prefix}/{POSTER_FOLDER}", {"poster.jpg": "", "poster_small.jpg": ""})
    store(
        f"{film.prefix}/{CAPTIONS_FOLDER}", {"captions_en.m3u8": CAPTIONS.format("en"), "captions_en.vtt": "WEBVTT\n"}
    )
    store(layout.originals_prefix(film.public_id), {"film.mp4": ""})
    return film


def store(prefix: str, texts: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            key = f"{prefix}/{name}"
            path = Path(folder, name)
            path.write_text(f"{text}#KEY {key}\n")
            get_store().put(path, key, layout.content_type(name))


def build_films(posters: Iterable[str]) -> list[Film]:
    """Builds films of each visibility, free and paid, with each of these kinds of POSTERS."""
    owner = User.objects.create_user("their-owner@example.com", "correct horse battery", name="owner", role="CREATOR")
    return [
        build_film(owner, visibility=visibility, is_paid=is_paid, poster=poster)
        for visibility in Visibility.values
        for is_paid in (False, True)
        for poster in posters
    ]


def tell_films(*posters: str) -> None:
    """Builds films and prints them as JSON: run in a process on the platform of a test."""
    print(json.dumps([asdict(film) for film in build_films(posters)]))


# --- what a user can get ---------------------------------------------------------------------------------------------


def starting_points(schema: dict[str, Any], refs: Iterable[object], public_ids: Iterable[str]) -> list[str]:
    """Returns every GET route of the schema for each of these films, and every page."""
    refs = list(refs)
    found = ["/", "/account/", "/upload/", "/admin/", "/admin/content_app/video/"]
    for path, methods in schema["paths"].items():
        if "get" in methods:
            path = path.replace("{language}", "en").replace("{quality}", "360p")
            found += [path.replace("{ref}", str(ref)) for ref in refs] if "{ref}" in path else [path]
    found += [f"/watch/{one}/" for one in public_ids]
    found += [f"/admin/content_app/video/{ref}/{name}" for ref in refs for name in (layout.MASTER, "storyboard.vtt")]
    return [path for path in found if "{" not in path]


def crawl(get: Get, origin: str, starts: Iterable[str]) -> dict[str, bool]:
    """Returns media addresses, each with whether only playlists name it (it may then share the grant of the version).

    Of several signed addresses of one object in a bucket, the first is kept.
    """
    media: dict[str, bool] = {}
    signed: dict[str, str] = {}
    seen: set[str] = set()
    ahead = [urljoin(origin, path) for path in starts]
    while ahead:
        url = ahead.pop()
        if url in seen or urlsplit(url).path.startswith(ABOUT):
            continue
        seen.add(url)
        answer = get(url)
        is_playlist = answer.headers.get("content-type", "").startswith(PLAYLIST)
        for address in (urljoin(url, one).partition("#")[0] for one in addresses_in(answer, is_playlist=is_playlist)):
            is_here = address.startswith(f"{origin}/")
            if not is_here or urlsplit(address).path.startswith("/media/"):
                known = signed.setdefault(address.partition("?")[0], address)
                media[known] = media.get(known, True) and is_playlist
            if is_here:
                ahead.append(address)
    return media


def addresses_in(answer: Answer, *, is_playlist: bool) -> Iterator[str]:
    if location := answer.headers.get("location"):
        yield location
    text = answer.body.decode(errors="replace")
    if is_playlist:
        yield from playlists.uris(text)
    else:
        yield from ADDRESS.findall(text.replace("&amp;", "&"))


# --- what else it opens ----------------------------------------------------------------------------------------------


def with_key(address: str, key: str) -> list[str]:
    """Returns the address with the key of another object, in every form that could accept its signature."""
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"
    if parts.path.startswith(LISTED_POSTERS):
        return [f"{origin}{LISTED_POSTERS}{key.removeprefix('videos/')}"]
    if granted := GRANTED.match(parts.path):
        return [f"{origin}/media/{kind}{granted['grant']}/{key}" for kind in ("", "file/")]
    before = parts.path.partition("videos/")[0]  # an address of a bucket, whose name may be in the path
    return [f"{origin}{before}{key}?{parts.query}"]


def opened(get: Get, address: str) -> str | None:
    """Returns the key of the object that a client without cookies gets there, also by redirects; else None."""
    for _ in range(MOST_HOPS):
        answer = get(address)
        if 200 <= answer.status < 300:
            said = KEY.search(answer.body)
            assert said, f"{address} opens something else: {answer.body[:100]!r}"
            return said[1].decode()
        if not 300 <= answer.status < 400:
            return None
        address = urljoin(address, answer.headers["location"])
    raise AssertionError(f"{address} leads in a circle")


def overreach(ask: Get, media: dict[str, bool], keys: Iterable[str], films: Iterable[Film]) -> list[str]:
    """Returns a sentence for each object that an address opens although it was not given for it."""
    keys, films = list(keys), list(films)
    pictures = {f"{film.prefix}/{film.poster}" for film in films if film.visibility == Visibility.PUBLIC}
    for_all = pictures | {layout.small_poster_file(picture) for picture in pictures}
    may_play = {film.prefix for film in films if not film.is_paid}
    get = cache(partial(opened, ask))  # many addresses share a grant
    problems = []
    for address, is_from_playlist in media.items():
        own = get(address)
        if own is None:
            problems.append(f"{address} does not open")
            continue
        folder = own.rpartition("/")[0]
        shares = is_from_playlist and folder.rpartition("/")[0] in may_play
        for key in keys:
            is_meant = key == own or key in for_all or (shares and key.startswith(f"{folder}/"))
            if not is_meant:
                problems += [f"{other} opens {key}" for other in with_key(address, key) if get(other) == key]
    return problems

"""Debian's Nginx with the configuration that ships, in front of a platform: what it serves, passes on and refuses."""

import gzip
import http.client
import json
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from media_pipeline.packaging import playlists
from tests.client import Answer, Client
from tests.fault_proxy import FaultProxy
from tests.nginx import ENTRYPOINT, Nginx
from tests.services import Platform, started, wait_for

Start = Callable[..., Nginx]


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory, prepared_database: Path) -> Iterator[Platform]:
    running = Platform(tmp_path_factory.mktemp("behind"), template=prepared_database)
    with running.running():
        yield running


@pytest.fixture(scope="module")
def nginx(behind: Platform) -> Iterator[Nginx]:
    with started(Nginx(behind)) as server:
        yield server


@pytest.fixture
def start(behind: Platform) -> Iterator[Start]:
    """Starts further Nginx servers, with settings of their own."""
    started: list[Nginx] = []

    def start_one(**settings: str) -> Nginx:
        started.append(Nginx(behind, **settings))
        started[-1].start()
        return started[-1]

    yield start_one
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def admin(behind: Platform, nginx: Nginx) -> Client:
    client = Client(nginx.origin)
    client.cookies = behind.sign_in().cookies
    return client


@pytest.fixture(scope="module")
def film(behind: Platform, admin: Client, clip: Path) -> dict[str, Any]:
    uploaded = admin.upload(clip, title="Through Nginx")
    assert uploaded.status == 201, uploaded.body
    return behind.wait_until_done(admin, uploaded.json()["id"])


def first_playlist(client: Client, film: dict[str, Any]) -> str:
    return str(playlists.uris(client.get(film["hls_url"]).body.decode())[0])


def raw(server: Nginx, request: str) -> bytes:
    """Sends the request byte for byte, which no client library does. Returns the answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def log_of(server: Nginx, request_id: str) -> dict[str, Any]:
    def line() -> dict[str, Any] | None:
        found = [one for one in server.said().splitlines() if request_id in one]
        return json.loads(found[-1]) if found else None

    said = wait_for(line, limit_s=20, what="a line in the log")
    assert said
    return said


# --- media -----------------------------------------------------------------------------------------------------------


def test_every_byte_range_is_sent_from_disk(behind: Platform, nginx: Nginx, film: dict[str, Any]) -> None:
    client = Client(nginx.origin)  # a player sends no cookie
    master = Client(behind.origin)
    master.cookies = behind.sign_in().cookies
    for uri in playlists.uris(master.get(film["hls_url"]).body.decode()):
        playlist = client.get(uri)
        assert (playlist.status, playlist.headers["content-type"]) == (200, "application/vnd.apple.mpegurl")
        for file, segment in playlists.parse_segments(playlist.body.decode()):
            wanted = {"Range": f"bytes={segment.offset}-{segment.offset + segment.size - 1}"}
            part = client.get(urljoin(uri, file), wanted)
            assert (part.status, len(part.body), part.body[4:8]) == (206, segment.size, b"moof")
            assert re.fullmatch(r"private, max-age=\d+, immutable", part.headers["cache-control"])


def test_the_application_judges_each_grant_once_and_sends_no_byte_of_a_film(
    behind: Platform, start: Start, admin: Client, film: dict[str, Any]
) -> None:
    uri = first_playlist(admin, film)
    server = start()
    client = Client(server.origin)
    media = urljoin(uri, "360p.mp4")
    assert client.get(media, {"Range": "bytes=0-9"}).status == 206
    behind.end("web")
    try:
        for first in range(0, 2000, 100):
            assert client.get(media, {"Range": f"bytes={first}-{first + 99}"}).status == 206
    finally:
        behind.start_web()


def test_a_file_with_a_grant_of_its_own_is_sent_from_disk_too(
    behind: Platform, nginx: Nginx, admin: Client, film: dict[str, Any]
) -> None:
    picture = urlsplit(admin.get(f"/api/v1/videos/{film['id']}/posters/").json()["candidates"][0]["url"]).path
    assert picture.startswith("/media/file/")
    client = Client(nginx.origin)
    answer = client.get(picture, {"X-Request-ID": "picture-from-disk"})
    stored = (behind.folder / "media" / "/".join(picture.split("/")[4:])).read_bytes()
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "image/jpeg", stored)
    assert re.fullmatch(r"private, max-age=\d+, immutable", answer.headers["cache-control"])
    assert log_of(nginx, "picture-from-disk")["upstream_seconds"] == ""
    # The grant opens that file and no other.
    assert client.get(urljoin(picture, "1080p.mp4")).json()["code"] == "bad_grant"


def test_unsigned_media_are_refused_in_the_words_of_the_application(
    admin: Client, nginx: Nginx, film: dict[str, Any]
) -> None:
    uri = first_playlist(admin, film)
    client = Client(nginx.origin)
    forged = re.sub(r"/media/(\w+)\.(.)", lambda m: f"/media/{m[1]}.{'A' if m[2] != 'A' else 'B'}", uri)
    assert client.get(forged).json()["code"] == "bad_grant"
    assert client.get(uri.replace(str(film["public_id"]), str(film["public_id"])[::-1])).status == 403
    missing = client.get(urljoin(uri, "nothing.mp4"))
    assert (missing.status, missing.json()["code"]) == (404, "not_found")
    assert client.request("DELETE", uri).json()["code"] == "method_not_allowed"


def test_originals_work_files_and_listings_are_never_served(
    behind: Platform, admin: Client, nginx: Nginx, film: dict[str, Any]
) -> None:
    original = next((behind.folder / "media" / "originals").rglob("*.mp4"))
    relative = original.relative_to(behind.folder / "media")
    signed = re.match(r"/media/[^/]+/", first_playlist(admin, film))
    assert signed
    for path in (f"/media/{relative}", f"{signed[0]}{relative}", "/media/", f"{signed[0]}", "/media/videos/"):
        assert admin.get(path).status in (403, 404), path


@pytest.mark.parametrize(
    "trick",
    ["../originals/x.mp4", "%2e%2e/%2e%2e/secret_key", "..%2f..%2fsecret_key", "x/../../../secret_key", "//etc/passwd",
     "120p.mp4%00.jpg", ".hidden", "120p.mp4/", "%5c..%5csecret_key"],
)  # fmt: skip
def test_tricks_with_paths_are_refused(admin: Client, nginx: Nginx, film: dict[str, Any], trick: str) -> None:
    folder = first_playlist(admin, film).rpartition("/")[0]
    answer = raw(nginx, f"GET {folder}/{trick} HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert answer.split()[1] in (b"400", b"403", b"404"), answer[:200]


def test_links_in_the_media_folder_lead_nowhere(
    behind: Platform, admin: Client, nginx: Nginx, film: dict[str, Any]
) -> None:
    uri = first_playlist(admin, film)
    folder = behind.folder / "media" / "/".join(uri.split("/")[3:-1])
    (folder / "link.mp4").symlink_to(behind.database)
    assert Client(nginx.origin).get(urljoin(uri, "link.mp4")).status in (403, 404)


def test_other_origins_may_read_media_as_the_settings_say(admin: Client, nginx: Nginx, film: dict[str, Any]) -> None:
    uri, client = first_playlist(admin, film), Client(nginx.origin)
    allowed = client.get(uri, {"Origin": "http://localhost:4200"}).headers
    assert allowed["access-control-allow-origin"] == "http://localhost:4200"
    assert "Content-Range" in allowed["access-control-expose-headers"]
    assert "access-control-allow-origin" not in client.get(uri, {"Origin": "http://elsewhere.example"}).headers
    assert client.request("OPTIONS", uri, None, {"Origin": "http://localhost:4200"}).status == 204


# --- the rest --------------------------------------------------------------------------------------------------------


def test_health_of_its_own_and_of_the_platform(nginx: Nginx) -> None:
    client = Client(nginx.origin)
    assert client.get("/healthz").body == b"ok\n"
    assert client.get("/health/").json()["status"] == "ok"


def test_json_and_playlists_are_compressed(admin: Client, film: dict[str, Any]) -> None:
    for path in ("/content/categories/", film["hls_url"]):
        answer = admin.get(path, {"Accept-Encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip", path
        assert gzip.decompress(answer.body)


def test_nginx_and_the_application_share_one_request_id(nginx: Nginx) -> None:
    client = Client(nginx.origin)
    own = client.get("/health/", {"X-Request-ID": "from-the-client-1"})
    assert own.headers["x-request-id"] == "from-the-client-1"
    made = client.get("/health/", {"X-Request-ID": "no good\x7f"}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert log_of(nginx, made)["path"] == "/health/"


def test_the_log_has_no_secret(admin: Client, nginx: Nginx, film: dict[str, Any]) -> None:
    uri = first_playlist(admin, film)
    picture = admin.get(f"/api/v1/videos/{film['id']}/posters/").json()["candidates"][0]["url"]
    Client(nginx.origin).get(uri, {"X-Request-ID": "secrets-of-media"})
    assert Client(nginx.origin).get(picture, {"X-Request-ID": "secrets-of-pictures"}).body[:2] == b"\xff\xd8"
    Client(nginx.origin).get("/users/confirm/?uid=1&token=very-secret", {"X-Request-ID": "secrets-of-mail"})
    assert log_of(nginx, "secrets-of-media")["path"].startswith("/media/-/videos/")
    assert log_of(nginx, "secrets-of-pictures")["path"].startswith("/media/file/-/videos/")
    assert urlsplit(picture).path.split("/")[3] not in nginx.said()
    assert log_of(nginx, "secrets-of-mail")["path"] == "/users/confirm/"
    assert uri.split("/")[2] not in nginx.said()
    assert "very-secret" not in nginx.said()


@pytest.mark.parametrize(("trusted", "address"), [("", "127.0.0.1"), ("127.0.0.1, 10.0.0.0/8", "203.0.113.7")])
def test_a_clients_address_is_what_trusted_proxies_say(start: Start, trusted: str, address: str) -> None:
    server = start(TRUSTED_PROXIES=trusted)
    forwarded = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7, 10.1.2.3", "X-Request-ID": "who-is-asking"}
    Client(server.origin).get("/health/", forwarded)
    assert log_of(server, "who-is-asking")["address"] == address


@pytest.mark.parametrize(("trusted", "scheme"), [("", "http"), ("127.0.0.1", "https")])
def test_behind_a_load_balancer_that_ends_tls_addresses_begin_with_https(
    start: Start, film: dict[str, Any], trusted: str, scheme: str
) -> None:
    server = start(TRUSTED_PROXIES=trusted)
    client = Client(server.origin)
    client.cookies = server.platform.sign_in().cookies
    listed = client.get("/content/", {"X-Forwarded-Proto": "https"}).json()
    addresses = [video["hls_url"] for video in listed if video["hls_url"]]
    assert addresses
    assert all(address.startswith(f"{scheme}://") for address in addresses)


def test_uploads_have_a_limit_of_their_own_and_stream_through(
    behind: Platform, nginx: Nginx, start: Start, admin: Client, clip: Path
) -> None:
    server = start(MAX_UPLOAD_MB="1")
    client = Client(server.origin)
    client.cookies = admin.cookies
    refused = client.request("POST", "/users/login/", bytes(4 * 1024**2), {"Content-Type": "application/json"})
    assert (refused.status, refused.json()["code"]) == (413, "too_large")
    small = client.upload(clip, title="Streams")
    assert small.status == 201
    kind = "Content-Type: multipart/form-data; boundary=x"
    head = f"POST /api/v1/videos/ HTTP/1.0\r\nHost: x\r\n{kind}\r\nContent-Length: {3 * 1024**2}\r\n\r\n"
    assert raw(server, head).split()[1] == b"413"
    connection = http.client.HTTPConnection(urlsplit(nginx.origin).netloc, timeout=10)
    connection.putrequest("POST", "/api/v1/videos/")
    headers = {"Content-Length": "3900000", "Content-Type": "multipart/form-data; boundary=x", "Origin": behind.origin}
    for name, value in {**headers, "Cookie": "none=1"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    # No byte of the body has been sent, and the application has already refused the client, who is not signed in.
    assert connection.getresponse().status == 401
    connection.close()


def test_floods_are_stopped_before_the_application(start: Start) -> None:
    server = start(NGINX_RATE_AUTH="6")

    def sign_in(number: int) -> Answer:
        # Without a password, so that the application counts no guess.
        return Client(server.origin).post_json("/users/login/", {})

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(sign_in, range(40)))
    stopped = [answer for answer in answers if answer.status == 429]
    assert len(stopped) >= 10
    assert stopped[0].json()["code"] == "throttled"
    assert stopped[0].headers["retry-after"]
    assert Client(server.origin).get("/health/").status == 200  # other routes keep their own limit


@pytest.mark.parametrize(
    ("origin", "credentials", "allowed"),
    [
        ("https://app.example.com", "1", ("https://app.example.com", "true")),
        ("https://app.example.com", "0", ("https://app.example.com", None)),
        ("https://app.example.com.evil.example", "1", (None, None)),
        ("null", "1", (None, None)),
    ],
)
def test_front_ends_of_other_origins_can_read_what_nginx_answers_itself(
    start: Start, origin: str, credentials: str, allowed: tuple[str | None, str | None]
) -> None:
    origins = "https://www.example.com, https://app.example.com"
    server = start(CORS_ALLOWED_ORIGINS=origins, CORS_ALLOW_CREDENTIALS=credentials)
    headers = {"Content-Type": "application/json", "Origin": origin}
    refused = Client(server.origin).request("POST", "/users/login/", bytes(4 * 1024**2), headers)
    names = ("access-control-allow-origin", "access-control-allow-credentials")
    assert (refused.status, *(refused.headers.get(name) for name in names)) == (413, *allowed)
    assert "Retry-After" in refused.headers["access-control-expose-headers"]
    assert refused.headers["x-request-id"]


def test_strangers_who_begin_forms_for_staff_keep_no_other_client_waiting(start: Start) -> None:
    """There are more such requests than threads in the application, and their bodies never come."""
    server = start()
    head = (
        f"POST /admin/content_app/video/add/ HTTP/1.1\r\nHost: localhost\r\nOrigin: {server.origin}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 900000\r\n\r\n--x\r\n"
    )
    held = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(150)]
    try:
        for connection in held:
            connection.sendall(head.encode())
        began = time.monotonic()
        assert Client(server.origin).get("/login/").status == 200
        assert time.monotonic() - began < 15
    finally:
        for connection in held:
            connection.close()


def test_while_the_application_restarts_nginx_answers_with_a_sentence(behind: Platform, nginx: Nginx) -> None:
    behind.end("web")
    try:
        answer = Client(nginx.origin).get("/content/")
        assert (answer.status, answer.json()["code"]) == (503, "unavailable")
    finally:
        behind.start_web()


# --- buckets ---------------------------------------------------------------------------------------------------------


def test_with_a_bucket_playlists_lead_into_it(on_bucket: Platform, storage_network: FaultProxy, clip: Path) -> None:
    with started(Nginx(on_bucket)) as server:
        client = Client(server.origin)
        client.cookies = on_bucket.sign_in().cookies
        film = on_bucket.wait_until_done(client, client.upload(clip, title="Bucket").json()["id"])
        playlist = client.get(first_playlist(client, film)).body.decode()
        address, segment = playlists.parse_segments(playlist)[0]
        part = Client(storage_network.url).get(address, {"Range": f"bytes={segment.offset}-{segment.offset + 7}"})
        assert part.body[4:8] == b"moof"
        assert client.get(f"/media/originals/{film['public_id']}").status == 403


# --- TLS -------------------------------------------------------------------------------------------------------------


def over_tls(server: Nginx, path: str) -> http.client.HTTPResponse:
    context = ssl._create_unverified_context()  # noqa: S323 - no authority has signed the stand-in
    connection = http.client.HTTPSConnection("localhost", server.tls_port, context=context, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_before_the_first_certificate_it_starts_with_a_stand_in(start: Start) -> None:
    server = start(NGINX_TLS="on")
    answer = over_tls(server, "/health/")
    assert answer.status == 200
    assert answer.headers["Strict-Transport-Security"] is None  # browsers would remember it
    led = Client(server.origin).get("/watch/x/?t=1")
    assert (led.status, led.headers["location"]) == (308, f"https://localhost:{server.tls_port}/watch/x/?t=1")
    (server.folder / "webroot/.well-known/acme-challenge").mkdir(parents=True)
    (server.folder / "webroot/.well-known/acme-challenge/token").write_text("proof")
    assert Client(server.origin).get("/.well-known/acme-challenge/token").body == b"proof"


def test_http_2_and_no_old_protocols(start: Start) -> None:
    server = start(NGINX_TLS="on")
    context = ssl._create_unverified_context()  # noqa: S323 - as above
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", server.tls_port)) as plain, context.wrap_socket(plain) as secure:
        assert secure.selected_alpn_protocol() == "h2"
        assert secure.version() == "TLSv1.3"


def test_a_certificate_that_appears_is_used_without_a_failed_request(start: Start) -> None:
    server = start(NGINX_TLS="auto", SERVER_NAME="videos.example.com")
    client = Client(server.origin)
    assert client.get("/health/").status == 200  # plain, as there is none
    live = server.folder / "letsencrypt/live/videos.example.com"
    live.mkdir(parents=True)
    make_certificate(live)
    wait_for(lambda: client.get("/health/").status == 308, limit_s=30, what="the redirect to TLS")
    wait_for(lambda: over_tls(server, "/health/").status == 200, limit_s=30, what="TLS")
    assert over_tls(server, "/health/").headers["Strict-Transport-Security"] == "max-age=31536000"


def make_certificate(folder: Path) -> None:
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=videos.example.com",
    ]
    files = ["-keyout", str(folder / "new.key"), "-out", str(folder / "fullchain.pem")]
    subprocess.run([*command, *files], check=True, capture_output=True)
    (folder / "new.key").rename(folder / "privkey.pem")


@pytest.mark.parametrize(
    ("name", "value"),
    [("NGINX_TLS", "yes"), ("WEB", "web:8000; evil on"), ("MAX_UPLOAD_MB", "many"), ("TRUSTED_PROXIES", "everybody;"),
     ("USE_S3_MEDIA", "perhaps"), ("CORS_ALLOWED_ORIGINS", 'https://a.example" x; #')],
)  # fmt: skip
def test_a_wrong_setting_is_one_sentence(behind: Platform, name: str, value: str) -> None:
    server = Nginx(behind, **{name: value})
    done = subprocess.run(
        ["/bin/sh", str(ENTRYPOINT), "test"], env=server.env, capture_output=True, text=True, timeout=20, check=False
    )
    server.stop()
    assert done.returncode == 1
    assert name in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_it_ends_soon_when_it_is_asked(start: Start) -> None:
    server = start()
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 15

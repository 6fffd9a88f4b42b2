"""Writes docs/api-examples.json from a real run: `python -m tests.record_api_examples`.

Values that differ from run to run become placeholders and long values are cut, so that two runs give the same file.
"""

import base64
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.client import Answer, Client
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, PROJECT, Platform

FILE = PROJECT / "docs" / "api-examples.json"
FILM = PROJECT / "demo" / "big-buck-bunny.mp4"
ORIGIN = "https://videos.example.com"
MOST_ITEMS, MOST_LINES, MOST_CHARACTERS = 3, 14, 240
ALWAYS_TOLD = ("id", "public_id", "title")
TOLD_HEADERS = ("location", "upload-offset")
CAPTIONS = b"WEBVTT\n\n00:00.000 --> 00:02.000\nA meadow in the morning.\n"
HALF = 1000
WRONG_CHANGE = {"current_password": "a-wrong-one", "new_password": "another to remember"}
# In this order: the version in a path is recognised by the grant before it.
PLACEHOLDERS = (
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), "eyJ…"),
    (re.compile(r"(?<=/)[0-9a-z]{1,13}\.[A-Za-z0-9_-]{43}(?=/)"), "GRANT"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "2026-01-31T12:00:00Z"),
    (re.compile(r"(?<=/play/)[\w.-]+"), "GRANT"),
    (re.compile(r"((?:GRANT/videos|media/posters)/[0-9a-f-]{36}/)[\w-]+(?=/)"), r"\1VERSION"),
    (re.compile(re.escape(ADMIN_PASSWORD)), "a-long-password"),
)
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
TIMED = ("seconds", "processing_time_left", "processing_took")


class Recorder:
    """Sends requests and keeps each with its answer."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.origin = {"Origin": client.origin}  # as browsers send it from a page of this site
        self.examples: list[dict[str, Any]] = []
        self.ids: dict[str, str] = {}
        self.shown: dict[str, dict[str, Any]] = {}  # the first video of each state

    def send(
        self, title: str, method: str, path: str, data: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Sends a request with a JSON body, or without a body."""
        body = None if data is None else json.dumps(data).encode()
        kind = {} if data is None else {"Content-Type": "application/json"}
        answer = self.client.request(method, path, body, {**self.origin, **kind, **(headers or {})})
        self.keep(title, f"{method} {path}", answer, headers=headers, **({} if data is None else {"body": data}))
        return answer

    def send_bytes(self, title: str, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        kind = {"Content-Type": "application/offset+octet-stream"}
        answer = self.client.request(method, path, body, {**self.origin, **kind, **headers})
        self.keep(title, f"{method} {path}", answer, headers={**kind, **headers}, body=f"({len(body)} bytes)")
        return answer

    def send_form(self, title: str, path: str, file: Path, /, **fields: str) -> Answer:
        answer = self.client.upload(file, to=path, **fields)
        form = "\n".join(f"{name}={value}" for name, value in {**fields, "file": f"@{file.name}"}.items())
        self.keep(title, f"POST {path}", answer, headers={"Content-Type": "multipart/form-data"}, body=form)
        return answer

    def keep(
        self, title: str, request: str, answer: Answer, *, headers: Mapping[str, str] | None = None, **told: Any
    ) -> None:
        """Keeps the example; `told` has the body of the request, if it has one."""
        example: dict[str, Any] = {"title": title, "request": request}
        if headers:
            example["headers"] = dict(headers)
        example |= {**told, "status": answer.status}
        if heads := {name.title(): answer.headers[name] for name in TOLD_HEADERS if name in answer.headers}:
            example["answer_headers"] = heads
        example["answer"] = content_of(answer)
        self.examples.append(self.settled(example))

    def settled(self, value: Any, name: str = "") -> Any:
        """Returns the value with placeholders for what differs from run to run, and with long lists and texts cut."""
        if isinstance(value, dict):
            settled = {key: self.settled(one, key) for key, one in value.items()}
            return self.brief(settled) if "has_access" in value else settled
        if isinstance(value, list):
            kept = [self.settled(one) for one in value[:MOST_ITEMS]]
            return [*kept, "…"] if len(value) > MOST_ITEMS else kept
        if isinstance(value, str):
            return shortened(self.without_ids(value))
        return 12 if name in TIMED and isinstance(value, int | float) else value

    def brief(self, video: dict[str, Any]) -> dict[str, Any]:
        """Returns the first video of a state in full, later ones with the fields that differ from it."""
        full = self.shown.setdefault(video["status"], video)
        if full is video:
            return video
        told = {key: one for key, one in video.items() if key in ALWAYS_TOLD or key not in full or full[key] != one}
        return {**told, "…": "as above"}

    def without_ids(self, text: str) -> str:
        text = text.replace(self.client.origin, ORIGIN)
        for pattern, placeholder in PLACEHOLDERS:
            text = pattern.sub(placeholder, text)
        return UUID.sub(self.number, text)

    def number(self, found: re.Match[str]) -> str:
        """Returns the placeholder of an id: …001 for the first id that occurs, the same at each further occurrence."""
        return self.ids.setdefault(found[0], f"00000000-0000-4000-8000-{len(self.ids) + 1:012}")


def content_of(answer: Answer) -> Any:
    if "json" in answer.headers.get("content-type", ""):
        return answer.json()
    return answer.body.decode()


def shortened(text: str) -> str:
    lines = [line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}…" for line in text.split("\n")]
    return "\n".join(lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], "…"])


# --- What is recorded ---


def record(platform: Platform) -> list[dict[str, Any]]:
    recorder = Recorder(Client(platform.origin))
    record_strangers(recorder)
    record_people(recorder)
    record_own_account(recorder)
    # The workers start later, so that the answers about the new film do not depend on their speed.
    title = "A form with a file"
    uploaded = recorder.send_form(title, "/api/v1/videos/", FILM, title="Big Buck Bunny", category="Animation")
    recorder.send("Before it is ready", "GET", "/api/v1/stream/1/master.m3u8")
    platform.start_worker()
    platform.start_reaper()
    platform.wait_until_done(recorder.client, uploaded.json()["id"])
    recorder.send("All is well", "GET", "/health/")
    record_film(recorder)
    record_additions(recorder)
    record_tus(recorder)
    record_changes(recorder)
    recorder.send("The end of the session", "POST", "/users/logout/", {})
    recorder.send("Without a session", "GET", "/content/")
    return recorder.examples


def record_strangers(recorder: Recorder) -> None:
    send, ann = recorder.send, {"email": "ann@example.com", "password": "a password to remember"}
    form = {**ann, "confirm_password": ann["password"], "name": "Ann"}
    send("An account begins", "POST", "/users/register/", form)
    send("A taken address gets the same answer", "POST", "/users/register/", {**form, "email": ADMIN_EMAIL})
    send("What is wrong is told by field", "POST", "/users/register/", {**form, "password": "12345678"})
    send("As a program", "POST", "/api/v1/auth/register/", {**ann, "email": "ben@example.com", "name": "Ben"})
    send("A wrong code", "POST", "/api/v1/auth/verify-email/", {"email": ann["email"], "otp": "000000"})
    send("A link that was used", "GET", "/users/confirm/?uid=Mg&token=used")
    send("Is it taken?", "GET", f"/users/email-exists/?email={ADMIN_EMAIL}")
    send("For any address", "POST", "/users/forgot-password/", {"email": ann["email"]})
    link = {"uid": "Mg", "token": "used", "new_password": ann["password"]}
    send("A link that was used", "POST", "/users/reset-password/", link)


def record_own_account(recorder: Recorder) -> None:
    send = recorder.send
    send("One's own", "GET", "/users/profile/")
    send("Another name", "PATCH", "/users/profile/", {"name": "Ada"})
    send("Everybody's", "GET", "/users/profiles/")
    send("Everybody", "GET", "/api/v1/users/")
    send("Somebody becomes a creator", "PATCH", "/api/v1/users/2/role/", {"role_name": "CREATOR"})
    send("The last admin stays one", "PATCH", "/api/v1/users/1/role/", {"role_name": "VIEWER"})
    send("Where one is signed in", "GET", "/api/v1/auth/sessions/")
    send("Not the password", "POST", "/api/v1/auth/password/change/", WRONG_CHANGE)
    change = {"new_email": "ada@example.com", "password": ADMIN_PASSWORD}
    send("A new address", "POST", "/api/v1/auth/email/change/", change)
    send("Wrong passwords", "GET", "/api/v1/audit/?action=sign_in&status=400")
    send("All one's data", "GET", "/api/v1/auth/export/")
    send("Everywhere else", "DELETE", "/api/v1/auth/sessions/?keep_current=1")
    send("The last admin stays", "DELETE", "/api/v1/auth/me/", {"password": ADMIN_PASSWORD})


def record_people(recorder: Recorder) -> None:
    who = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    recorder.send("A wrong password", "POST", "/users/login/", {**who, "password": "a-wrong-one"})
    recorder.send("Nothing filled in", "POST", "/users/login/", {})
    recorder.send("Tokens for a program", "POST", "/api/v1/auth/token/", who)
    recorder.send("Signing in", "POST", "/users/login/", {**who, "remember": True})
    recorder.send("By the cookie", "GET", "/api/v1/auth/me/")
    recorder.send("By the cookie", "POST", "/users/refresh/", {})


def record_film(recorder: Recorder) -> None:
    send = recorder.send
    send("A search", "GET", "/api/v1/videos/?search=bunny&page_size=1")
    send("By its id", "GET", "/api/v1/videos/1/")
    send("Of a film that is ready", "GET", "/api/v1/videos/1/preflight/")
    send("Of a film that did not fail", "POST", "/api/v1/videos/1/retry/")
    send("The catalogue", "GET", "/content/")
    send("By its id", "GET", "/content/1/")
    send("No such film", "GET", "/content/999/")
    send("The genres", "GET", "/content/categories/")
    send("A film is marked", "POST", "/content/add-favorite/", {"video_id": 1})
    send("An address", "GET", "/content/video-url/1/")
    send("The master playlist", "GET", "/api/v1/stream/1/master.m3u8")
    send("Of a film that was not made as DASH", "GET", "/api/v1/stream/1/manifest.mpd")
    send("A quality", "GET", "/api/v1/stream/1/360p.mp4")
    send("The seek bar", "GET", "/api/v1/stream/1/storyboard.vtt")
    send("All", "GET", "/api/v1/upload/videos/")
    send("One", "GET", "/api/v1/upload/videos/1/")


def record_additions(recorder: Recorder) -> None:
    with tempfile.TemporaryDirectory() as folder:
        captions = Path(folder, "english.vtt")
        captions.write_bytes(CAPTIONS)
        recorder.send_form("Captions in English", "/api/v1/videos/1/captions/en/", captions)
    recorder.send("The languages", "GET", "/api/v1/videos/1/captions/")
    recorder.send("In English", "GET", "/api/v1/videos/1/captions/en/")
    recorder.send("They go", "DELETE", "/api/v1/videos/1/captions/en/")
    recorder.send("The candidates", "GET", "/api/v1/videos/1/posters/")
    recorder.send("The second one", "PUT", "/api/v1/videos/1/poster/", {"candidate": 2})


def record_tus(recorder: Recorder) -> None:
    version = {"Tus-Resumable": "1.0.0"}
    begin = {"Upload-Length": str(2 * HALF), "Upload-Metadata": f"filename {base64.b64encode(b'holiday.mp4').decode()}"}
    begun = recorder.send("An upload begins", "POST", "/api/v1/upload/tus/", headers={**version, **begin})
    place = begun.headers["location"].removeprefix(recorder.client.origin)
    what = {"video_s3_key": begun.json()["key"], "title": "Holiday", "visibility": "PRIVATE"}
    recorder.send("What it will be", "POST", "/api/v1/upload/videos/metadata/", what)
    recorder.send_bytes("The first half", "PATCH", place, bytes(HALF), {**version, "Upload-Offset": "0"})
    recorder.send("It is given up", "DELETE", place, headers=version)
    wanted = {"filename": "holiday.mp4", "content_type": "video/mp4"}
    recorder.send("Media lie in a folder", "POST", "/api/v1/upload/videos/upload-url/", wanted)


def record_changes(recorder: Recorder) -> None:
    recorder.send("Another description", "PATCH", "/api/v1/videos/1/", {"description": "A rabbit and three rodents."})
    recorder.send("It goes", "DELETE", "/api/v1/videos/1/")
    recorder.send("It comes back", "PATCH", "/api/v1/videos/1/restore/")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        platform = Platform(Path(folder))
        try:
            platform.start_redis()
            platform.prepare()
            platform.start_web()
            examples = record(platform)
        finally:
            platform.stop()
    FILE.write_text(json.dumps(examples, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(examples)} examples in {FILE.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()

"""Front ends of another origin, and the watch site, under the default limits: no user is locked out or signed out.

The front ends are those of docs/frontend.md: docs/examples/session-client.js without a framework, and an Angular
application with docs/examples/session.interceptor.ts.
"""

import itertools
import json
import re
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, Route, expect
from redis import Redis

from tests.browser.conftest import QUIET_ARGS
from tests.browser.pages import CHROMIUM_ARGS, Site
from tests.browser.test_account import Mailbox
from tests.client import Client
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform, wait_for, web_alone
from users_app import tokens

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parent.parent.parent
GUIDE = PROJECT / "docs" / "frontend.md"
SCRIPTS = {
    "/session-client.js": PROJECT / "docs" / "examples" / "session-client.js",
    "/angular.bundle.js": Path(__file__).parent / "angular" / "angular.bundle.js",
}
LIMITS = {"RATE_LIMIT_DEFAULT": 600, "RATE_LIMIT_AUTH": 20, "RATE_LIMIT_STREAM": 60}
LIMITED = {name: str(limit) for name, limit in LIMITS.items()}
TABS = 5
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
A_MINUTE, TEN_HOURS = timedelta(minutes=1), timedelta(hours=10)
PASSWORD = "a-long-password-for-front-ends"
OTHER_SECRET = "the-secret-of-another-installation-0123456789"
# Each test signs in as a user of its own, whose requests are counted apart from those of other tests.
ADD_PEOPLE = f"""
from django.contrib.auth.hashers import make_password
from users_app.models import User
password = make_password("{PASSWORD}")
for number in range(60):
    User.objects.create(email=f"p{{number}}@example.com", password=password, role="CREATOR", email_verified=True)
"""
PEOPLE = itertools.count()
ADDRESSES = itertools.count()

# `call` sends a request by one front end or the other; the result has the same form.
PAGE = """<!doctype html><title>A front end</title>
<script type="module">
import { Session } from "/session-client.js";
window.asked = 0;
const askToSignIn = async () => {
  window.asked += 1;
  return (await window.onAsked?.()) ?? false;
};
const calls = {
  fetch: (method, path, body) => window.session.request(method, path, body).then(
    (answer) => ({ status: 200, body: answer }),
    ({ status, code, retryAfterS, requestId }) => ({ status, body: { code, retryAfterS, requestId } }),
  ),
  angular: (method, path, body) => window.send(method, window.session.api + path, body),
};
const load = (src) => new Promise((onload) => document.head.append(
  Object.assign(document.createElement("script"), { src, onload }),
));
window.begin = async (api, kind) => {
  window.session = new Session({ api, askToSignIn });
  if (kind === "angular") {
    await load("/angular.bundle.js");
    await window.start(api, askToSignIn);
  }
  window.call = calls[kind];
};
</script>"""
NO_LOCKS = "Object.defineProperty(navigator, 'locks', { value: undefined })"
# Has a tab begin at a given moment, the same one for all tabs.
AT_ONCE = """at => {{
  window.outcome = new Promise(go => setTimeout(go, at - Date.now())).then({work});
}}"""
SOON_MS = 300
RAW_REFRESH = """() => fetch(session.api + '/users/refresh/', {
  method: 'POST', body: '{}', credentials: 'include', headers: {'Content-Type': 'application/json'},
}).then(({status}) => status)"""
WHO = "() => call('GET', '/users/me/')"


class FrontEndFiles(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        script = SCRIPTS.get(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.end_headers()
        self.wfile.write(script.read_bytes() if script else PAGE.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of the server of the front ends' files."""
    with ThreadingHTTPServer(("127.0.0.1", 0), FrontEndFiles) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def front_end(port: int) -> str:
    """An origin other than the platform's, on the same site."""
    return f"http://localhost:{port}"


@pytest.fixture(scope="module")
def other_site(port: int) -> str:
    return f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, prepared_database: Path, front_end: str, other_site: str
) -> Iterator[Platform]:
    env = {
        "CORS_ALLOWED_ORIGINS": f"{front_end},{other_site}",
        "FRONTEND_URL": f"{front_end}/sign-in",
        "FRONTEND_CONFIRM_URL": f"{front_end}/confirm?from=mail",
        "RESET_PASSWORD_URL": f"{front_end}/reset",
    }
    with web_alone(tmp_path_factory.mktemp("served"), prepared_database, **LIMITED, **env) as platform:
        added = platform.manage("shell", "-c", ADD_PEOPLE)
        assert added.returncode == 0, added.stderr
        yield platform


class Browsing:
    """A browser window, and the number of the platform's answers to it by path and status."""

    def __init__(self, context: BrowserContext, platform: Platform, front_end: str) -> None:
        self.context = context
        self.platform = platform
        self.front_end = front_end
        self.answers: Counter[tuple[str, int]] = Counter()
        context.on("response", self.note)

    def note(self, response: Response) -> None:
        if response.url.startswith(self.platform.origin):
            self.answers[urlsplit(response.url).path, response.status] += 1

    @property
    def refreshes(self) -> int:
        return sum(count for (path, _), count in self.answers.items() if path == "/users/refresh/")

    def count(self, status: int) -> int:
        return sum(count for (_, found), count in self.answers.items() if found == status)

    # --- Cookies ---

    def be(self, client: Client) -> None:
        for name, value in client.cookies.items():
            self.set_cookie(name, value)

    def set_cookie(self, name: str, value: str) -> None:
        self.context.add_cookies([{"name": name, "value": value, "url": self.platform.origin}])

    def cookie(self, name: str) -> str:
        cookies = self.context.cookies(self.platform.origin)
        return next((cookie.get("value", "") for cookie in cookies if cookie.get("name") == name), "")

    def lose_access(self) -> None:
        """Removes the access cookie, as a browser does when its lifetime is over."""
        self.context.clear_cookies(name="vf_access")

    # --- Tabs ---

    def open_tab(self, kind: str = "fetch") -> Page:
        tab = self.context.new_page()
        tab.goto(self.front_end)
        tab.evaluate("([api, kind]) => begin(api, kind)", [self.platform.origin, kind])
        return tab

    def open_tabs(self, kind: str = "fetch") -> list[Page]:
        return [self.open_tab(kind) for _ in range(TABS)]


def at_once(tabs: list[Page], work: str) -> list[Any]:
    """Starts the work in all tabs at the same moment. Returns the result of each."""
    begin_at = time.time() * 1000 + SOON_MS
    for tab in tabs:
        tab.evaluate(AT_ONCE.format(work=work), begin_at)
    return [tab.evaluate("() => window.outcome") for tab in tabs]


def wait_in(tab: Page, question: Callable[[], bool], *, what: str) -> None:
    """Waits for a truthy answer; meanwhile Playwright handles the events of the tab."""

    def ask() -> bool:
        tab.wait_for_timeout(30)
        return question()

    wait_for(ask, what=what)


def statuses(answers: list[Any]) -> set[int]:
    return {answer["status"] for answer in answers}


def asked(tabs: list[Page]) -> int:
    return sum(tab.evaluate("() => window.asked") for tab in tabs)


@pytest.fixture
def email(served: Platform) -> str:
    """The address of a user of this test alone."""
    return f"p{next(PEOPLE)}@example.com"


def sign_in(served: Platform, email: str, password: str = PASSWORD) -> Client:
    """Signs in from a network address of its own, because sign-ins are counted by address."""
    client = Client(served.origin)
    headers = {"Content-Type": "application/json", "X-Forwarded-For": f"2001:db8:0:{next(ADDRESSES):x}::1"}
    body = json.dumps({"email": email, "password": password, "remember": True}).encode()
    assert client.request("POST", "/users/login/", body, headers).status == 200
    return client


@pytest.fixture
def program(served: Platform, email: str) -> Client:
    """A client that is signed in as the same user, for requests that no page sends."""
    return sign_in(served, email)


@pytest.fixture
def browsing(window: BrowserContext, served: Platform, front_end: str, program: Client) -> Browsing:
    """A window that is signed in as the user of the test."""
    browsing = Browsing(window, served, front_end)
    browsing.be(program)
    return browsing


@pytest.fixture(params=["fetch", "angular"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def busy_database(platform: Platform) -> Iterator[None]:
    """Locks the database, so that every write waits until the end of the block."""
    with closing(sqlite3.connect(platform.database, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield


def let_pass(platform: Platform, time_ago: timedelta) -> None:
    """Moves the last refresh of every session into the past by `time_ago`."""
    with closing(sqlite3.connect(platform.database, isolation_level=None)) as database:
        for pk, rotated_at in database.execute("SELECT id, rotated_at FROM users_app_session").fetchall():
            if rotated_at:
                earlier = datetime.fromisoformat(rotated_at) - time_ago
                database.execute("UPDATE users_app_session SET rotated_at = ? WHERE id = ?", (str(earlier), pk))


def resigned(token: str, secret: str, **claims: int | str) -> str:
    """Returns the access token with other claims, or signed with another secret."""
    old = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(old | claims, tokens._signing_key("access", secret), algorithm=tokens.ALGORITHM)


def expired(token: str, platform: Platform) -> str:
    return resigned(token, platform.env["SECRET_KEY"], exp=int((datetime.now(UTC) - TEN_HOURS).timestamp()))


# --- Five tabs at once -----------------------------------------------------------------------------------------------


def test_five_tabs_share_a_refresh(kind: str, browsing: Browsing) -> None:
    tabs = browsing.open_tabs(kind)
    for _ in range(2):  # the second refresh comes within the grace of the first
        browsing.lose_access()
        before = browsing.refreshes
        assert statuses(at_once(tabs, WHO)) == {200}
        # Usually one. A tab may get the lock before it sees what the first tab has stored, and then refreshes again.
        assert 1 <= browsing.refreshes - before < TABS
    assert (asked(tabs), browsing.count(429)) == (0, 0)


def test_the_calls_of_one_tab_share_one_refresh(kind: str, browsing: Browsing) -> None:
    tab = browsing.open_tab(kind)
    browsing.lose_access()
    paths = ["/users/me/", "/content/", "/users/profile/", "/users/sessions/", "/content/categories/"]
    answers = tab.evaluate("paths => Promise.all(paths.map(path => call('GET', path)))", paths)
    assert statuses(answers) == {200}
    assert (browsing.refreshes, asked([tab])) == (1, 0)


def test_browsers_without_locks_refresh_side_by_side(browsing: Browsing) -> None:
    browsing.context.add_init_script(NO_LOCKS)
    tabs = [browsing.open_tab(kind) for kind in ("fetch", "angular", "fetch", "angular", "fetch")]
    assert tabs[0].evaluate("() => navigator.locks === undefined")
    for _ in range(2):
        browsing.lose_access()
        assert statuses(at_once(tabs, WHO)) == {200}
    assert 2 <= browsing.refreshes <= 2 * TABS
    assert (asked(tabs), browsing.count(429)) == (0, 0)


def test_after_five_raw_refreshes_at_once_the_session_goes_on(browsing: Browsing) -> None:
    tabs = browsing.open_tabs()
    before = browsing.cookie("vf_refresh")
    browsing.lose_access()
    with busy_database(browsing.platform):  # no refresh is answered before the last one has been sent
        for tab in tabs:
            tab.evaluate(f"() => {{ window.outcome = ({RAW_REFRESH})(); }}")
        tabs[0].wait_for_timeout(SOON_MS)
    assert [tab.evaluate("() => window.outcome") for tab in tabs] == [200] * TABS
    assert browsing.cookie("vf_refresh") not in ("", before)
    assert statuses(at_once(tabs, WHO)) == {200}
    let_pass(browsing.platform, A_MINUTE)  # the grace of the former refresh token is over
    browsing.lose_access()
    assert statuses(at_once(tabs, WHO)) == {200}
    assert (browsing.refreshes - TABS < TABS, asked(tabs)) == (True, 0)


def test_five_tabs_of_the_watch_site_never_show_the_sign_in_page(browsing: Browsing) -> None:
    tabs = [browsing.context.new_page() for _ in range(TABS)]
    visited: list[str] = []
    for tab in tabs:
        Site(tab, browsing.platform.origin).open_catalogue()
        tab.on("framenavigated", lambda frame: visited.append(urlsplit(frame.url).path))
    for access in ("", "garbage"):
        browsing.lose_access()
        if access:
            browsing.set_cookie("vf_access", access)
        visited.clear()
        before = browsing.refreshes
        begin_at = time.time() * 1000 + SOON_MS
        for tab in tabs:
            tab.evaluate("at => void setTimeout(() => location.reload(), at - Date.now())", begin_at)
        wait_in(tabs[0], lambda: len(visited) == TABS, what="five reloads")
        for tab in tabs:
            expect(tab.get_by_test_id("catalogue")).to_have_attribute("data-state", re.compile("ready|empty"))
            expect(tab.get_by_test_id("sign-out")).to_be_visible()
        assert visited == ["/"] * TABS
        assert 1 <= browsing.refreshes - before < TABS
    assert browsing.count(429) == 0


# --- Stale and broken cookies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "access"),
    [
        ("fetch", "stale"),
        ("fetch", "garbage"),
        ("fetch", "of another secret"),
        ("fetch", "the refresh token"),
        ("angular", "stale"),
    ],
)
def test_a_useless_access_cookie_costs_one_refresh(kind: str, access: str, browsing: Browsing) -> None:
    current = browsing.cookie("vf_access")
    values = {
        "stale": expired(current, browsing.platform),
        "garbage": "e30.%7B%7D.\u0022",
        "of another secret": resigned(current, OTHER_SECRET),
        "the refresh token": browsing.cookie("vf_refresh"),
    }
    browsing.set_cookie("vf_access", values[access])
    tab = browsing.open_tab(kind)
    assert tab.evaluate(WHO)["status"] == 200
    assert (browsing.refreshes, asked([tab])) == (1, 0)


@pytest.mark.parametrize(
    ("kind", "refresh"),
    [("fetch", ""), ("fetch", "garbage"), ("fetch", "of another secret"), ("angular", "garbage")],
)
def test_a_broken_refresh_cookie_leads_to_signing_in_which_works_at_once(
    kind: str, refresh: str, browsing: Browsing, email: str
) -> None:
    foreign = resigned(browsing.cookie("vf_access"), OTHER_SECRET, token_type="refresh")
    browsing.set_cookie("vf_refresh", foreign if refresh == "of another secret" else refresh)
    browsing.set_cookie("vf_access", "garbage")
    tab = browsing.open_tab(kind)
    tab.evaluate(
        "credentials => { window.onAsked = () => session.signIn(credentials).then(() => true); }",
        {"email": email, "password": PASSWORD},
    )
    calls = "Promise.all([call('PATCH', '/users/profile/', {name: 'Ada'}), call('GET', '/content/')])"
    answers = tab.evaluate(f"() => {calls}")
    assert statuses(answers) == {200}
    assert answers[0]["body"]["name"] == "Ada", "the refused request is sent again after signing in"
    assert asked([tab]) == 1


def test_a_user_who_does_not_sign_in_again_is_asked_once(kind: str, browsing: Browsing) -> None:
    browsing.context.clear_cookies()
    tab = browsing.open_tab(kind)
    answers = tab.evaluate("() => Promise.all(['/users/me/', '/content/'].map(path => call('GET', path)))")
    assert statuses(answers) == {401}
    assert (browsing.refreshes, asked([tab])) == (1, 1)
    if kind == "fetch":
        assert tab.evaluate("() => session.whoAmI()") is None
    else:
        assert tab.evaluate("() => send('GET', session.api + '/users/me/', undefined, true)")["status"] == 401
    assert asked([tab]) == 1, "`whoAmI` asks no user to sign in"


# --- Other answers ---------------------------------------------------------------------------------------------------


def test_other_refusals_are_passed_on(kind: str, browsing: Browsing) -> None:
    tab = browsing.open_tab(kind)
    refused = tab.evaluate("() => call('GET', '/api/v1/users/')")
    assert (refused["status"], refused["body"]["code"]) == (403, "permission_denied")
    wrong = tab.evaluate("() => call('POST', '/content/add-favorite/', {})")
    assert (wrong["status"], wrong["body"]["code"]) == (400, "invalid")
    assert (browsing.refreshes, asked([tab])) == (0, 0)


@contextmanager
def busy(tab: Page, path: str, status: int, wait_s: int, *, times: int = 9) -> Iterator[list[int]]:
    """Answers requests for this path with `status` and Retry-After, up to `times`. Yields the statuses sent so far."""
    paused: list[int] = []

    def pause(route: Route) -> None:
        paused.append(status)
        origin = route.request.headers["origin"]
        cors = {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
        headers = cors | {"Access-Control-Expose-Headers": "Retry-After", "Retry-After": str(wait_s)}
        route.fulfill(status=status, headers=headers, json={"detail": "Later.", "code": "later"})

    tab.route(f"**{path}", pause, times=times)
    yield paused
    tab.unroute(f"**{path}")


def test_a_front_end_keeps_a_short_pause_and_reports_a_long_one(kind: str, browsing: Browsing) -> None:
    tab = browsing.open_tab(kind)
    with busy(tab, "/users/me/", 429, 1, times=1) as paused:
        assert tab.evaluate(WHO)["status"] == 200
        assert paused == [429]
    with busy(tab, "/users/me/", 429, 40) as paused:
        assert tab.evaluate(WHO)["status"] == 429
        assert paused == [429]
    assert (browsing.refreshes, asked([tab])) == (0, 0)


def test_an_outage_of_a_moment_ends_no_session(kind: str, browsing: Browsing) -> None:
    tab = browsing.open_tab(kind)
    browsing.lose_access()
    with busy(tab, "/users/refresh/", 503, 1, times=1) as paused:
        assert tab.evaluate(WHO)["status"] == 200
        assert paused == [503]
    with busy(tab, "/content/add-favorite/", 503, 1) as paused:
        assert tab.evaluate("() => call('POST', '/content/add-favorite/', {video_id: 1})")["status"] == 503
        assert paused == [503], "nothing is done twice"
    browsing.lose_access()
    with busy(tab, "/users/refresh/", 503, 40):
        assert tab.evaluate(WHO)["status"] == 503
    assert asked([tab]) == 0


def use_up_the_limit(platform: Platform, user_id: int) -> None:
    """Sets the user's counters of this minute and the next one to the limit."""
    with closing(Redis.from_url(platform.env["REDIS_URL"])) as redis:
        for minute in (int(time.time() // 60), int(time.time() // 60) + 1):
            redis.set(f"limit:default:60:user:{user_id}:{minute}", LIMITS["RATE_LIMIT_DEFAULT"], ex=180)


def test_the_servers_own_429_says_when_to_go_on_and_ends_no_session(
    kind: str, browsing: Browsing, program: Client
) -> None:
    tab = browsing.open_tab(kind)
    use_up_the_limit(browsing.platform, program.get("/users/me/").json()["id"])
    browsing.lose_access()
    refused = tab.evaluate(WHO)
    assert (refused["status"], refused["body"]["code"]) == (429, "throttled")
    assert (browsing.refreshes, asked([tab])) == (1, 0)
    if kind == "fetch":
        assert 0 < refused["body"]["retryAfterS"] <= 120
        assert re.fullmatch(r"[0-9a-f]{32}", refused["body"]["requestId"])


# --- A page that polls for an hour -----------------------------------------------------------------------------------

TICK_MS = 2000  # as in static/js/site/poll.js
TICKS = 60_000 // TICK_MS
COUNTED = re.compile(r"/content/[0-9a-f-]+/|/api/v1/videos/|/api/v1/videos/[0-9a-f-]+/preflight/")
NOT_COUNTED = re.compile(r"/health/")  # has no limit
FILMS = 8  # not processed yet


@pytest.fixture(scope="module")
def films(served: Platform, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The public ids of films that no worker has examined yet; for such films pages poll most."""
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    path.write_bytes(b"\0" * 1000)
    client = sign_in(served, ADMIN_EMAIL, ADMIN_PASSWORD)
    return [client.upload(path, title=f"Film {number}").json()["public_id"] for number in range(FILMS)]


def open_watch_page(site: Site, films: list[str], _: Path) -> None:
    site.open(f"/watch/{films[0]}/")
    expect(site.page.get_by_test_id("watch")).to_have_attribute("data-state", "preparing")


def open_upload_page(site: Site, _: list[str], folder: Path) -> None:
    path = folder / "another.mp4"
    path.write_bytes(b"\0" * 1000)
    site.upload(path)


def open_catalogue(site: Site, _: list[str], __: Path) -> None:
    site.open_catalogue()


PAGES = {"watch": open_watch_page, "upload": open_upload_page, "catalogue": open_catalogue}


@pytest.fixture(scope="module")
def requests_a_minute(
    served: Platform, films: list[str], chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, int]:
    """Requests a minute by page, while the owner watches a film that stays unprocessed; the test moves the clock."""
    folder = tmp_path_factory.mktemp("another")
    counts = {}
    for name, open_page in PAGES.items():
        with closing(chromium.new_context()) as context:
            watched = Watched(context.new_page())
            site = Site(watched.page, served.origin)
            Browsing(context, served, "").be(sign_in(served, ADMIN_EMAIL, ADMIN_PASSWORD))
            open_page(site, films, folder)
            counts[name] = watched.requests_a_minute()
    return counts


class Watched:
    """A page whose clock the test moves, and the requests that it sends."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.begun: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        page.clock.install(time=NOON)
        page.on("request", lambda request: self.begun.update([urlsplit(request.url).path]))
        # Not "requestfinished", which never comes for an answer whose body the page does not read.
        page.on("response", lambda response: self.answered.update([urlsplit(response.url).path]))

    def requests_a_minute(self) -> int:
        """Returns the number of requests in a minute, without those that no limit counts."""
        self.page.clock.pause_at(NOON + A_MINUTE)
        self.wait_for_answers()
        before = self.begun.copy()
        for _ in range(TICKS):
            self.page.clock.run_for(TICK_MS)
            self.wait_for_answers()
        asked = self.begun - before
        counted = {path: count for path, count in asked.items() if not NOT_COUNTED.fullmatch(path)}
        assert all(COUNTED.fullmatch(path) for path in counted), counted
        return sum(counted.values())

    def wait_for_answers(self) -> None:
        """Waits until all requests are answered, also those that the answers cause at once."""
        for _ in range(2):
            wait_in(self.page, lambda: self.begun == self.answered, what="the answers to a page")


RESERVE = 0.75


@pytest.mark.parametrize(
    ("name", "pages"),
    [("watch", TABS), ("upload", TABS), ("catalogue", TABS)],
)
def test_pages_that_poll_stay_well_under_the_limit(name: str, pages: int, requests_a_minute: dict[str, int]) -> None:
    assert 0 < pages * requests_a_minute[name] <= RESERVE * LIMITS["RATE_LIMIT_DEFAULT"]


def test_all_requests_of_five_tabs_in_a_minute_are_answered(
    browsing: Browsing, program: Client, requests_a_minute: dict[str, int], tmp_path: Path
) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\0" * 1000)
    film = program.upload(path, title="Mine").json()
    paths = [f"/content/{film['id']}/", f"/api/v1/videos/{film['public_id']}/preflight/"]
    tabs = browsing.open_tabs()
    work = """async () => {
      const found = new Set();
      for (let turn = 0; turn < TURNS; turn++) for (const path of PATHS) found.add((await call('GET', path)).status);
      return [...found];
    }"""
    turns = (requests_a_minute["watch"] + 1) // len(paths)
    work = work.replace("TURNS", str(turns)).replace("PATHS", str(paths))
    browsing.lose_access()
    assert at_once(tabs, work) == [[200]] * TABS
    assert browsing.count(200) >= TABS * requests_a_minute["watch"]
    assert (browsing.count(429), asked(tabs)) == (0, 0)


# --- A laptop that slept ---------------------------------------------------------------------------------------------


def test_a_laptop_that_slept_for_hours_goes_on(kind: str, browsing: Browsing) -> None:
    tabs = browsing.open_tabs(kind)
    browsing.lose_access()
    assert tabs[0].evaluate(WHO)["status"] == 200
    for waking in (tabs[:1], tabs):
        browsing.set_cookie("vf_access", expired(browsing.cookie("vf_access"), browsing.platform))
        let_pass(browsing.platform, TEN_HOURS)
        before = browsing.refreshes
        assert statuses(at_once(waking, WHO)) == {200}
        assert 1 <= browsing.refreshes - before <= max(1, len(waking) - 1)
    assert (asked(tabs), browsing.count(429)) == (0, 0)


def test_a_refresh_whose_answer_is_lost_is_sent_again(kind: str, browsing: Browsing) -> None:
    tab = browsing.open_tab(kind)
    lost: list[int] = []

    def lose(route: Route) -> None:
        client = Client(browsing.platform.origin)
        client.cookies["vf_refresh"] = browsing.cookie("vf_refresh")
        lost.append(client.post_json("/users/refresh/", {}).status)
        route.abort()

    tab.route("**/users/refresh/", lose, times=1)
    browsing.lose_access()
    assert tab.evaluate(WHO)["status"] == 200
    assert (lost, asked([tab])) == ([200], 0)


def test_a_tab_that_is_closed_while_it_refreshes_leaves_the_new_tokens(kind: str, browsing: Browsing) -> None:
    tab, other = browsing.open_tab(kind), browsing.open_tab(kind)
    before = browsing.cookie("vf_refresh")
    browsing.lose_access()
    with busy_database(browsing.platform):
        with tab.expect_request("**/users/refresh/"):
            tab.evaluate("() => void call('GET', '/users/me/')")
        tab.wait_for_timeout(SOON_MS)
        tab.close()
    wait_in(other, lambda: browsing.cookie("vf_refresh") != before, what="new tokens")
    let_pass(browsing.platform, A_MINUTE)
    browsing.lose_access()
    assert other.evaluate(WHO)["status"] == 200
    assert asked([other]) == 0


# --- Other sites -----------------------------------------------------------------------------------------------------


def test_a_browser_keeps_no_lax_cookie_for_a_front_end_on_another_site(
    window: BrowserContext, served: Platform, other_site: str, email: str
) -> None:
    tab = Browsing(window, served, other_site).open_tab()
    credentials = {"email": email, "password": PASSWORD}
    assert tab.evaluate("credentials => session.signIn(credentials)", credentials)["email"] == email
    assert window.cookies() == []
    assert tab.evaluate("() => session.whoAmI()") is None


@pytest.fixture
def lenient_window(chromium: Browser, tmp_path: Path) -> Iterator[BrowserContext]:
    """A window of a browser that allows third-party cookies."""
    preferences = tmp_path / "profile" / "Default" / "Preferences"
    preferences.parent.mkdir(parents=True)
    preferences.write_text('{"profile": {"cookie_controls_mode": 0}}')
    context = chromium.browser_type.launch_persistent_context(
        tmp_path / "profile", executable_path=shutil.which("chromium"), args=[*CHROMIUM_ARGS, *QUIET_ARGS]
    )
    yield context
    context.close()


def test_with_samesite_none_a_front_end_on_another_site_depends_on_the_browser(
    window: BrowserContext,
    lenient_window: BrowserContext,
    tmp_path: Path,
    prepared_database: Path,
    other_site: str,
) -> None:
    # Without TLS a browser keeps `Secure` cookies only of localhost, and the platform sets them only with DEBUG.
    cookies = {"JWT_COOKIE_SAMESITE": "None", "JWT_COOKIE_SECURE": "1", "DEBUG": "1"}
    credentials = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    with web_alone(tmp_path, prepared_database, **LIMITED, **cookies, CORS_ALLOWED_ORIGINS=other_site) as platform:
        browsing = Browsing(lenient_window, platform, other_site)
        tab = browsing.open_tab()
        assert tab.evaluate("credentials => session.signIn(credentials)", credentials)["email"] == ADMIN_EMAIL
        browsing.lose_access()
        assert tab.evaluate(WHO)["status"] == 200
        assert browsing.refreshes == 1
        tab.evaluate("() => session.signOut()")
        assert lenient_window.cookies() == []

        tab = Browsing(window, platform, other_site).open_tab()
        tab.evaluate("credentials => session.signIn(credentials)", credentials)
        assert window.cookies() == [], "private windows, and Debian's Chromium, keep no third-party cookies"


# --- A whole life, with mails ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mailbox(served: Platform) -> Mailbox:
    """The mails of the platform; from here on a worker sends them, and examines films."""
    served.start("errands", sys.executable, "manage.py", "rqworker", "default")
    return Mailbox(served.folder / "mail")


def snippet(text: str) -> str:
    """Returns the example of docs/frontend.md that contains this text."""
    found = [block for block in re.findall(r"```js\n(.*?)```", GUIDE.read_text(), re.DOTALL) if text in block]
    assert len(found) == 1, text
    return str(found[0])


def test_a_session_from_registering_to_a_forgotten_password(
    window: BrowserContext, served: Platform, front_end: str, mailbox: Mailbox
) -> None:
    browsing = Browsing(window, served, front_end)
    tab = browsing.open_tab()
    person = {"email": "ada@example.com", "password": PASSWORD, "confirm_password": PASSWORD, "name": "Ada"}
    credentials = {"email": "ada@example.com", "password": PASSWORD, "remember": True}
    sign_in_there = "credentials => session.signIn(credentials)"
    refused = "credentials => session.signIn(credentials).catch(error => error.code)"
    assert tab.evaluate("person => session.post('/users/register/', person)", person) == {"email": person["email"]}
    assert tab.evaluate(refused, credentials) == "email_not_confirmed"

    link = mailbox.link(person["email"], "Confirm your address")
    assert link.startswith(f"{front_end}/confirm?from=mail&uid=")
    confirm = f"async api => {{ {snippet('confirmAddress')} return confirmAddress(api); }}"
    tab.goto(link)
    tab.evaluate("api => begin(api, 'fetch')", served.origin)
    assert tab.evaluate(confirm, served.origin) is None
    assert tab.evaluate(confirm, served.origin).startswith("This link is not valid.")

    assert tab.evaluate(sign_in_there, credentials)["name"] == "Ada"
    assert tab.evaluate("() => session.whoAmI()")["email"] == person["email"]
    days = {cookie["name"]: (cookie["expires"] - time.time()) / 86_400 for cookie in window.cookies()}
    assert days["vf_refresh"] == pytest.approx(7, abs=0.1)
    listed = tab.evaluate("() => session.get('/users/sessions/')")["results"]
    assert [one["is_current"] for one in listed] == [True]
    tab.evaluate("() => session.signOut()")
    assert window.cookies() == []
    assert tab.evaluate("() => session.whoAmI()") is None

    tab.evaluate("email => session.post('/users/forgot-password/', {email})", person["email"])
    link = mailbox.link(person["email"], "Choose a new password")
    assert link.startswith(f"{front_end}/reset?uid=")
    tab.goto(link)
    tab.evaluate("api => begin(api, 'fetch')", served.origin)
    tab.evaluate(f"async newPassword => {{ {snippet('new_password')} }}", f"new-{PASSWORD}")
    assert tab.evaluate(refused, credentials) == "invalid_credentials"
    assert tab.evaluate(sign_in_there, credentials | {"password": f"new-{PASSWORD}"})["email"] == person["email"]


def test_an_address_is_confirmed_by_the_code_of_the_mail(
    window: BrowserContext, served: Platform, front_end: str, mailbox: Mailbox
) -> None:
    tab = Browsing(window, served, front_end).open_tab()
    person = {"email": "bo@example.com", "password": PASSWORD, "name": "Bo"}
    tab.evaluate("person => session.post('/api/v1/auth/register/', person)", person)
    code = {"email": person["email"], "otp": mailbox.code(person["email"])}
    tab.evaluate("code => session.post('/api/v1/auth/verify-email/', code)", code)
    tab.evaluate("person => session.signIn(person)", person)
    assert tab.evaluate("() => session.whoAmI()")["email_verified"] is True

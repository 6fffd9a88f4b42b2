"""Every page in real Chromium: none asks another host, breaks its own policy, or complains in the console."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.urls import Resolver404, resolve
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route

from config.urls import routes
from content_app import pages
from tests.browser.admin_pages import Office
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform

pytestmark = pytest.mark.browser

AT_ONCE = 6
# Chromium's line in the console for an answer with an error; each visit says which statuses it expects.
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")
WATCH_VIOLATIONS = """
document.addEventListener("securitypolicyviolation",
    (event) => console.error(`policy broken: ${event.violatedDirective} by ${event.blockedURI}`));
"""
# Not pages: they answer JSON or files, or act on a POST.
NO_PAGES = {"schema", "health"}
STAFF_PREFIXES = ("/admin/", "/django-rq/")
SITE_PAGES = {
    "catalogue": "/",
    "login": "/login/?confirmed=1",
    "register": "/register/",
    "forgot-password": "/forgot-password/",
    "reset-password": "/reset-password/?uid=MQ&token=made-up",
    "account": "/account/",
    "upload": "/upload/",
    "watch": "/watch/{film}/",
    "docs": "/api/docs/",
    "redoc": "/api/redoc/",
}
# Pages for errors, each with its status.
TROUBLE = {
    "/nothing/": 404,
    "/admin/nothing/": 404,
    "/users/confirm/?uid=MQ&token=made-up": 400,
    "/watch/00000000-0000-4000-8000-000000000000/": 200,
    "/reset-password/": 200,
}


class Visitor:
    """Opens pages side by side in one window; `complaints` lists what a page should not have done."""

    def __init__(self, window: BrowserContext, origin: str, *, expected: Iterable[int] = ()) -> None:
        self.window = window
        self.origin = origin
        self.expected = {str(status) for status in expected}
        self.complaints: list[str] = []
        window.add_init_script(WATCH_VIOLATIONS)
        window.route("**/*", self.let_through)

    def let_through(self, route: Route) -> None:
        if route.request.url.startswith(f"{self.origin}/"):
            route.continue_()
        else:
            self.complaints.append(f"{route.request.frame.url} asked {route.request.url}")
            route.abort()

    def listen(self, page: Page) -> Page:
        def on_console(message: ConsoleMessage) -> None:
            refused = REFUSED.match(message.text)
            if message.type in ("error", "warning") and not (refused and refused[1] in self.expected):
                self.complaints.append(f"{page.url} ({message.location.get('url')}): {message.text}")

        page.on("console", on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    def visit(self, paths: list[str]) -> Iterator[Page]:
        """Yields each page once its network is idle."""
        for start in range(0, len(paths), AT_ONCE):
            opened = [(self.listen(self.window.new_page()), path) for path in paths[start : start + AT_ONCE]]
            for page, path in opened:
                page.goto(f"{self.origin}{path}", wait_until="commit")
            for page, _ in opened:
                page.wait_for_load_state("networkidle")
                yield page
                page.close()


def view_at(path: str) -> str | None:
    try:
        return resolve(path).view_name
    except Resolver404:
        return None


def links_of(page: Page) -> list[str]:
    """Returns the paths of the pages for staff to which this page links."""
    hrefs = page.locator("a[href]").evaluate_all("links => links.map((link) => link.href)")
    parts = [urlsplit(href) for href in hrefs]
    own = urlsplit(page.url).netloc
    return [one.path for one in parts if one.netloc == own and one.path.startswith(STAFF_PREFIXES)]


@pytest.fixture
def window(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    yield context
    context.close()


def site_paths(film: str) -> list[str]:
    return [path.format(film=film) for path in SITE_PAGES.values()]


def test_the_list_of_pages_is_complete() -> None:
    known = {name for _, _, name in pages.routes} | {one.name for one in pages.urlpatterns} | {"docs", "redoc"}
    assert {name for _, _, name in routes if name in known} | {"catalogue"} == set(SITE_PAGES) == known


def test_no_page_for_strangers_asks_another_host_or_complains(
    window: BrowserContext, platform: Platform, bilingual: str
) -> None:
    visitor = Visitor(window, platform.origin, expected=(401, 404, 400))
    seen = [page.title() for page in visitor.visit([*site_paths(bilingual), *TROUBLE, "/admin/login/"])]
    assert all(seen), "every page has a title"
    assert "\n".join(visitor.complaints) == ""


def test_no_page_for_admins_asks_another_host_or_complains(
    window: BrowserContext, platform: Platform, bilingual: str
) -> None:
    """The admin site is followed from link to link, one page of each kind."""
    Office(window.new_page(), platform.origin).sign_in()
    client = platform.sign_in(ADMIN_EMAIL, ADMIN_PASSWORD)
    window.add_cookies(
        [{"name": name, "value": value, "url": platform.origin} for name, value in client.cookies.items()]
    )
    # 403: an admin may not delete the account that is signed in.
    visitor = Visitor(window, platform.origin, expected=(400, 403, 404))
    for page in visitor.visit([*site_paths(bilingual), *TROUBLE]):
        assert page.title()
    kinds: set[str | None] = {None, "admin:logout"}
    ahead = list(STAFF_PREFIXES)
    while ahead:
        fresh = {view: path for path in ahead if (view := view_at(path)) not in kinds}
        kinds |= set(fresh)
        ahead = [link for page in visitor.visit(list(fresh.values())) for link in links_of(page)]
    for model in admin.site._registry:
        assert f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" in kinds
    assert {"admin:content_app_video_add", "admin:content_app_video_change", "admin:content_app_video_history"} <= kinds
    assert "\n".join(visitor.complaints) == ""

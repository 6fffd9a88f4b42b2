"""The catalogue: searching, sorting, and what it says when it is empty or cannot be loaded."""

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.pages import Site
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform

pytestmark = pytest.mark.browser


def test_a_search_is_in_the_address_and_the_back_button_leaves_it(as_admin: Site, film: str) -> None:
    page = as_admin.page
    as_admin.open_catalogue()
    page.get_by_test_id("search").press_sequentially("BUNNY  buck", delay=20)
    expect(page).to_have_url(re.compile(r"/\?q=BUNNY\+\+buck$"))
    expect(page.get_by_role("status").filter(has_text=re.compile(r"^1 film$"))).to_have_count(1)
    expect(page.get_by_test_id("results").get_by_test_id("card")).to_have_count(1)
    page.reload()
    expect(page.get_by_test_id("search")).to_have_value("BUNNY  buck")
    expect(page.get_by_test_id("results").get_by_test_id("card")).to_have_count(1)
    page.go_back()
    expect(page).to_have_url(f"{as_admin.origin}/")
    expect(page.get_by_test_id("row").first).to_be_visible()
    expect(page.get_by_test_id("search")).to_have_value("")


def test_quick_typing_searches_once(as_admin: Site, film: str) -> None:
    page = as_admin.page
    as_admin.open_catalogue()
    page.evaluate(
        """() => {
            window.turns = 0;
            const rows = document.getElementById('rows');
            new MutationObserver(() => { window.turns += 1; }).observe(rows, {childList: true});
        }"""
    )
    page.get_by_test_id("search").evaluate(
        """(field) => {
            for (const letter of "bunny") {
                field.value += letter;
                field.dispatchEvent(new Event("input", {bubbles: true}));
            }
        }"""
    )
    expect(page.get_by_test_id("results")).to_be_visible()
    assert page.evaluate("window.turns") == 1


def test_films_are_sorted_by_title(as_admin: Site, film: str, bilingual: str) -> None:
    page = as_admin.page
    as_admin.open("/?q=bu&sort=title")
    as_admin.open("/?sort=title&q=e")
    titles = page.get_by_test_id("results").locator(".card-title")
    expect(titles.first).to_be_visible()
    shown = titles.all_inner_texts()
    assert shown == sorted(shown, key=str.lower)


def test_a_search_that_finds_nothing_says_so(as_admin: Site, film: str) -> None:
    as_admin.open("/?q=zebra")
    expect(as_admin.page.get_by_test_id("nothing-found")).to_contain_text("No film matches your search.")


def test_an_empty_catalogue_invites_users_who_may_upload(as_admin: Site) -> None:
    as_admin.page.route("**/content/", lambda route: route.fulfill(json=[]))
    as_admin.open_catalogue()
    expect(as_admin.page.get_by_test_id("empty")).to_contain_text("No films yet")
    expect(as_admin.page.get_by_role("link", name="Upload the first film")).to_be_visible()


def test_a_catalogue_that_fails_to_load_can_be_requested_again(as_admin: Site, film: str) -> None:
    page = as_admin.page
    page.route("**/content/", lambda route: route.fulfill(status=503, json={"detail": "The storage is away."}))
    as_admin.open("/")
    expect(page.get_by_test_id("problem")).to_contain_text("The storage is away.")
    page.unroute("**/content/")
    page.get_by_role("button", name="Try again").click()
    expect(as_admin.card(film)).to_be_visible()


def test_the_catalogue_loads_by_itself_when_the_connection_is_back(
    as_admin: Site, film: str, window: BrowserContext
) -> None:
    page = as_admin.page
    page.route("**/content/", lambda route: route.abort())
    as_admin.open("/")
    expect(page.get_by_test_id("problem")).to_be_visible()
    window.set_offline(True)
    expect(page.get_by_test_id("connection")).to_contain_text("You are offline")
    page.unroute("**/content/")
    window.set_offline(False)
    expect(as_admin.card(film)).to_be_visible()


def test_a_picture_that_fails_to_load_leaves_an_icon(as_admin: Site, film: str) -> None:
    page = as_admin.page
    page.route("**/media/posters/**", lambda route: route.abort())
    as_admin.open_catalogue()
    expect(as_admin.picture(film)).to_be_hidden()
    expect(as_admin.card(film).locator(".poster .icon")).to_be_visible()


def test_a_phone_never_scrolls_the_page_sideways(phone: BrowserContext, platform: Platform, film: str) -> None:
    site = Site(phone.new_page(), platform.origin)
    site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    site.open_catalogue()
    assert site.page.evaluate("document.documentElement.scrollWidth") == 390

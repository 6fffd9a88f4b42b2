"""The pages of a site whose accounts are in a user pool: they say what is done in the pool, and offer the rest."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.pages import Site
from tests.cognito import Pool, make_pool, running_cognito
from tests.services import Platform, web_alone

pytestmark = pytest.mark.browser

EMAIL, PASSWORD = "ida@example.com", "A-long-Password-1"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with running_cognito() as cognito:
        yield make_pool(cognito)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, prepared_database: Path, pool: Pool) -> Iterator[Platform]:
    with web_alone(tmp_path_factory.mktemp("pooled"), prepared_database, **pool.environment) as platform:
        yield platform


def test_a_person_registers_with_a_code_signs_in_and_has_an_account_page(site: Site, pool: Pool) -> None:
    site.open("/register/")
    page = site.page
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_test_id("register").click()
    expect(page.get_by_test_id("registered")).to_contain_text(f"we have sent a code to {EMAIL}")
    page.get_by_label("Type the 6-digit code from the mail").fill("123 456")
    page.get_by_test_id("confirm-code").click()
    expect(page.get_by_test_id("login-form")).to_be_visible()
    pool.verify(EMAIL)
    site.sign_in(email=EMAIL, password=PASSWORD)

    site.open("/account/")
    expect(page.get_by_test_id("account")).to_have_attribute("data-state", "ready")
    expect(page.get_by_test_id("kept-elsewhere")).to_contain_text(EMAIL)
    for test_id in ("email-form", "password-form", "sessions", "delete"):
        expect(page.get_by_test_id(test_id)).to_have_count(0)
    page.get_by_label("Name").fill("Ida")
    page.get_by_test_id("save-profile").click()
    expect(page.get_by_test_id("profile-done")).to_have_text("Saved.")
    assert not [found["id"] for found in Axe().run(page).response["violations"]]
    site.sign_out()


@pytest.mark.parametrize("path", ["/forgot-password/", "/reset-password/?uid=x&token=y"])
def test_the_pages_for_a_password_say_where_it_is_chosen(path: str, site: Site) -> None:
    site.open("/login/")
    expect(site.page.get_by_text("Forgot your password?")).to_have_count(0)
    site.open(path)
    kept_elsewhere = site.page.get_by_test_id("kept-elsewhere")
    expect(kept_elsewhere).to_contain_text("Choose a new password on the provider’s own page")


def test_a_wrong_password_shows_the_usual_problem(site: Site) -> None:
    site.open("/login/")
    site.page.get_by_label("E-mail address").fill("nobody@example.com")
    site.page.get_by_label("Password", exact=True).fill("wrong")
    site.page.get_by_test_id("sign-in").click()
    expect(site.page.get_by_test_id("login-problem")).to_be_visible()

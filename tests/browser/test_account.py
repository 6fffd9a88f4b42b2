"""Accounts in real Chromium, from registration to deletion, with their mails."""

import email
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.browser.pages import Site
from tests.browser.test_budget import Visit
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform, wait_for

pytestmark = pytest.mark.browser

PASSWORD = "a-long-password-for-members"
NEW_PASSWORD = "another-long-password-for-members"
MAIL_END = b"-" * 79 + b"\n"
ADD_PERSON = """
from users_app.models import User
User.objects.create_user("{email}", "{password}", name="Member", email_verified=True)
"""
TOO_OFTEN = "That was too often. Try again in a minute."
NUMBERS = itertools.count(1)
LEAST_TARGET_PX = 40
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


# --- Mails -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mailbox:
    """The mails of the platform, which it writes to files."""

    folder: Path

    def mails(self, to: str, subject: str) -> list[EmailMessage]:
        """Returns complete mails, oldest first. Two mails that are sent within a second may share a file."""
        files = sorted(self.folder.glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
        whole = [content for path in files for content in path.read_bytes().split(MAIL_END)[:-1]]
        mails = [email.message_from_bytes(content, policy=default) for content in whole]
        return [mail for mail in mails if mail["To"] == to and mail["Subject"] == subject]

    def newest(self, to: str, subject: str, *, count: int = 1) -> str:
        """Waits for this number of mails. Returns the text of the newest."""
        mails = wait_for(
            lambda: found if len(found := self.mails(to, subject)) >= count else None, what=f"“{subject}” to {to}"
        )
        assert mails
        body = mails[-1].get_body(("plain",))
        assert body
        return str(body.get_content())

    def link(self, to: str, subject: str) -> str:
        found = re.search(r"http\S+token=\S+", self.newest(to, subject))
        assert found
        return found[0]

    def code(self, to: str, *, count: int = 1) -> str:
        found = re.search(r"\b\d{6}\b", self.newest(to, "Confirm your address", count=count))
        assert found
        return found[0]


@pytest.fixture
def mailbox(errands: Platform) -> Mailbox:
    return Mailbox(errands.folder / "mail")


# --- People ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def member(platform: Platform) -> str:
    """The address of a member who exists for this test alone."""
    address = f"m{next(NUMBERS)}@example.com"
    added = platform.manage("shell", "-c", ADD_PERSON.format(email=address, password=PASSWORD))
    assert added.returncode == 0, added.stderr
    return address


@pytest.fixture
def as_member(site: Site, member: str) -> Site:
    site.be(member, PASSWORD)
    return site


@pytest.fixture
def elsewhere(chromium: Browser, platform: Platform) -> Iterator[Site]:
    """The site on another device."""
    context = chromium.new_context()
    yield Site(context.new_page(), platform.origin)
    context.close()


def open_account(site: Site) -> Page:
    site.open("/account/")
    expect(site.page.get_by_test_id("account")).to_have_attribute("data-state", "ready")
    return site.page


def is_signed_in(site: Site) -> bool:
    return bool(site.page.request.get(f"{site.origin}/api/v1/auth/me/").ok)


def problem(scope: Page | Locator, field: str) -> Locator:
    return scope.locator(f'[data-problem="{field}"]')


def sessions(page: Page) -> Locator:
    return page.get_by_test_id("session")


# --- The whole life --------------------------------------------------------------------------------------------------


def register(site: Site, address: str, *, name: str = "") -> None:
    site.open("/register/")
    page = site.page
    page.get_by_label("Name (optional)").fill(name)
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_test_id("register").click()
    expect(page.get_by_test_id("registered")).to_contain_text(f"we have sent a link to {address}. It works for a day.")


def edit_profile(page: Page) -> None:
    form = page.get_by_test_id("profile-form")
    form.get_by_label("Name").fill("Ada Lovelace")
    form.get_by_label("Phone").fill("+44 20 7946 0000")
    form.get_by_label("Postal address").fill("12 St James's Square\nLondon")
    page.get_by_test_id("save-profile").click()
    expect(page.get_by_test_id("profile-done")).to_have_text("Saved.")
    expect(page.get_by_test_id("person")).to_have_accessible_name("Your account Ada Lovelace")
    page.reload()
    expect(form.get_by_label("Name")).to_have_value("Ada Lovelace")
    expect(form.get_by_label("Postal address")).to_have_value("12 St James's Square\nLondon")


def change_password(page: Page, current: str, new: str) -> None:
    form = page.get_by_test_id("password-form")
    form.get_by_label("Current password").fill(current)
    form.get_by_label("New password", exact=True).fill(new)
    form.get_by_label("New password again").fill(new)
    page.get_by_test_id("change-password").click()


def change_address(page: Page, new: str, password: str) -> None:
    form = page.get_by_test_id("email-form")
    form.get_by_label("New e-mail address").fill(new)
    form.get_by_label("Your password").fill(password)
    page.get_by_test_id("change-email").click()


def export(page: Page) -> str:
    with page.expect_download() as download:
        page.get_by_test_id("export").click()
    expect(page.get_by_test_id("export-done")).to_have_text("Downloaded.")
    return download.value.path().read_text()


def delete_account(page: Page, password: str) -> None:
    page.get_by_test_id("delete").click()
    page.get_by_test_id("leave").get_by_label("Your password").fill(password)
    page.get_by_test_id("delete-now").click()


def test_an_account_lives_from_its_registration_to_its_end(site: Site, elsewhere: Site, mailbox: Mailbox) -> None:
    first, second = "ada@example.com", "ada.lovelace@example.com"
    register(site, first, name="Ada")
    site.page.goto(mailbox.link(first, "Confirm your address"))
    expect(site.page.get_by_test_id("login-note")).to_have_text("Your address is confirmed. Sign in to watch.")
    site.sign_in(email=first, password=PASSWORD)
    page = open_account(site)
    edit_profile(page)

    elsewhere.be(first, PASSWORD)
    change_password(page, PASSWORD, NEW_PASSWORD)
    expect(page.get_by_test_id("password-done")).to_contain_text("Your password has been changed.")
    assert is_signed_in(site)
    assert not is_signed_in(elsewhere)
    assert mailbox.newest(first, "Your password was changed")

    change_address(page, second, NEW_PASSWORD)
    expect(page.get_by_test_id("email-done")).to_contain_text(f"We have sent a link to {second}.")
    expect(page.get_by_test_id("email-now")).to_have_text(first)
    page.goto(mailbox.link(second, "Confirm your new address"))
    expect(page).to_have_url(f"{site.origin}/account/")
    expect(page.get_by_test_id("account-note")).to_contain_text("Your new address is confirmed.")
    expect(page.get_by_test_id("email-now")).to_have_text(second)

    expect(sessions(page)).to_have_count(1)
    expect(sessions(page)).to_contain_text("This device")
    account = json.loads(export(page))["account"]
    assert (account["email"], account["name"]) == (second, "Ada Lovelace")

    delete_account(page, NEW_PASSWORD)
    expect(page.get_by_test_id("login-note")).to_have_text("Your account has been deleted.")
    assert not is_signed_in(site)
    page.get_by_label("E-mail address").fill(second)
    page.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_test_id("login-problem")).to_be_visible()


# --- Registering -----------------------------------------------------------------------------------------------------


def test_each_missing_field_has_its_problem_beside_it(site: Site) -> None:
    site.open("/login/")
    site.page.get_by_role("link", name="Create an account").click()
    site.page.get_by_test_id("register").click()
    expect(problem(site.page, "email")).to_contain_text("like name@example.com")
    expect(problem(site.page, "password")).to_have_text("Choose a password.")
    expect(problem(site.page, "name")).to_be_hidden()
    expect(site.page.get_by_label("E-mail address")).to_be_focused()
    site.page.keyboard.type("a")
    expect(problem(site.page, "email")).to_be_hidden()


def test_a_refusal_of_the_server_is_shown_beside_its_field(site: Site) -> None:
    site.open("/register/")
    site.page.get_by_label("E-mail address").fill("digits@example.com")
    site.page.get_by_label("Password", exact=True).fill("48151623")
    site.page.get_by_label("Password again").fill("48151624")
    site.page.get_by_test_id("register").click()
    expect(problem(site.page, "confirm_password")).to_have_text("The two passwords do not match.")
    site.page.get_by_label("Password again").fill("48151623")
    site.page.get_by_test_id("register").click()
    expect(problem(site.page, "password")).to_contain_text("numeric")
    expect(site.page.get_by_label("Password", exact=True)).to_be_focused()


def test_passwords_are_shown_on_request(site: Site) -> None:
    site.open("/register/")
    site.page.get_by_role("button", name="Show").click()
    expect(site.page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    expect(site.page.get_by_label("Password again")).to_have_attribute("type", "text")
    site.page.get_by_role("button", name="Hide").click()
    expect(site.page.get_by_label("Password", exact=True)).to_have_attribute("type", "password")


def test_the_code_of_the_newest_mail_confirms_as_well(site: Site, mailbox: Mailbox) -> None:
    address = "grace@example.com"
    register(site, address)
    first = mailbox.code(address)
    site.page.get_by_test_id("send-again").click()
    expect(site.page.get_by_test_id("sent-again")).to_contain_text("Sent again.")
    code = mailbox.code(address, count=2)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for number in (first if first != code else wrong, wrong):
        site.page.get_by_label("6-digit code").fill(number)
        site.page.get_by_test_id("confirm-code").click()
        expect(site.page.get_by_test_id("code-problem")).to_contain_text("This code is wrong or has expired.")
    site.page.get_by_label("6-digit code").fill(f" {code[:3]} {code[3:]}")
    site.page.get_by_test_id("confirm-code").click()
    expect(site.page.get_by_test_id("sign-out")).to_be_visible()  # without signing in once more


def test_registering_goes_on_after_a_reload(site: Site, mailbox: Mailbox) -> None:
    address, page = "reloaded@example.com", site.page
    site.open("/register/")
    page.get_by_label("Name (optional)").fill("Grace")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.reload()
    expect(page.get_by_label("Name (optional)")).to_have_value("Grace")
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    expect(page.get_by_label("Password", exact=True)).to_have_value("")

    register(site, address)
    page.reload()
    expect(page.get_by_test_id("registered")).to_contain_text(address)
    mailbox.code(address)
    page.get_by_test_id("send-again").click()
    expect(page.get_by_test_id("sent-again")).to_contain_text("Sent again.")
    page.get_by_label("6-digit code").fill(mailbox.code(address, count=2))
    page.get_by_test_id("confirm-code").click()
    expect(page.get_by_test_id("login-note")).to_contain_text("Your address is confirmed.")
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    assert PASSWORD not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")


def test_another_address_is_registered_after_a_reload_too(site: Site) -> None:
    register(site, "first@example.com")
    site.page.get_by_test_id("other-address").click()
    site.page.reload()
    expect(site.page.get_by_test_id("register-form")).to_be_visible()
    expect(site.page.get_by_label("E-mail address")).to_have_value("first@example.com")


def test_a_link_that_confirms_in_a_tab_of_its_own_knows_the_address(site: Site, mailbox: Mailbox) -> None:
    address = "tab@example.com"
    register(site, address)
    tab = site.page.context.new_page()
    tab.goto(mailbox.link(address, "Confirm your address"))
    expect(tab.get_by_label("E-mail address")).to_have_value(address)
    expect(tab.get_by_label("Password", exact=True)).to_be_focused()
    tab.keyboard.type(PASSWORD)
    tab.keyboard.press("Enter")
    expect(tab.get_by_test_id("sign-out")).to_be_visible()


def try_to_sign_in(page: Page, address: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_test_id("sign-in").click()


def test_signing_in_before_confirming_says_so_and_sends_the_mail_again(site: Site, mailbox: Mailbox) -> None:
    address, page = "hasty@example.com", site.page
    register(site, address)
    mailbox.code(address)
    site.open("/login/")
    try_to_sign_in(page, address, "wrong")
    expect(page.get_by_test_id("login-problem")).to_contain_text("is wrong")
    expect(page.get_by_test_id("unconfirmed")).to_be_hidden()
    try_to_sign_in(page, address, PASSWORD)
    expect(page.get_by_test_id("login-problem")).to_contain_text("not confirmed yet")
    page.get_by_test_id("send-mail").click()
    expect(page.get_by_test_id("mail-sent")).to_contain_text("A new mail is on its way.")
    code = mailbox.code(address, count=2)
    page.get_by_role("link", name="Enter the code").click()
    expect(page.get_by_test_id("registered")).to_contain_text(address)
    page.get_by_label("6-digit code").fill(code)
    page.get_by_test_id("confirm-code").click()
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    try_to_sign_in(page, address, PASSWORD)
    expect(page.get_by_test_id("sign-out")).to_be_visible()


def test_too_many_mails_show_the_sentence_of_the_answer_on_the_sign_in_page(site: Site) -> None:
    address = "eager@example.com"
    register(site, address)
    site.open("/login/")
    try_to_sign_in(site.page, address, PASSWORD)
    site.page.route("**/users/forgot-password/", refuse_for_a_minute)
    site.page.get_by_test_id("send-mail").click()
    expect(site.page.get_by_test_id("unconfirmed").get_by_role("alert")).to_have_text(TOO_OFTEN)


def test_a_mistyped_address_can_be_corrected(site: Site) -> None:
    register(site, "htis@example.com", name="This")
    site.page.get_by_label("6-digit code").fill("12345")
    site.page.get_by_test_id("confirm-code").click()
    expect(problem(site.page, "otp")).to_have_text("The code has six digits.")
    site.page.get_by_test_id("other-address").click()
    expect(site.page.get_by_label("E-mail address")).to_be_focused()
    expect(site.page.get_by_label("Name (optional)")).to_have_value("This")


def test_a_taken_address_looks_free_and_its_owner_gets_a_mail(site: Site, member: str, mailbox: Mailbox) -> None:
    register(site, member)
    assert "it already has an account there" in mailbox.newest(member, "You already have an account")


def refuse_for_a_minute(route: Route) -> None:
    route.fulfill(status=429, json={"detail": TOO_OFTEN, "code": "throttled"}, headers={"Retry-After": "60"})


def test_too_many_attempts_show_the_sentence_of_the_answer(site: Site) -> None:
    register(site, "often@example.com")
    site.page.route("**/users/register/", refuse_for_a_minute)
    site.page.get_by_test_id("send-again").click()
    expect(site.page.get_by_test_id("not-sent-again")).to_have_text(TOO_OFTEN)

    site.page.route("**/users/forgot-password/", refuse_for_a_minute)
    site.open("/forgot-password/")
    site.page.get_by_label("E-mail address").fill(ADMIN_EMAIL)
    site.page.get_by_test_id("send-link").click()
    expect(site.page.get_by_test_id("forgot-problem")).to_have_text(TOO_OFTEN)


# --- A forgotten password --------------------------------------------------------------------------------------------


def ask_for_link(site: Site, address: str) -> str:
    """Asks for a link to a new password. Returns what the page says."""
    site.open("/login/")
    site.page.get_by_role("link", name="Forgot your password?").click()
    site.page.get_by_label("E-mail address").fill(address)
    site.page.get_by_test_id("send-link").click()
    expect(site.page.get_by_test_id("link-sent")).not_to_be_empty()
    return site.page.get_by_test_id("link-sent").inner_text()


def choose_password(page: Page, new: str) -> None:
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password again").fill(new)
    page.get_by_test_id("reset").click()


def test_a_forgotten_password_is_replaced_once(site: Site, elsewhere: Site, member: str, mailbox: Mailbox) -> None:
    elsewhere.be(member, PASSWORD)
    said = ask_for_link(site, member)
    assert ask_for_link(site, "nobody@example.com") == said.replace(member, "nobody@example.com")

    link = mailbox.link(member, "Choose a new password")
    site.page.goto(link)
    expect(site.page).to_have_url(f"{site.origin}/reset-password/")
    choose_password(site.page, "12345678")
    expect(problem(site.page, "new_password")).to_contain_text("common")
    choose_password(site.page, NEW_PASSWORD)
    expect(site.page.get_by_test_id("login-note")).to_contain_text("Your password has been changed.")
    assert not is_signed_in(elsewhere)
    site.sign_in(email=member, password=NEW_PASSWORD)

    elsewhere.page.goto(link)
    choose_password(elsewhere.page, PASSWORD)
    expect(elsewhere.page.get_by_test_id("invalid-link")).to_be_visible()


def test_the_address_is_typed_once_for_signing_in_and_for_a_new_password(site: Site) -> None:
    site.open("/login/")
    site.page.get_by_label("E-mail address").fill("forgetful@example.com")
    site.page.get_by_role("link", name="Forgot your password?").click()
    expect(site.page.get_by_label("E-mail address")).to_have_value("forgetful@example.com")
    site.page.get_by_role("link", name="Back to sign-in").click()
    expect(site.page.get_by_label("E-mail address")).to_have_value("forgetful@example.com")


@pytest.mark.parametrize("query", ["", "?uid=MQ", "?uid=MQ&token=made-up", f"?uid={'M' * 60}&token=made-up"])
def test_an_invalid_link_leads_to_the_form_for_a_new_one(site: Site, query: str) -> None:
    site.open(f"/reset-password/{query}")
    if "token" in query:
        choose_password(site.page, NEW_PASSWORD)
    expect(site.page.get_by_role("heading", name="This link does not work")).to_be_focused()
    site.page.get_by_role("link", name="Send me a new link").click()
    expect(site.page.get_by_test_id("forgot-form")).to_be_visible()


# --- The account page ------------------------------------------------------------------------------------------------


def test_a_stranger_signs_in_first(site: Site) -> None:
    site.open("/account/")
    expect(site.page.get_by_test_id("login-form")).to_be_visible()
    site.sign_in(email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    expect(site.page).to_have_url(f"{site.origin}/account/")


def test_the_header_leads_to_the_account(as_admin: Site) -> None:
    as_admin.open_catalogue()
    as_admin.page.get_by_test_id("person").click()
    expect(as_admin.page.get_by_test_id("account")).to_have_attribute("data-state", "ready")


def test_a_wrong_password_changes_nothing(as_member: Site) -> None:
    page = open_account(as_member)
    change_password(page, "wrong", NEW_PASSWORD)
    expect(problem(page, "current_password")).to_have_text("This is not your password.")
    expect(page.get_by_label("Current password")).to_be_focused()
    change_address(page, "else@example.com", "wrong")
    expect(problem(page.get_by_test_id("email-form"), "password")).to_have_text("This is not your password.")
    change_password(page, PASSWORD, "short")
    expect(problem(page, "new_password")).to_contain_text("too short")


def test_devices_are_signed_out_one_by_one_and_all_others(
    as_member: Site, elsewhere: Site, chromium: Browser, member: str
) -> None:
    elsewhere.be(member, PASSWORD)
    page = open_account(as_member)
    expect(sessions(page)).to_have_count(2)
    expect(sessions(page).first).to_contain_text("This device")
    sessions(page).nth(1).get_by_role("button").click()
    expect(page.get_by_test_id("sessions-done")).to_contain_text("Signed out:")
    expect(page.get_by_role("heading", name="Where you are signed in")).to_be_focused()
    expect(page.get_by_test_id("end-others")).to_be_hidden()
    assert not is_signed_in(elsewhere)

    elsewhere.be(member, PASSWORD)
    page.reload()
    page.get_by_test_id("end-others").click()
    expect(page.get_by_test_id("sessions-done")).to_have_text("Signed out on one other device.")
    expect(sessions(page)).to_have_count(1)
    assert not is_signed_in(elsewhere)
    assert is_signed_in(as_member)


@pytest.mark.parametrize("way", ["end-all", "this device"])
def test_signing_out_here_leads_to_the_sign_in_page(as_member: Site, way: str) -> None:
    page = open_account(as_member)
    button = page.get_by_test_id("end-all") if way == "end-all" else sessions(page).get_by_role("button")
    button.click()
    expect(page.get_by_test_id("login-form")).to_be_visible()
    assert not is_signed_in(as_member)


def test_every_page_of_devices_is_shown(as_member: Site, member: str) -> None:
    first = {"device": "Firefox on Linux", "address": "203.0.113.7", "is_current": False, "is_remembered": True}
    times = {"created_at": "2020-01-01T00:00:00Z", "last_used_at": "2020-01-01T00:00:00Z"}

    def tell(route: Route) -> None:
        is_second = "cursor=2" in route.request.url
        device = {**first, **times, "id": f"00000000-0000-4000-8000-00000000000{int(is_second)}"}
        further = None if is_second else "http://elsewhere.example/api/v1/auth/sessions/?cursor=2"
        route.fulfill(json={"next": further, "previous": None, "results": [device]})

    as_member.page.route("**/api/v1/auth/sessions/**", tell)
    page = open_account(as_member)
    expect(sessions(page)).to_have_count(2)
    expect(sessions(page).first).to_contain_text(
        re.compile(r"203\.0\.113\.7 · last used \d+ years ago · stays signed in")
    )


# --- Leaving ---------------------------------------------------------------------------------------------------------


def test_the_keyboard_alone_keeps_and_deletes(as_member: Site) -> None:
    page = open_account(as_member)
    page.get_by_test_id("delete").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Delete your account?")
    expect(dialog.get_by_label("Your password")).to_be_focused()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(problem(dialog, "password")).to_have_text("This is not your password.")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_test_id("delete")).to_be_focused()

    page.keyboard.press("Enter")
    expect(problem(dialog, "password")).to_be_hidden()
    expect(dialog.get_by_label("Your password")).to_have_value("")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("delete-now")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("login-note")).to_have_text("Your account has been deleted.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Goodbye")
    expect(page.get_by_test_id("login-form")).to_contain_text("An admin can bring back the films you uploaded.")


def test_the_last_admin_has_to_stay(as_admin: Site) -> None:
    page = open_account(as_admin)
    delete_account(page, ADMIN_PASSWORD)
    expect(page.get_by_test_id("leave").get_by_role("alert")).to_contain_text("last active admin")
    page.get_by_test_id("delete-not").click()
    expect(page.get_by_test_id("leave")).to_be_hidden()


# --- Small screens ---------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True)
    yield context
    context.close()


@pytest.mark.parametrize("path", ["/", "/account/", "/upload/"])
def test_the_header_fits_the_narrowest_phone(tiny: BrowserContext, platform: Platform, path: str) -> None:
    site = Site(tiny.new_page(), platform.origin)
    site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    site.open(path)
    site.page.wait_for_load_state("networkidle")
    for name in ("nav-upload", "person", "sign-out"):
        control = site.page.get_by_test_id(name)
        expect(control).to_be_in_viewport(ratio=1)
        box = control.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= LEAST_TARGET_PX
    assert site.page.evaluate(OVERFLOW) == 0


@pytest.mark.parametrize("path", ["/login/", "/register/", "/forgot-password/", "/reset-password/?uid=a&token=b"])
def test_pages_for_strangers_fit_the_narrowest_phone(tiny: BrowserContext, platform: Platform, path: str) -> None:
    site = Site(tiny.new_page(), platform.origin)
    site.open(path)
    assert site.page.evaluate(OVERFLOW) == 0


# --- Their weight ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/register/", "/forgot-password/", "/reset-password/?uid=a&token=b", "/account/"])
def test_the_pages_of_accounts_take_few_bytes_and_do_not_shift(as_admin: Site, path: str) -> None:
    visit = Visit(as_admin)
    visit.watch()
    visit.open(path)
    visit.check()
    visit.check_bytes()

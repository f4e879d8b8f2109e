"""The test client that looks at every page it opens.  A page that breaks a house rule fails the test that opened it."""

from collections import Counter

import html5lib
from bs4 import BeautifulSoup, Tag
from flask import g
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

LANGUAGES = {"zh-CN", "en"}
NEEDS_NO_LABEL = {"hidden", "submit", "button", "reset", "image"}
REFERENCES = ("aria-describedby", "aria-labelledby", "aria-controls", "for")


class PageFault(AssertionError):
    """A page is not as every page has to be."""


class InspectingClient(FlaskClient):
    """Checks each HTML answer; a test that opens a page on purpose in another shape asks `inspect=False`."""

    rows_of_the_test: Session | None = None

    def open(self, *args, inspect: bool = True, **kwargs):
        if self.rows_of_the_test is not None:
            self.rows_of_the_test.commit()
        response = super().open(*args, **kwargs)
        if self.rows_of_the_test is not None:
            self.rows_of_the_test.expire_all()
        if inspect and response.mimetype == "text/html" and not 300 <= response.status_code < 400:
            where = f"{response.request.method} {response.request.path} ({response.status_code})"
            text = response.get_data(as_text=True)
            part = response.request.headers.get("HX-Request") == "true" and "<html" not in text
            faults = faults_of(text, part=part)
            if faults:
                raise PageFault("\n  ".join([where, *faults]))
        return response


def refuse_unsaved_work(_fault) -> None:
    """At the end of a request: whatever a view changed after the commit would be lost without a word."""
    session = g.get("session")
    if session is not None and not g.get("spoiled") and (session.new or session.dirty or session.deleted):
        raise PageFault(f"unsaved: {[*session.new, *session.dirty, *session.deleted]}")


def faults_of(text: str, *, part: bool = False) -> list[str]:
    """What is wrong with a page, or with the `part` of a page that htmx asked for."""
    faults = list(invalid_html(text, part=part))
    page = BeautifulSoup(text, "html5lib")
    if not part:
        faults += frame_faults(page)
    faults += id_faults(page, part=part) + label_faults(page) + inline_faults(page) + dead_ends(page)
    return faults


def invalid_html(text: str, *, part: bool = False):
    parser = html5lib.HTMLParser()
    (parser.parseFragment if part else parser.parse)(text)
    lines = text.splitlines()
    for (line, _column), code, details in parser.errors:
        message = html5lib.constants.E.get(code, code) % details
        yield f"HTML, line {line}: {message}  {lines[line - 1].strip()[:100] if line <= len(lines) else ''}"


def frame_faults(page: BeautifulSoup) -> list[str]:
    faults = []
    if page.html.get("lang") not in LANGUAGES:
        faults.append(f"<html lang> is {page.html.get('lang')!r}")
    headings = page.find_all("h1")
    if len(headings) != 1:
        return [*faults, f"{len(headings)} h1 elements instead of one"]
    heading, title = words(headings[0]), words(page.title) if page.title else ""
    if not heading:
        faults.append("the h1 is empty")
    if not title.startswith(heading):
        faults.append(f"the title {title!r} does not begin with the h1 {heading!r}")
    if page.find("main") is None:
        faults.append("no <main>")
    return faults


def words(element: Tag) -> str:
    return " ".join(element.get_text(" ").split())


def id_faults(page: BeautifulSoup, *, part: bool = False) -> list[str]:
    counts = Counter(element["id"] for element in page.find_all(id=True))
    faults = [f"id {name!r} stands {count} times" for name, count in counts.items() if count > 1]
    if part:
        return faults
    for attribute in REFERENCES:
        for element in page.find_all(attrs={attribute: True}):
            missing = [name for name in str(element[attribute]).split() if name not in counts]
            faults += [f"<{element.name} {attribute}> points at {name!r}, which is not there" for name in missing]
    return faults


def label_faults(page: BeautifulSoup) -> list[str]:
    labelled = {label["for"] for label in page.find_all("label") if label.get("for") and words(label)}
    faults = []
    for field in page.find_all(["input", "select", "textarea"]):
        if field.name == "input" and field.get("type", "text") in NEEDS_NO_LABEL:
            continue
        if field.get("id") in labelled or field.get("aria-label") or field.get("aria-labelledby"):
            continue
        wrapping = field.find_parent("label")
        if wrapping is None or not words(wrapping):
            faults.append(f"<{field.name} name={field.get('name')!r}> has no label")
    for button in page.find_all("button"):
        if not (words(button) or button.get("aria-label")):
            faults.append(f"an empty button: {str(button)[:80]}")
    return faults


def inline_faults(page: BeautifulSoup) -> list[str]:
    """What the content security policy would block."""
    faults = [f"inline <script>: {str(script)[:80]}" for script in page.find_all("script") if not script.get("src")]
    faults += [f"inline <style>: {str(style)[:80]}" for style in page.find_all("style")]
    for element in page.find_all(True):
        forbidden = [name for name in element.attrs if name == "style" or name.startswith("on")]
        faults += [f"<{element.name} {name}=…> is inline" for name in forbidden]
    return faults


def dead_ends(page: BeautifulSoup) -> list[str]:
    faults = [f"a link without words: {str(link)[:80]}" for link in page.find_all("a", href=True) if unnamed(link)]
    faults += [f"a link to nowhere: {str(link)[:80]}" for link in page.find_all("a", href=["", "#"])]
    faults += [f"an image without alt: {str(image)[:80]}" for image in page.find_all("img", alt=False)]
    for form in page.find_all("form"):
        posts = form.get("method", "get").lower() == "post"
        if posts and form.find("input", attrs={"name": "csrf_token"}) is None:
            faults.append(f"a form without csrf_token: {form.get('action') or 'this page'}")
    return faults


def unnamed(link: Tag) -> bool:
    return not (words(link) or link.get("aria-label") or link.find("img", alt=True) or link.find("svg", role="img"))

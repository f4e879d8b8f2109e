"""The test client that checks every page it opens (ADR 5)."""

import hashlib
import re
from collections import Counter

import html5lib
import lxml.html
from flask import g
from flask.testing import FlaskClient
from lxml.html import HtmlElement as Element
from sqlalchemy.orm import Session

LANGUAGES = {"zh-CN", "en"}
NEEDS_NO_LABEL = {"hidden", "submit", "button", "reset", "image"}
FRESH = re.compile(r'(<input type="hidden" name="(?:csrf_token|idempotency_key)" value=")[\w=-]*(?=">)')
"""What differs in two answers with one and the same page: the hidden values that each answer gets anew."""

REFERENCES = ("aria-describedby", "aria-labelledby", "aria-controls", "for", "form")


class PageFault(AssertionError):
    """A page breaks a rule of all pages."""


class InspectingClient(FlaskClient):
    """Checks each HTML response; `inspect=False` skips the check."""

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
            faults = _faults_of_answer(text, part=part)
            if faults:
                raise PageFault("\n  ".join([where, *faults]))
        return response


def refuse_unsaved_work(_fault) -> None:
    """Fail if a view changed objects after the commit, because these changes would be lost."""
    session = g.get("session")
    if session is not None and not g.get("rollback_only") and (session.new or session.dirty or session.deleted):
        raise PageFault(f"unsaved: {[*session.new, *session.dirty, *session.deleted]}")


_inspected: dict[bytes, list[str]] = {}
"""The faults of each page that was inspected, by a digest of its text: most pages of a file of tests are opened many times."""


def _faults_of_answer(text: str, *, part: bool) -> list[str]:
    """`faults_of`; a page that was inspected before, and comes again with other tokens, has the faults that it had."""
    without_tokens = FRESH.sub(r"\1", text)
    digest = hashlib.sha256(f"{part} {without_tokens}".encode()).digest()
    if digest not in _inspected:
        _inspected[digest] = faults_of(text, part=part)
    return _inspected[digest]


def faults_of(text: str, *, part: bool = False) -> list[str]:
    """Faults of a page, or of the `part` of a page for htmx."""
    roots = lxml.html.fragments_fromstring(text, no_leading_text=False) if part else [lxml.html.fromstring(text)]
    page = [each for root in roots if not isinstance(root, str) for each in root.iter() if isinstance(each.tag, str)]
    faults = list(invalid_html(text, part=part))
    if not part:
        faults += frame_faults(page)
    return faults + id_faults(page, part=part) + label_faults(page) + inline_faults(page) + dead_ends(page)


def invalid_html(text: str, *, part: bool = False):
    """Errors of the HTML standard's parser, which a browser would correct silently."""
    parser = html5lib.HTMLParser()
    (parser.parseFragment if part else parser.parse)(text)
    lines = text.splitlines()
    for (line, _column), code, details in parser.errors:
        message = html5lib.constants.E.get(code, code) % details
        yield f"HTML, line {line}: {message}  {lines[line - 1].strip()[:100] if line <= len(lines) else ''}"


def named(page: list[Element], *tags: str) -> list[Element]:
    return [element for element in page if element.tag in tags]


def words(element: Element) -> str:
    return " ".join(" ".join(element.itertext("*")).split())


def shown(element: Element) -> str:
    """How a fault names the element."""
    attributes = "".join(f' {name}="{value}"' for name, value in element.attrib.items())
    return f"<{element.tag}{attributes}>"[:80]


def frame_faults(page: list[Element]) -> list[str]:
    faults = []
    language = page[0].get("lang")
    if language not in LANGUAGES:
        faults.append(f"<html lang> is {language!r}")
    headings, titles = named(page, "h1"), named(page, "title")
    if len(headings) != 1:
        return [*faults, f"{len(headings)} h1 elements instead of one"]
    heading, title = words(headings[0]), words(titles[0]) if titles else ""
    if not heading:
        faults.append("the h1 is empty")
    if not title.startswith(heading):
        faults.append(f"the title {title!r} does not begin with the h1 {heading!r}")
    if not named(page, "main"):
        faults.append("no <main>")
    return faults


def id_faults(page: list[Element], *, part: bool = False) -> list[str]:
    counts = Counter(element.get("id") for element in page if element.get("id") is not None)
    faults = [f"id {name!r} stands {count} times" for name, count in counts.items() if count > 1]
    if part:
        return faults
    for element in page:
        for attribute in REFERENCES:
            missing = [name for name in element.get(attribute, "").split() if name not in counts]
            faults += [f"<{element.tag} {attribute}> points at {name!r}, which is not there" for name in missing]
    return faults


def label_faults(page: list[Element]) -> list[str]:
    labelled = {label.get("for") for label in named(page, "label") if label.get("for") and words(label)}
    faults = []
    for field in named(page, "input", "select", "textarea"):
        if field.tag == "input" and field.get("type", "text") in NEEDS_NO_LABEL:
            continue
        if field.get("id") in labelled or field.get("aria-label") or field.get("aria-labelledby"):
            continue
        if not any(words(around) for around in field.iterancestors("label")):
            faults.append(f"<{field.tag} name={field.get('name')!r}> has no label")
    for button in named(page, "button"):
        if not (words(button) or button.get("aria-label")):
            faults.append(f"an empty button: {shown(button)}")
    return faults


def inline_faults(page: list[Element]) -> list[str]:
    """What the content security policy would block."""
    faults = [f"inline <script>: {shown(script)}" for script in named(page, "script") if not script.get("src")]
    faults += [f"inline <style>: {shown(style)}" for style in named(page, "style")]
    for element in page:
        forbidden = [name for name in element.attrib if name == "style" or name.startswith("on")]
        faults += [f"<{element.tag} {name}=…> is inline" for name in forbidden]
    return faults


def dead_ends(page: list[Element]) -> list[str]:
    links = [link for link in named(page, "a") if link.get("href") is not None]
    faults = [f"a link without words: {shown(link)}" for link in links if unnamed(link)]
    faults += [f"a link to nowhere: {shown(link)}" for link in links if link.get("href") in ("", "#")]
    faults += [f"an image without alt: {shown(image)}" for image in named(page, "img") if image.get("alt") is None]
    for form in named(page, "form"):
        posts = form.get("method", "get").lower() == "post"
        if posts and not any(field.get("name") == "csrf_token" for field in form.iter("input")):
            faults.append(f"a form without csrf_token: {form.get('action') or 'this page'}")
    return faults


def unnamed(link: Element) -> bool:
    pictures = any(image.get("alt") is not None for image in link.iter("img"))
    drawings = any(drawing.get("role") == "img" for drawing in link.iter("svg"))
    return not (words(link) or link.get("aria-label") or pictures or drawings)

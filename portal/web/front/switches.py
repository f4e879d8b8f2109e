"""Where the switches of the language and of the text size lead, on every page."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote_plus, urlencode

from flask import Flask, request

from portal.web.csrf import page_of_the_form


@dataclass(frozen=True, slots=True)
class SwitchAddresses:
    """The addresses for the page `here` with the parameters `asked`, in the language `other` and in the other text size.

    `kept_…` bring along what was typed.
    """

    here: str
    asked: dict[str, str]
    other: str
    is_large: bool

    @property
    def language(self) -> str:
        return f"{self.here}?{urlencode({**self.asked, 'lang': self.other})}"

    @property
    def size(self) -> str:
        return f"/text-size?{self._size}"

    @property
    def kept_language(self) -> str:
        return f"/kept-form?lang={self.other}&to={quote_plus(self._page)}"

    @property
    def kept_size(self) -> str:
        return f"/kept-form?{self._size}"

    @property
    def other_locale(self) -> str:
        return "zh-CN" if self.other == "zh" else "en"

    @property
    def _page(self) -> str:
        return f"{self.here}?{urlencode(self.asked)}" if self.asked else self.here

    @property
    def _size(self) -> str:
        return f"size={'normal' if self.is_large else 'large'}&to={quote_plus(self._page)}"


def switch_addresses(language: str) -> SwitchAddresses:
    """`language` is that of the page.  Outside a request the page is taken to be the front page."""
    other = "zh" if language == "en" else "en"
    if not request:
        return SwitchAddresses("/", {}, other, False)
    is_large = request.cookies.get("text") == "large"
    if request.method == "POST":  # the page of a form that came back with faults
        here, _mark, query = page_of_the_form().partition("?")
        return SwitchAddresses(here, dict(parse_qsl(query)), other, is_large)
    return SwitchAddresses(f"/{request.path.lstrip('/')}", request.args.to_dict(), other, is_large)


def init(app: Flask) -> None:
    app.jinja_env.globals["switch_addresses"] = switch_addresses

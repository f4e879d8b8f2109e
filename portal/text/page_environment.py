"""What templates call on every line, without what Jinja, Flask-Babel and Flask compute anew at each call.

A page has forty texts, forty imported macros and twenty addresses.  Their values depend on nothing but the language or
the name of the route, so each is computed once in a process.
"""

import functools
import uuid
from collections.abc import Callable, MutableMapping
from typing import Any

from flask import Flask, request
from flask.templating import Environment
from flask_babel import gettext
from jinja2 import Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup

from portal.text.languages import spoken

SOME_ID = uuid.UUID("5e0d1f8a-0000-4000-8000-00000000a1d5")
"""Stands for an id while an address is taken apart."""

MOST_FRAGMENTS = 1000
"""More than languages, telephones of seasons and parts of the frame together."""


class PageCode(CodeGenerator):
    """Jinja's code generator that calls `translated` directly.

    Jinja looks `_` up in the context and asks each time how it wants to be called.
    """

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        is_text = isinstance(node.node, nodes.Name) and node.node.name == "_" and len(node.args) == 1
        if not is_text or node.dyn_args is not None or node.dyn_kwargs is not None or forward_caller:
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.write("environment.translated(")
        self.visit(node.args[0], frame)
        for value in node.kwargs:
            self.write(", ")
            self.visit(value, frame)
        self.write(")")


class PageEnvironment(Environment):
    """Jinja's environment whose templates share its globals instead of a chain of mappings.

    An import `with context` copies the globals; a plain dictionary is copied ten times faster than a chain.
    """

    code_generator_class = PageCode

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,
    ) -> Template:
        """A template that was loaded before is found at once; Jinja asks for its age first, and a page has thirty."""
        if self.auto_reload or globals is not None:
            return super().get_template(name, parent, globals)
        known = self._known_templates
        found = known.get(name)
        if found is None:
            found = known[name] = super().get_template(name, parent)
        return found

    @functools.cached_property
    def _known_templates(self) -> dict[str | Template, Template]:
        return {}

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **d} if d else self.globals

    @staticmethod
    def translated(message: str, /, **values: Any) -> Markup:
        """The message in the reader's language as markup; `values` are escaped and put into it."""
        text = _markup(spoken(), message)
        return text % values if values else text


@functools.lru_cache(maxsize=16_384)
def _markup(language: str, message: str) -> Markup:
    """The message in a language, which is the one that is spoken now."""
    text = Markup(gettext(message))  # noqa: S704  messages are our own
    # a message with placeholders is filled in by its caller; in any other one %% stands for %
    return text if "%(" in text else text % {}


def _url_for(app: Flask) -> Any:
    """`url_for` that remembers addresses which depend on nothing but the name of the route or of a static file.

    Of a route whose only part is an id, what stands before and after the id is remembered.  Any other route with a part in its
    address is not: the page may give the part, as those of a year do.
    """
    known: dict[tuple[str, str, str | None], str] = {}
    around: dict[tuple[str, str], tuple[str, str]] = {}

    @functools.cache
    def has_no_parts(endpoint: str) -> bool:
        return endpoint == "static" or not any(rule.arguments for rule in app.url_map.iter_rules(endpoint))

    @functools.cache
    def has_only(endpoint: str, part: str) -> bool:
        return all(rule.arguments == {part} and not rule.defaults for rule in app.url_map.iter_rules(endpoint))

    def of_id(endpoint: str, part: str, value: uuid.UUID) -> str:
        key = request.root_path, endpoint
        if key not in around:
            parts: dict[str, Any] = {part: SOME_ID}
            before, _, after = app.url_for(endpoint, **parts).partition(str(SOME_ID))
            around[key] = before, after
        before, after = around[key]
        return f"{before}{value}{after}"

    def url_for(endpoint: str, /, **values: Any) -> str:
        if endpoint.startswith(".") or not request:
            return app.url_for(endpoint, **values)
        if len(values) == 1:
            ((part, value),) = values.items()
            if type(value) is uuid.UUID and has_only(endpoint, part):
                return of_id(endpoint, part, value)
        if not has_no_parts(endpoint):
            return app.url_for(endpoint, **values)
        if values and (endpoint != "static" or [*values] != ["filename"]):
            return app.url_for(endpoint, **values)
        key = request.root_path, endpoint, values.get("filename")
        if key not in known:
            known[key] = app.url_for(endpoint, **values)
        return known[key]

    return url_for


def _kept_fragment(kept: dict[tuple[Any, ...], Markup]) -> Callable[..., Markup]:
    """`{% call kept_fragment("foot", number) %}…{% endcall %}`: what stands in it, rendered once for each language and value.

    It is kept for everybody, so nothing of a reader may stand in it; only the frame of pages uses it.
    """

    def kept_fragment(name: str, *values: str | bool | None, caller: Callable[[], Markup]) -> Markup:
        key = (name, spoken(), request.root_path if request else "", *values)
        found = kept.get(key)
        if found is None:
            if len(kept) >= MOST_FRAGMENTS:
                kept.clear()
            found = kept[key] = caller()
        return found

    return kept_fragment


def init(app: Flask) -> None:
    """Register after Flask-Babel, whose functions this replaces in templates."""
    translated = PageEnvironment.translated
    app.jinja_env.globals.update(_=translated, gettext=translated, url_for=_url_for(app))
    fragments = app.extensions["kept_fragments"] = dict[tuple[Any, ...], Markup]()
    app.jinja_env.globals["kept_fragment"] = _kept_fragment(fragments)

"""What templates call on every line, without what Jinja, Flask-Babel and Flask compute anew at each call.

A page has forty texts, forty imported macros and twenty addresses.  Their values depend on nothing but the language or
the name of the route, so each is computed once in a process.
"""

import functools
import re
import uuid
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, cast
from urllib.parse import urlencode

from flask import Flask, current_app, has_request_context, request
from flask.templating import Environment
from flask_babel import gettext
from jinja2 import Template, nodes
from jinja2.compiler import CodeGenerator, Frame, is_python_keyword
from jinja2.environment import TemplateModule
from markupsafe import Markup, escape

from portal.text import plurals
from portal.text.languages import spoken

SOME_ID = uuid.UUID("5e0d1f8a-0000-4000-8000-00000000a1d5")
"""Stands for an id while an address is taken apart."""

SOME_CODE = "5e0d1f8a0000code"
"""Stands for a code in the same way."""

PLAIN_CODE = re.compile(r"[0-9A-Za-z_-]+")
"""A code that stands in an address as it is."""

PLAIN_IN_QUERY = "!$'()*,/:;?@"
"""What werkzeug leaves as it is in the value of a query."""

OF_DICT = frozenset(dir(dict))
"""What every dictionary has as an attribute, such as `items`."""

MOST_ADDRESSES = 1000
"""How many addresses around an id are remembered."""

MOST_FRAGMENTS = 1000
"""More than languages, telephones of seasons and parts of the frame together."""


class PageCode(CodeGenerator):
    """Jinja's code generator that calls what has a name directly, and for `_` the function `translated`.

    Jinja asks at each call how the function wants to be called, looks for its `__call__` and wraps its arguments.  Here no
    function that templates know by name wants the context.
    """

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        named = node.node
        is_unpacked = node.dyn_args is not None or node.dyn_kwargs is not None
        if is_unpacked or not isinstance(named, nodes.Name) or any(is_python_keyword(each.key) for each in node.kwargs):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        if named.name == "_" and len(node.args) == 1 and not forward_caller:
            self.write("environment.translated")
        else:
            self.visit(named, frame)
        self.write("(")
        for value in (*node.args, *node.kwargs):
            self.visit(value, frame)
            self.write(", ")
        self.write("caller=caller)" if forward_caller else ")")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        """What a macro or `translated` gives is markup already, and `escape` would make it once more."""
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write(f"environment.{PageEnvironment.escaped.__name__}(")


class PageTemplate(Template):
    """A template whose macros can be imported without a cycle of objects."""

    def make_module(
        self, vars: dict[str, Any] | None = None, shared: bool = False, locals: Mapping[str, Any] | None = None
    ) -> TemplateModule:
        """The module of an import.  Its macros hold the context of the import, which need not hold them: with that cycle all
        objects of a page would stay until a collection of garbage.  A macro finds the others of its template by itself.
        """
        context = self.new_context(vars, shared, locals)
        module = TemplateModule(self, context)
        context.vars.clear()
        return module


class PageEnvironment(Environment):
    """Jinja's environment whose templates share its globals instead of a chain of mappings.

    An import `with context` copies the globals; a plain dictionary is copied ten times faster than a chain.
    """

    code_generator_class = PageCode
    template_class = PageTemplate

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

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As Jinja: the attribute, else the item; the item of a dictionary is found without an exception for the attribute."""
        if type(obj) is dict and attribute in obj and attribute not in OF_DICT:
            return obj[attribute]
        try:
            return getattr(obj, attribute)
        except AttributeError:
            return super().getattr(obj, attribute)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **d} if d else self.globals

    @staticmethod
    def escaped(value: Any) -> Markup:
        """As markup: itself where it is, else escaped."""
        return value if type(value) is Markup else escape(value)

    @staticmethod
    def translated(message: str, /, **values: Any) -> Markup:
        """The message in the reader's language as markup; `values` are escaped and put into it."""
        language = spoken()
        text = _markup(language, message)
        if not values:
            return text
        if language == "en":
            text = Markup(plurals.for_counts(text, values))  # noqa: S704  messages are our own
        return text % values


@functools.lru_cache(maxsize=16_384)
def _markup(language: str, message: str) -> Markup:
    """The message in a language, which is the one that is spoken now."""
    text = Markup(gettext(message))  # noqa: S704  messages are our own
    # a message with placeholders is filled in by its caller; in any other one %% stands for %
    return text if "%(" in text else text % {}


def _url_for(app: Flask) -> Any:
    """`url_for` that remembers addresses which depend on nothing but the name of the route or of a static file.

    Of a route whose only part is an id or a code, what stands before and after it is remembered; of one with several, what stands
    around its id, for each value of the others.  A route without all its parts is not: the page may give them, as those of a year do.
    """
    known: dict[tuple[str, str, str | None], str] = {}
    around: dict[tuple[str, str, type], tuple[str, str] | None] = {}
    around_ids: dict[tuple[Any, ...], tuple[str, str]] = {}

    @functools.cache
    def only_part(endpoint: str) -> str | None:
        """The name of the only part; "" for a route without one, None for one with several, or whose rules differ."""
        rules = list(app.url_map.iter_rules(endpoint))
        if endpoint == "static" or not any(rule.arguments for rule in rules):
            return ""
        parts = {frozenset(rule.arguments) for rule in rules}
        if len(parts) > 1 or any(rule.defaults for rule in rules) or len(rules[0].arguments) > 1:
            return None
        return next(iter(rules[0].arguments))

    def around_part(root: str, endpoint: str, part: str, kind: type) -> tuple[str, str] | None:
        """What stands before and after the part; None where it takes no such value."""
        key = root, endpoint, kind
        if key not in around:
            parts: dict[str, Any] = {part: SOME_ID if kind is uuid.UUID else SOME_CODE}
            try:
                before, found, after = app.url_for(endpoint, **parts).partition(str(parts[part]))
            except ValueError:  # a part that is one of certain words
                before, found, after = "", "", ""
            around[key] = (before, after) if found else None  # a number is not written as it was given
        return around[key]

    def with_part(root: str, endpoint: str, part: str, values: dict[str, Any]) -> str | None:
        """The address of a route whose only part is an id or a plain code; the other values are its query."""
        value = values.get(part)
        kind = type(value)
        if kind is not uuid.UUID and (kind is not str or PLAIN_CODE.fullmatch(str(value)) is None):
            return None
        query = {name: each for name, each in values.items() if name != part}
        if any(name.startswith("_") or type(each) not in (str, int) for name, each in query.items()):
            return None
        found = around_part(root, endpoint, part, kind)
        if found is None:
            return None
        before, after = found
        asked = f"?{urlencode(query, safe=PLAIN_IN_QUERY)}" if query else ""
        return f"{before}{value}{after}{asked}"

    @functools.cache
    def all_parts(endpoint: str) -> frozenset[str] | None:
        """The names of the parts; None where the rules differ."""
        rules = list(app.url_map.iter_rules(endpoint))
        parts = {frozenset(rule.arguments) for rule in rules}
        return None if len(parts) > 1 or any(rule.defaults for rule in rules) else next(iter(parts), None)

    def with_id(root: str, endpoint: str, values: dict[str, Any]) -> str | None:
        """The address of a route with several parts, of which one is an id and the others are given as texts."""
        parts, others = all_parts(endpoint), list[tuple[str, str]]()
        id_part = None
        for name, value in values.items():
            if type(value) is uuid.UUID and id_part is None:
                id_part = name
            elif type(value) is str and not name.startswith("_"):
                others.append((name, value))
            else:
                return None
        if id_part is None or parts is None or id_part not in parts or not parts <= values.keys():
            return None
        key = root, endpoint, id_part, *others
        if key not in around_ids:
            if len(around_ids) >= MOST_ADDRESSES:
                around_ids.clear()
            before, found, after = app.url_for(endpoint, **(values | {id_part: SOME_ID})).partition(str(SOME_ID))
            if not found:
                return None
            around_ids[key] = before, after
        before, after = around_ids[key]
        return f"{before}{values[id_part]}{after}"

    def url_for(endpoint: str, /, **values: Any) -> str:
        if endpoint.startswith(".") or not has_request_context():
            return app.url_for(endpoint, **values)
        root = request.root_path
        part = only_part(endpoint)
        if part:
            return with_part(root, endpoint, part, values) or app.url_for(endpoint, **values)
        if part is None:
            return with_id(root, endpoint, values) or app.url_for(endpoint, **values)
        if values and (endpoint != "static" or [*values] != ["filename"]):
            return app.url_for(endpoint, **values)
        key = root, endpoint, values.get("filename")
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


def address_of(endpoint: str, /, **values: Any) -> str:
    """`url_for` as templates call it, for views that list many addresses."""
    url_for = cast(Callable[..., str], current_app.jinja_env.globals["url_for"])
    return url_for(endpoint, **values)


def init(app: Flask) -> None:
    """Register after Flask-Babel, whose functions this replaces in templates."""
    translated = PageEnvironment.translated
    app.jinja_env.globals.update(_=translated, gettext=translated, url_for=_url_for(app))
    fragments = app.extensions["kept_fragments"] = dict[tuple[Any, ...], Markup]()
    app.jinja_env.globals["kept_fragment"] = _kept_fragment(fragments)

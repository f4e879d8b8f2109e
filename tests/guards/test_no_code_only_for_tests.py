"""What only tests call is not there: every function, class and method is reached by the product.

The check reads the source.  It starts at what runs by itself (the level of the modules, routes, jobs, commands) and
follows names from there.  A function of a module is followed through the imports; a method counts as reached when
reached code, or a template, reads an attribute of its name.  An override of a library's method is called by the library.
"""

import ast
import functools
import importlib
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
from jinja2 import nodes

ROOT = Path(__file__).parents[2]
PACKAGES = ("enrollment", "portal")
"""`allocation` is a library with a public interface of its own; it is read for what it calls, not judged."""

READ_ONLY = ("allocation", "migrations", "wsgi.py")

PLAIN_DECORATORS = frozenset(
    [
        "property",
        "classmethod",
        "staticmethod",
        "cached_property",
        "cache",
        "lru_cache",
        "dataclass",
        "contextmanager",
        "total_ordering",
    ]
)
"""A function under any other decorator is registered with a framework, which calls it (a route, a job, a command)."""

ALLOWED = {
    "portal.demo.city_builder.CityBuilder._places": "called by the name of the season's step",
    "portal.demo.city_builder.CityBuilder._registration": "called by the name of the season's step",
    "portal.demo.city_builder.CityBuilder._review": "called by the name of the season's step",
    "portal.demo.city_builder.CityBuilder._draw": "called by the name of the season's step",
    "portal.demo.city_builder.CityBuilder._results": "called by the name of the season's step",
    "portal.demo.city_builder.CityBuilder._arrival": "called by the name of the season's step",
    "portal.jobs.worker.perform": "called by RQ by its dotted name",
}


@dataclass(eq=False)
class Definition:
    """A function, class or method with the names that its own body reads."""

    name: str
    module: str
    owner: str | None = None
    registered: bool = False
    names: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)

    @property
    def path(self) -> str:
        return ".".join(part for part in (self.module, self.owner, self.name) if part)


@dataclass
class Module:
    name: str
    imported: dict[str, str] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)
    level: Definition = field(init=False)
    """What the module itself runs when it is imported."""

    def __post_init__(self) -> None:
        self.level = Definition("", self.name, registered=True)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read(path: Path) -> Module:
    return parse(module_name(path), path.read_text(encoding="utf-8"))


def parse(name: str, source: str) -> Module:
    module = Module(name)
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            module.imported |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Import):
            module.imported |= {each.asname or each.name: each.name for each in node.names}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            module.definitions.append(of_function(node, module.name))
        elif isinstance(node, ast.ClassDef):
            module.definitions += of_class(node, module.name)
        else:
            collect(module.level, [node])
    return module


def of_function(node: ast.FunctionDef | ast.AsyncFunctionDef, module: str, owner: str | None = None) -> Definition:
    decorated = {each.id if isinstance(each, ast.Name) else "" for each in map(called, node.decorator_list)}
    found = Definition(node.name, module, owner, registered=bool(decorated - PLAIN_DECORATORS))
    collect(found, ast.iter_child_nodes(node))
    return found


def called(decorator: ast.expr) -> ast.expr:
    """The name of a decorator without its arguments; `functools.cache` as `cache`."""
    bare = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(bare, ast.Attribute) and bare.attr in PLAIN_DECORATORS:
        return ast.Name(bare.attr)
    return bare


def of_class(node: ast.ClassDef, module: str) -> Iterator[Definition]:
    one = Definition(node.name, module)
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            yield of_function(part, module, node.name)
        else:
            collect(one, [part])
    collect(one, [*node.decorator_list, *node.bases, *(each.value for each in node.keywords)])
    yield one


def collect(into: Definition, parts: Iterable[ast.AST]) -> None:
    """Keep the names that these parts read: `name`, `name.attribute`, and every attribute by itself."""
    local: set[str] = set()
    for part in parts:
        qualified = set()
        for node in ast.walk(part):
            if isinstance(node, ast.Attribute):
                into.attributes.add(node.attr)
                if isinstance(node.value, ast.Name):
                    into.names.add(f"{node.value.id}.{node.attr}")
                    qualified.add(id(node.value))
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                local.add(node.id)
            elif isinstance(node, ast.arg):
                local.add(node.arg)
            elif isinstance(node, ast.Name) and id(node) not in qualified:
                into.names.add(node.id)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
                into.attributes |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    if into.name:
        into.names -= local


def names_of_templates() -> set[str]:
    """Every attribute that a template reads."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])
    found: set[str] = set()
    for path in (ROOT / "templates").rglob("*.*"):
        template = environment.parse(path.read_text(encoding="utf-8"))
        for node in template.find_all((nodes.Getattr, nodes.Getitem)):
            if isinstance(node, nodes.Getattr):
                found.add(node.attr)
            elif isinstance(node.arg, nodes.Const):
                found.add(str(node.arg.value))
        for filtered in template.find_all(nodes.Filter):
            found |= {arg.value for arg in filtered.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)}
    return found


class Product:
    """The whole source, and which definitions are reached."""

    def __init__(self, modules: Iterable[Module], in_templates: set[str]):
        self.modules = {module.name: module for module in modules}
        self.by_path = {each.path: each for module in self.modules.values() for each in module.definitions}
        self.in_templates = in_templates
        self.methods: dict[str, list[Definition]] = {}
        for each in self.by_path.values():
            if each.owner:
                self.methods.setdefault(each.name, []).append(each)
        self.reached: set[str] = set()
        self._attributes = set(in_templates)
        self._follow()

    def _follow(self) -> None:
        waiting = [module.level for module in self.modules.values()]
        waiting += [each for each in self.by_path.values() if each.registered or each.path in ALLOWED]
        for name in self.in_templates:
            waiting += self.methods.get(name, [])
        while waiting:
            one = waiting.pop()
            if one.name and one.path in self.reached:
                continue
            self.reached.add(one.path)
            waiting += self._next(one)

    def _next(self, one: Definition) -> Iterator[Definition]:
        module = self.modules[one.module]
        for name in one.names:
            found = self._resolved(module, name)
            if isinstance(found, Definition):
                yield found
            elif found is not None:
                yield from self._handed_on(found)
        for name in one.attributes - self._attributes:
            yield from self.methods.get(name, [])
        self._attributes |= one.attributes
        if one.path in self.by_path and not one.owner:  # a class that is reached: what Python and its libraries call
            yield from (each for each in self._of_class(one) if each.name.startswith("__") or overrides(each))

    def _handed_on(self, module: Module) -> Iterator[Definition]:
        """A module that is a value (in a table of importers, in a template's context): its functions are like methods."""
        for each in module.definitions:
            if not each.owner and each not in self.methods.setdefault(each.name, []):
                self.methods[each.name].append(each)
                if each.name in self._attributes:
                    yield each

    def _of_class(self, one: Definition) -> list[Definition]:
        return [each for each in self.modules[one.module].definitions if each.owner == one.name]

    def _resolved(self, module: Module, name: str) -> Definition | Module | None:
        first, _, rest = name.partition(".")
        target = module.imported.get(first)
        if target is None:
            return self.by_path.get(f"{module.name}.{first}")
        if rest and target in self.modules:
            return self._found(f"{target}.{rest}")
        return self._found(target)

    def _found(self, path: str) -> Definition | Module | None:
        """A definition or a module, through as many modules as pass it on."""
        if path in self.by_path or path in self.modules:
            return self.by_path.get(path) or self.modules.get(path)
        owner, _, name = path.rpartition(".")
        passed_on = self.modules[owner].imported.get(name) if owner in self.modules else None
        return self._found(passed_on) if passed_on else None

    def only_for_tests(self) -> set[str]:
        return {path for path in self.by_path if path.startswith(PACKAGES) and path not in self.reached}


def overrides(one: Definition) -> bool:
    """Whether a library calls this method: a class above it, not ours, has it too, or it validates a form's field."""
    klass = getattr(importlib.import_module(one.module), one.owner or "")
    foreign = [base for base in inspect.getmro(klass) if not base.__module__.startswith((*PACKAGES, "allocation"))]
    if any(base.__module__.startswith("wtforms") for base in foreign) and one.name.startswith("validate_"):
        return hasattr(klass, one.name.removeprefix("validate_"))
    return any(hasattr(base, one.name) for base in foreign)


@functools.cache
def the_product() -> Product:
    paths = [path for top in (*PACKAGES, *READ_ONLY) for path in sorted((ROOT / top).rglob("*.py"))]
    return Product(map(read, [*paths, ROOT / "wsgi.py"]), names_of_templates())


def test_everything_is_reached_by_the_product():
    assert the_product().only_for_tests() == set()


def test_nothing_is_allowed_that_is_gone():
    assert ALLOWED.keys() <= the_product().by_path.keys()


CALLER = """
from portal import called
from portal.called import Child

@route
def page():
    return render(called.used(), Child)
"""
CALLED = """
def used():
    return _helper()

def _helper():
    return 1

def unused():
    return _only_for_unused()

def _only_for_unused():
    return unused()

class Child:
    def __init__(self):
        self.n = 1

    @property
    def in_a_template(self):
        return self.n

    def unread(self):
        return self.n
"""


def test_the_check_finds_what_nobody_calls_and_what_only_that_calls(monkeypatch):
    monkeypatch.setattr(f"{__name__}.overrides", lambda _definition: False)
    product = Product([parse("portal.caller", CALLER), parse("portal.called", CALLED)], {"in_a_template"})
    assert product.only_for_tests() == {
        "portal.called.unused",
        "portal.called._only_for_unused",
        "portal.called.Child.unread",
    }

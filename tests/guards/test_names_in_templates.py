"""Every template compiles, and somebody passes every name that it uses.

In tests an undefined name is a fault of the page that is opened (StrictUndefined); this guard also looks at the branches
that no test takes.
"""

import ast
import functools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, StrictUndefined, UndefinedError, meta, nodes

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
NAMES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.is_file())


@functools.cache
def parsed(environment: Environment, name: str) -> nodes.Template:
    return environment.parse((TEMPLATES / name).read_text("utf-8"), name)


def may_be_absent(tree: nodes.Template) -> set[str]:
    """Names that the template asks about before it uses them: `x|default(…)`, `x is defined`."""
    filters = (each.node for each in tree.find_all(nodes.Filter) if each.name in ("default", "d"))
    tests = (each.node for each in tree.find_all(nodes.Test) if each.name in ("defined", "undefined"))
    return {each.name for each in (*filters, *tests) if isinstance(each, nodes.Name)}


@functools.cache
def free_in(environment: Environment, tree: nodes.Template) -> set[str]:
    """Names that the template takes from its context.

    jinja2 does not see in a block what was imported above it, in the template itself or in the frame that it extends.
    """
    absent = meta.find_undeclared_variables(tree) - may_be_absent(tree)
    while tree is not None:
        absent -= set_in(tree)
        frames = [
            each.template.value for each in tree.find_all(nodes.Extends) if isinstance(each.template, nodes.Const)
        ]
        tree = parsed(environment, frames[0]) if frames else None
    return absent


@functools.cache
def needed_by(environment: Environment, name: str) -> set[str]:
    """Names that must be in the context when this template is rendered, its frame and its parts included."""
    tree = parsed(environment, name)
    needed = set(free_in(environment, tree))
    for each in tree.find_all((nodes.Extends, nodes.Include)):
        part = each.template
        if isinstance(part, nodes.Const) and (TEMPLATES / part.value).exists():
            needed |= needed_by(environment, part.value) - set_in(tree)
    return needed


@functools.cache
def set_in(tree: nodes.Template) -> set[str]:
    """What the template itself gives to the parts that it includes."""
    stored = {each.name for each in tree.find_all(nodes.Name) if each.ctx in ("store", "param")}
    imported = {
        alias if isinstance(alias, str) else alias[1]
        for each in tree.find_all(nodes.FromImport)
        for alias in each.names
    }
    return stored | imported | {each.name for each in tree.find_all(nodes.Macro)}


@pytest.fixture
def known(app) -> set[str]:
    """What every template knows: the globals, and what the context processors of the app and of all desks give."""
    given = set(app.jinja_env.globals)
    with app.test_request_context():
        for processors in app.template_context_processors.values():
            for processor in processors:
                given |= set(processor())
    return given


@functools.cache
def code() -> tuple[list[ast.Call], list[ast.Dict]]:
    """Every call and every dictionary in the code of the portal."""
    trees = [ast.parse(file.read_text("utf-8")) for file in sorted((ROOT / "portal").rglob("*.py"))]
    found = [node for tree in trees for node in ast.walk(tree) if isinstance(node, (ast.Call, ast.Dict))]
    return [each for each in found if isinstance(each, ast.Call)], [
        each for each in found if isinstance(each, ast.Dict)
    ]


def passed_somewhere() -> set[str]:
    """Each name of an argument, and each key of a dictionary, in the code of the portal."""
    calls, dictionaries = code()
    keys = {key.value for each in dictionaries for key in each.keys if isinstance(key, ast.Constant)}
    return keys | {keyword.arg for call in calls for keyword in call.keywords if keyword.arg}


def whole_calls() -> Iterator[tuple[str, set[str]]]:
    """The calls of render_template that name their template and every value: (template, names)."""
    for call in code()[0]:
        named = isinstance(call.func, ast.Name) and call.func.id == "render_template"
        if named and isinstance(call.args[0], ast.Constant) and all(keyword.arg for keyword in call.keywords):
            yield call.args[0].value, {keyword.arg for keyword in call.keywords}


@pytest.mark.parametrize("name", NAMES)
def test_a_template_compiles(whole_app, name):
    whole_app.jinja_env.get_template(name)


def test_each_name_of_a_template_is_passed_by_somebody(app, known):
    given = known | passed_somewhere()
    texts = {name: (TEMPLATES / name).read_text("utf-8") for name in NAMES}
    unknown = {}
    for name in NAMES:
        tree = parsed(app.jinja_env, name)
        absent = free_in(app.jinja_env, tree) - given
        # a part that is included or imported with the context also sees what its callers have set
        callers = [parsed(app.jinja_env, other) for other in NAMES if absent and f'"{name}"' in texts[other]]
        absent -= {each for caller in callers for each in set_in(caller)}
        if absent:
            unknown[name] = absent
    assert not unknown


def test_the_views_of_a_template_pass_what_it_needs(app, known):
    """Of a template that several views render, each name is passed by one of them."""
    passed = defaultdict(set)
    for name, names in whole_calls():
        passed[name] |= names
    assert len(passed) > 40
    lacking = {name: needed_by(app.jinja_env, name) - known - names for name, names in passed.items()}
    assert not {name: absent for name, absent in lacking.items() if absent}


def test_an_undefined_name_is_a_fault_in_tests(whole_app):
    assert whole_app.jinja_env.undefined is StrictUndefined
    with pytest.raises(UndefinedError):
        whole_app.jinja_env.from_string("{% if nobody_passes_this %}{% endif %}").render()

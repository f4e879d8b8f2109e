"""Mutants of a module: each changes one operator, number or condition, or removes one statement.

A mutant is identified by its function and the normalised line before and after the change, so it keeps its identity
when lines move.
"""

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

COMPARE = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.RShift: ast.LShift,
    ast.LShift: ast.RShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd, ast.Mod: ast.FloorDiv,
}  # fmt: skip
NEAR = 40  # characters beside a change that are shown
OPPOSITE = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """One changed module. ``nth`` counts equal changes of equal lines of one function, from 1."""

    function: str
    before: str
    after: str
    nth: int
    line: int = field(compare=False)
    tree: ast.Module = field(compare=False, repr=False)  # ready to be compiled

    def __str__(self) -> str:
        return f"line {self.line}, {self.function}: {self.before}  →  {self.after}"


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module; those that change nothing as text are left out."""
    tree = ast.parse(source)
    seen: Counter = Counter()
    for statement, put in _statements(tree):
        for name, line, old, new, fresh in _of_statement(statement):
            seen[name, old, new] += 1
            yield Mutant(name, old, new, seen[name, old, new], line, put(fresh))


def _statements(tree: ast.Module) -> Iterator[tuple[ast.stmt, Callable[[ast.stmt], ast.Module]]]:
    """Each statement of the module, a class by its parts, and how to make the module with another one in its place."""

    def module(place, other):
        return ast.Module([*tree.body[:place], other, *tree.body[place + 1 :]], [])

    for place, one in enumerate(tree.body):
        if not isinstance(one, ast.ClassDef):
            yield one, lambda other, place=place: module(place, other)
            continue
        for part, inner in enumerate(one.body):

            def put(other, one=one, place=place, part=part):
                changed = copy.copy(one)
                changed.body = [*one.body[:part], other, *one.body[part + 1 :]]
                return module(place, changed)

            yield inner, put


def _of_statement(statement: ast.stmt) -> Iterator[tuple[str, int, str, str, ast.stmt]]:
    """For each change: the function, the line, what differs as text before and after, the changed statement."""
    nodes = list(ast.walk(statement))
    inside_notes = {id(part) for node in nodes for part in _not_code(node)}
    owner = _owners(statement)
    before = ast.unparse(statement).splitlines()
    for index, node in enumerate(nodes):
        if id(node) in inside_notes or not hasattr(node, "lineno"):
            continue
        for change in _changes(node):
            fresh = copy.deepcopy(statement)
            change(list(ast.walk(fresh))[index])
            after = ast.unparse(ast.fix_missing_locations(fresh)).splitlines()
            differing = [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
            if differing:
                old, new = (" ".join(lines[i].strip() for i in differing) for lines in (before, after))
                yield owner[id(node)], node.lineno, *_near_the_change(old, new), fresh


def _near_the_change(old: str, new: str) -> tuple[str, str]:
    """Both texts without what long ones have in common far from the change."""
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    first = old.rfind(" ", 0, max(0, same - NEAR)) + 1 if same > NEAR else 0
    tail = next((i for i, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b), 0)
    return tuple(
        ("… " if first else "") + text[first : len(text) - tail + NEAR if tail > NEAR else len(text)]
        + (" …" if tail > NEAR else "")
        for text in (old, new)
    )  # fmt: skip


def _owners(statement: ast.stmt) -> dict[int, str]:
    """The name of the innermost function or class around each node."""
    owner: dict[int, str] = {}

    def walk(node, name):
        name = getattr(node, "name", None) if isinstance(node, ast.FunctionDef | ast.ClassDef) else name
        owner[id(node)] = name
        for inner in ast.iter_child_nodes(node):
            walk(inner, name)

    walk(statement, "the module")
    return owner


def _not_code(node):
    """Annotations and decorators: they do nothing at run time."""
    for name in ("annotation", "returns", "decorator_list"):
        value = getattr(node, name, None)
        for one in value if isinstance(value, list) else [value] if value is not None else []:
            yield from ast.walk(one)


def _changes(node) -> Iterator:
    """What can be done to one node, as functions that do it."""
    if isinstance(node, ast.Compare):
        for new in COMPARE.get(type(node.ops[0]), ()):
            yield lambda n, new=new: n.ops.__setitem__(0, new())
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in ARITHMETIC:
        yield lambda n: setattr(n, "op", ARITHMETIC[type(n.op)]())
    elif isinstance(node, ast.BoolOp):
        yield lambda n: setattr(n, "op", ast.Or() if isinstance(n.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert | ast.USub):
        yield lambda n: _replace(n, n.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield lambda n: setattr(n, "value", n.value + 1)
    elif isinstance(node, ast.Name) and node.id in OPPOSITE:
        yield lambda n: setattr(n, "id", OPPOSITE[n.id])
    elif isinstance(node, ast.Attribute) and node.attr in OPPOSITE:
        yield lambda n: setattr(n, "attr", OPPOSITE[n.attr])
    if isinstance(node, ast.AugAssign | ast.Break | ast.Continue) or _is_call(node):
        yield lambda n: _replace(n, ast.Pass())


def _is_call(node) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _replace(node, other) -> None:
    node.__class__, node.__dict__ = other.__class__, {**node.__dict__, **other.__dict__}

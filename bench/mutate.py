"""Mutation testing of the engine: each small change to the rule must make some test fail.

    python bench/mutate.py [module …] [--jobs 2] [--every 1]

A mutant is one changed operator, number, condition or missing statement. Each runs the engine's tests in a process of
its own, without the compiler, until one fails; each is printed. Changes that can not change any
outcome (a heap one entry larger, say) count as survivors too, so 100 % is not to be had.
"""

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ("quotas", "units", "deferred_acceptance", "checks")
TESTS = (  # the quick ones first; most mutants get no further
    ("test_cases.py",),
    ("test_explain.py", "test_market.py", "test_checks.py"),
    ("test_every_outcome.py", "test_properties.py"),
)
SECONDS = 240

COMPARE = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.RShift: ast.LShift,
    ast.LShift: ast.RShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd, ast.Mod: ast.FloorDiv,
}  # fmt: skip


def mutants(source: str):
    """Pairs of a description and a changed source."""
    tree = ast.parse(source)
    nodes = [node for node in ast.walk(tree) if hasattr(node, "lineno")]
    inside_notes = {id(part) for node in ast.walk(tree) for part in _not_code(node)}
    for index, node in enumerate(nodes):
        if id(node) in inside_notes:
            continue
        for what, change in _changes(node):
            fresh = copy.deepcopy(tree)
            target = [each for each in ast.walk(fresh) if hasattr(each, "lineno")][index]
            change(target)
            changed = ast.unparse(ast.fix_missing_locations(fresh))
            if changed != ast.unparse(tree):
                yield f"line {node.lineno}: {what}", changed


def _not_code(node):
    """Annotations and decorators: they do nothing at run time."""
    for name in ("annotation", "returns", "decorator_list"):
        if getattr(node, name, None) is not None:
            yield from _parts(getattr(node, name))


def _parts(value):
    for one in value if isinstance(value, list) else [value]:
        yield from ast.walk(one)


def _changes(node):
    """What can be done to one node: descriptions and functions that do it."""
    if isinstance(node, ast.Compare):
        for new in COMPARE.get(type(node.ops[0]), ()):
            yield f"{type(node.ops[0]).__name__} → {new.__name__}", lambda n, new=new: n.ops.__setitem__(0, new())
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in ARITHMETIC:
        new = ARITHMETIC[type(node.op)]
        yield f"{type(node.op).__name__} → {new.__name__}", lambda n: setattr(n, "op", new())
    elif isinstance(node, ast.BoolOp):
        new = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"{type(node.op).__name__} → {new.__name__}", lambda n: setattr(n, "op", new())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert | ast.USub):
        yield f"{type(node.op).__name__} dropped", lambda n: _replace(n, n.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} → {not node.value}", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield f"{node.value} → {node.value + 1}", lambda n: setattr(n, "value", n.value + 1)
    if isinstance(node, ast.AugAssign | ast.Break | ast.Continue) or _is_call(node):
        yield "statement dropped", lambda n: _replace(n, ast.Pass())


def _is_call(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _replace(node, other):
    node.__class__, node.__dict__ = other.__class__, {**node.__dict__, **other.__dict__}


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives a module its changed source."""

    def __init__(self, name, source):
        self.name, self.source = name, source

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module):
        exec(compile(self.source, f"<{self.name}>", "exec"), module.__dict__)


def survives(module: str, source: str) -> bool:
    """Run the tests on the changed module in a forked process."""
    child = os.fork()
    if child:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status) == 0
            time.sleep(0.05)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return False  # it never ended: noticed
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        sys.meta_path.insert(0, Changed(f"allocation.{module}", source))
        import pytest

        folder = ROOT / "tests" / "engine"
        quiet = ["-x", "-q", "-p", "no:cacheprovider", "--confcutdir", str(folder)]
        noticed = any(pytest.main([*quiet, *(str(folder / name) for name in names)]) for names in TESTS)
        os._exit(int(noticed))
    except BaseException:
        os._exit(3)


def _told(module: str, what: str, source: str) -> bool:
    """Whether the mutant survives; says so."""
    alive = survives(module, source)
    print(f"{module}.py {what}: {'SURVIVED' if alive else 'killed'}", flush=True)
    return alive


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=MODULES)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--every", type=int, default=1, help="try only each so many-th mutant")
    options = parser.parse_args()
    os.environ |= {"NUMBA_DISABLE_JIT": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    import numba  # noqa: F401 (once, before the forks)

    score = {}
    for module in options.modules:
        source = (ROOT / "allocation" / f"{module}.py").read_text()
        if not survives(module, source):
            sys.exit(f"{module}: the tests fail without any change")
        tried = list(mutants(source))[:: options.every]
        with ThreadPoolExecutor(options.jobs) as pool:
            alive = list(pool.map(lambda mutant, module=module: _told(module, *mutant), tried))
        killed = len(tried) - sum(alive)
        score[module] = {"mutants": len(tried), "killed": killed, "percent": round(100 * killed / len(tried), 1)}
        print(json.dumps({module: score[module]}), flush=True)
    total = sum(each["mutants"] for each in score.values())
    killed = sum(each["killed"] for each in score.values())
    print(json.dumps({"all": {"mutants": total, "killed": killed, "percent": round(100 * killed / total, 1)}}))


if __name__ == "__main__":
    main()

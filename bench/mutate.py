"""Mutation testing of the engine: each small change to the rule must make some test fail.

    python -m bench.mutate [module …] [--survivors-of LOG] [--doubt]

The tests are collected once, without the compiler. For each mutant (``bench/mutants.py``) the process is forked, the
module's names are exchanged for the changed ones, and the tests run until one fails or takes far longer than it should,
those first that noticed the mutants before. Mutants that can change nothing anybody sees are listed with the reason in
``bench/equivalent_mutants.toml``: they are printed and counted apart, and an entry that names no mutant is an error;
``--doubt`` runs the tests on these and on no others.
"""

import argparse
import importlib
import json
import os
import re
import resource
import sys
import time
import tomllib
from pathlib import Path

from bench.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parent.parent
EQUIVALENT = ROOT / "bench" / "equivalent_mutants.toml"
SMALL = ("test_cases.py", "test_guaranteed_places.py")
ABOUT_CHECKS = (*SMALL, "test_checks.py", "test_planted_bugs.py", "test_every_outcome.py")
ABOUT_THE_RULE = (
    *SMALL,
    "test_pools.py",
    "test_heap.py",
    "test_reasons.py",
    "test_market.py",
    "test_every_outcome.py",
    "test_properties.py",
)
MODULES = {
    "pools": ABOUT_THE_RULE,
    "eligibility": ABOUT_THE_RULE,
    "units": ABOUT_THE_RULE,
    "deferred_acceptance": ABOUT_THE_RULE,
    "checks.definitions": ABOUT_CHECKS,
    "checks.proposals": ABOUT_CHECKS,
    "checks.optimality": ABOUT_CHECKS,
    "checks.row_order": ABOUT_CHECKS,
}
MEMORY = 4 << 30


class Mutations:
    """Takes the place of pytest's loop over the collected tests."""

    def __init__(self, module: str, options):
        self.module, self.options = module, options
        self.score: dict = {}
        self.failed: list[str] = []
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_runtestloop(self, session):
        self.items = list(session.items)
        self.seconds = self._seconds_of_each()
        self.score = self._run()
        return True

    def _seconds_of_each(self) -> dict[str, float]:
        """How long each test takes without any change; all must pass."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            for item, following in zip(self.items, [*self.items[1:], None], strict=True):
                began = time.process_time()
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                os.write(writing, f"{time.process_time() - began}\n".encode())
            os._exit(bool(self.failed))
        os.close(writing)
        with os.fdopen(reading) as pipe:
            seconds = [float(line) for line in pipe]
        if os.waitpid(child, 0)[1]:
            sys.exit(f"{self.module}: the tests fail without any change")
        return {item.nodeid: took for item, took in zip(self.items, seconds, strict=True)}

    def _run(self) -> dict:
        source = source_of(self.module).read_text("utf-8")
        tried = sorted(mutants(source), key=lambda mutant: mutant.line)
        listed = equivalent(self.module)
        if unknown := set(listed) - {key(mutant) for mutant in tried}:
            sys.exit(f"{self.module}: no such mutant: {unknown}")
        if self.options.survivors_of:
            before = without_line(self.options.survivors_of.read_text("utf-8"))
            tried = [mutant for mutant in tried if f"{self.module}.py {without_line(str(mutant))}: SURVIVED" in before]
        if self.options.doubt:
            tried = [mutant for mutant in tried if key(mutant) in listed]
        survived, same = 0, 0
        for mutant in tried:
            why, began = listed.get(key(mutant)), time.monotonic()
            who = None if why and not self.options.doubt else self._noticed_by(mutant)
            if who and why:
                sys.exit(f"{self.module}: listed as changing nothing, but noticed by {who}: {mutant}")
            survived, same = survived + (not who and not why), same + bool(why)
            verdict = f"killed by {who}" if who else f"changes nothing: {why}" if why else "SURVIVED"
            print(f"{self.module}.py {mutant}: {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
        return score(len(tried), survived, same)

    def _noticed_by(self, mutant: Mutant) -> str | None:
        """The first test that fails on the changed module (``None`` if all pass), in a forked process."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            self._in_the_fork(mutant, writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            who = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        noticed = [item for item in self.items if item.nodeid == who]
        self.items = noticed + [item for item in self.items if item not in noticed]
        return who or (None if status == 0 else "the clock: it never ends" if status < 0 else "the interpreter")

    def _in_the_fork(self, mutant: Mutant, writing: int) -> None:
        try:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 1)
            os.dup2(nothing, 2)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            exchange(f"allocation.{self.module}", mutant)
            for item, following in zip(self.items, [*self.items[1:], None], strict=True):
                until = int(time.process_time() + 10 + 8 * self.seconds[item.nodeid])
                resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if self.failed:
                    os.write(writing, self.failed[0].encode())
                    os._exit(1)
            os._exit(0)
        except BaseException:
            os._exit(3)


def exchange(name: str, mutant: Mutant) -> None:
    """Run the changed module in the place of the one that is loaded, and give its names to all who imported them."""
    inside = sys.modules[name].__dict__
    old = dict(inside)
    exec(compile(mutant.tree, f"<{name}>", "exec"), inside)
    for other, module in list(sys.modules.items()):
        if other.startswith(("allocation", "tests", "test_")):
            for thing, value in list(vars(module).items()):
                if thing in old and value is old[thing] and not thing.startswith("__"):
                    setattr(module, thing, inside[thing])


def source_of(module: str) -> Path:
    return ROOT / "allocation" / f"{module.replace('.', '/')}.py"


def equivalent(module: str) -> dict[tuple, str]:
    """Function, before, after and number of each mutant that is listed as changing nothing, with the reason."""
    entries = tomllib.loads(EQUIVALENT.read_text("utf-8")).get(module, [])
    return {(one["function"], one["before"], one["after"], one.get("nth", 1)): one["why"] for one in entries}


def key(mutant: Mutant) -> tuple:
    return mutant.function, mutant.before, mutant.after, mutant.nth


def without_line(text: str) -> str:
    return re.sub(r"line \d+, ", "", text)


def score(count: int, survived: int, same: int) -> dict:
    """The score both ways: of all mutants, and of those that change anything."""
    killed = count - survived - same
    return {
        "mutants": count, "killed": killed, "survived": survived, "equivalent": same,
        "percent_of_all": round(100 * killed / max(count, 1), 1),
        "percent_of_those_that_change_anything": round(100 * killed / max(count - same, 1), 1),
    }  # fmt: skip


def score_of(module: str, options) -> dict:
    """Collect the tests of one module in a process of its own and run its mutants there."""
    import hypothesis
    import pytest

    quick = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("mutants", derandomize=True, database=None, phases=quick)
    hypothesis.settings.load_profile("mutants")
    folder = ROOT / "tests" / "engine"
    plugin = Mutations(module, options)
    pytest.main(
        ["--capture=no", "-p", "no:cacheprovider", "-p", "no:terminal", "--confcutdir", str(folder),
         *(str(folder / name) for name in MODULES[module])],
        plugins=[plugin],
    )  # fmt: skip
    return plugin.score


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", default=tuple(MODULES))
    parser.add_argument(
        "--survivors-of", type=Path, metavar="LOG", help="try only those that an earlier run could not kill"
    )
    parser.add_argument("--doubt", action="store_true", help="run only those listed as changing nothing")
    options = parser.parse_args()
    os.environ |= {"NUMBA_DISABLE_JIT": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    scores = {}
    for module in options.modules:
        importlib.invalidate_caches()
        scores[module] = score_of(module, options)
        print(json.dumps({module: scores[module]}), flush=True)
    print(
        json.dumps({"all": score(*(sum(s[k] for s in scores.values()) for k in ("mutants", "survived", "equivalent")))})
    )


if __name__ == "__main__":
    main()

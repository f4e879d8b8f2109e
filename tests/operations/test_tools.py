"""Set-up brings every library that the tools load of the system, and says which tool does not start."""

import functools
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.operations.serving import ROOT
from tests.operations.test_setup import run
from tests.support import tools

ELF = b"\x7fELF"
NOT_A_PACKAGE = {"linux-vdso.so.1"}


def programs() -> dict[str, list[Path]]:
    """For each tool the files whose libraries count: the program, and what an extension of Python would load."""
    found = {name: [Path(command[0])] for name, command in tools.commands().items() if command[0] != sys.executable}
    for name, (program,) in found.items():
        if not program.read_bytes()[:4].startswith(ELF):
            # Debian's chromium-headless-shell is a script that starts the program of its package
            started = re.search(r"(/usr/lib/\S+)", program.read_text())
            assert started, f"{program} starts no program that is known"
            found[name] = [Path(started[1])]
    return found


def loaded_by(program: Path) -> dict[str, str | None]:
    """The libraries of a program by ldd: name → file, None where the system has none."""
    said = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    pairs = re.findall(r"^\s*(\S+) => (not found|\S+)", said, re.MULTILINE)
    return {name: None if file == "not found" else file for name, file in pairs if name not in NOT_A_PACKAGE}


def listed_by_setup() -> dict[str, str]:
    """library → package, as `.ci/setup --test` lists them."""
    return dict(re.findall(r"\becho (\S+\.so\.\d+) (\S+)$", (ROOT / ".ci" / "setup").read_text(), re.MULTILINE))


@functools.cache
def debian_packages() -> dict[str, tuple[bool, set[str]]]:
    """Each installed package: whether every Debian has it, and what it depends on."""
    shape = "${Package}|${Essential}|${Priority}|${Pre-Depends}, ${Depends}\n"
    said = subprocess.run(["dpkg-query", "-W", "-f", shape], capture_output=True, text=True, check=True).stdout
    packages = {}
    for line in said.splitlines():
        name, essential, priority, depends = line.split("|", 3)
        needed = {word.split()[0].split(":")[0] for word in re.split(r"[,|]", depends) if word.strip()}
        packages[name] = essential == "yes" or priority == "required" or name == "apt", needed
    return packages


def brought_with(names: set[str]) -> set[str]:
    """The packages that come with these, themselves included."""
    found, waiting = set(), set(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= debian_packages().get(name, (False, set()))[1] - found
    return found


def package_of(file: str) -> str:
    for path in (file, str(Path(file).resolve()), f"/usr{file}"):
        said = subprocess.run(["dpkg-query", "-S", path], capture_output=True, text=True, check=False)
        if said.returncode == 0:
            return said.stdout.split(":")[0]
    raise AssertionError(f"{file} belongs to no package")


needs_dpkg = pytest.mark.skipif(not shutil.which("dpkg-query"), reason="the packages of Debian and Ubuntu are compared")


@pytest.mark.parametrize("tool", programs())
def test_tru18_no_tool_lacks_a_library(tool):
    lacking = [
        f"{program}: {name}" for program in programs()[tool] for name, file in loaded_by(program).items() if not file
    ]
    assert not lacking


@needs_dpkg
@pytest.mark.long
def test_tru18_setup_brings_each_library_that_a_bare_debian_lacks():
    everywhere = brought_with({name for name, (essential, _needs) in debian_packages().items() if essential})
    brought = brought_with({*listed_by_setup().values(), "python3", "python3-venv"}) | everywhere
    lacking = set()
    for program in {program for files in programs().values() for program in files}:
        system = [
            file for file in loaded_by(program).values() if file and not Path(file).is_relative_to(ROOT.resolve())
        ]
        own = package_of(str(program)) if program.is_relative_to("/usr") else None
        packages = {package_of(file) for file in system if ".venv" not in Path(file).parts}
        lacking |= {(program.name, package) for package in packages - brought - brought_with({own} if own else set())}
    assert not lacking


@needs_dpkg
@pytest.mark.parametrize(("library", "package"), listed_by_setup().items())
def test_tru18_the_listed_package_has_the_library(library, package):
    said = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True, check=True).stdout
    assert library in {Path(line).name for line in said.splitlines()}


def test_tru18_without_libatomic_setup_for_tests_names_its_package(tmp_path):
    """Nobody in particular, on a machine where no library is found."""
    for name, answer in (("ldconfig", ""), ("id", "echo 1000"), ("sudo", "exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    assert re.search(r"sudo apt-get install -y .*\blibatomic1\b", run("--test", path_before=tmp_path).stderr)


def test_tru18_every_tool_starts_and_one_that_does_not_is_said_in_one_line(tmp_path):
    assert {tool: tools.why_not(command) for tool, command in tools.commands().items()} == dict.fromkeys(
        tools.commands()
    )
    broken = tmp_path / "node"
    shutil.copy(tools.commands()["Playwright's node"][0], broken)
    content = broken.read_bytes()
    assert b"libatomic.so.1\0" in content
    broken.write_bytes(content.replace(b"libatomic.so.1\0", b"libabsent.so.1\0"))
    why = tools.why_not([str(broken), "--version"])
    assert "libabsent.so.1" in why
    assert "\n" not in why
    assert tools.why_not([str(tmp_path / "nowhere")])

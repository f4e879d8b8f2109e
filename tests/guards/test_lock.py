"""The lock files have exact versions with hashes for all supported Pythons and agree with setup.cfg."""

import configparser
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^(?P<name>[a-z0-9._-]+)(\[[a-z,]+\])?==(?P<version>\S+?)(?P<marker> ; .+?)? \\$", re.MULTILINE)


def locked(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for match in PINNED.finditer((ROOT / name).read_text()):
        found.setdefault(canonicalize_name(match["name"]), []).append(match["version"])
    return found


def wanted(section: str, option: str) -> list[Requirement]:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    return [Requirement(line) for line in settings[section][option].splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("section", "option", "lock"),
    [
        ("options", "install_requires", "requirements.lock"),
        ("options", "install_requires", "requirements-test.lock"),
        ("options.extras_require", "test", "requirements-test.lock"),
    ],
)
def test_every_direct_dependency_is_locked_within_its_range(section, option, lock):
    versions = locked(lock)
    for requirement in wanted(section, option):
        chosen = versions.get(canonicalize_name(requirement.name))
        assert chosen, f"{requirement.name} is not in {lock}: run `make lock`"
        assert all(requirement.specifier.contains(version) for version in chosen), f"{requirement}: run `make lock`"


def test_the_test_lock_contains_the_other_lock():
    assert locked("requirements.lock").items() <= locked("requirements-test.lock").items()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_a_lock_names_no_index_and_pins_all_by_hash(lock):
    text = (ROOT / lock).read_text()
    assert not re.search(r"https?://|--index|--extra-index|--find-links|file:", text)
    entries = re.findall(r"^[a-z0-9][^\n]*==", text, re.MULTILINE)
    assert len(entries) == len(PINNED.findall(text)) > 50
    assert text.count("--hash=sha256:") > len(entries)


def test_python_3_11_2_gets_async_timeout_for_redis():
    assert "async-timeout" in locked("requirements.lock")
    assert "python_full_version < '3.11.3'" in (ROOT / "requirements.lock").read_text()

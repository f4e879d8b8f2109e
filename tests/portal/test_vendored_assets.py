"""Vendored files equal the published ones byte for byte, and have their licence beside them."""

import hashlib
from pathlib import Path

import pytest

from tests.support import cut_css

VENDOR = Path(__file__).parents[2] / "portal" / "static" / "vendor"


def manifest() -> dict[str, str]:
    lines = (VENDOR / "MANIFEST.sha256").read_text().splitlines()
    return {path: digest for digest, path in (line.split(maxsplit=1) for line in lines)}


@pytest.mark.parametrize("path", sorted(manifest()))
def test_a_vendored_file_is_the_one_in_the_manifest(path):
    assert hashlib.sha256((VENDOR / path).read_bytes()).hexdigest() == manifest()[path]


def test_no_vendored_file_is_missing_from_the_manifest():
    present = {f.relative_to(VENDOR).as_posix() for f in VENDOR.rglob("*") if f.is_file()}
    assert present - {"MANIFEST.sha256"} == set(manifest())


def test_every_vendored_package_names_its_version_and_licence():
    for package in (p for p in VENDOR.iterdir() if p.is_dir()):
        name, _, version = package.name.rpartition("-")
        assert name, package.name
        assert version.count(".") == 2, package.name
        assert list(package.glob("LICENSE*")), package.name


def test_the_cut_style_sheet_is_what_the_templates_need():
    assert cut_css.CUT.read_text("utf-8") == cut_css.cut(), "run  python -m tests.support.cut_css"

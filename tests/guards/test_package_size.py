"""A package with more than 25 modules is split: nobody finds a module in a longer list."""

from collections import Counter

import pytest

from tests.guards.test_texts_of_codes import ROOT

MOST_MODULES = 25


@pytest.mark.parametrize("root", ["allocation", "enrollment", "portal"])
def test_no_package_has_more_than_25_modules(root):
    modules = Counter(path.parent for path in (ROOT / root).rglob("*.py") if path.name != "__init__.py")
    assert {str(package.relative_to(ROOT)): n for package, n in modules.items() if n > MOST_MODULES} == {}


def test_portal_has_no_loose_modules():
    assert {path.name for path in (ROOT / "portal").glob("*.py")} == {"__init__.py", "app.py", "config.py"}

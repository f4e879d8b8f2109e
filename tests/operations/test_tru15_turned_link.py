"""TRU15, R7: the link of the deployed version is turned while the earlier one still works."""

import subprocess
import sys

import pytest

from tests.operations.serving import ROOT, environment
from tests.support.keys import write_key_file

LATE = "portal.operations.serve"
"""A module that a page process does not load at its start."""

SCRIPT = f"""
import importlib, sys, wsgi
assert {LATE!r} not in sys.modules
print("started", flush=True)
input()
loader = wsgi.app.jinja_env.loader
late = importlib.import_module({LATE!r})
print(late.__file__, loader.get_source(wsgi.app.jinja_env, "layout.html")[1], wsgi.app.static_folder, sep="\\n")
"""


@pytest.mark.long
def test_tru15_what_an_earlier_version_loads_late_is_its_own(tmp_path):
    link, newer = tmp_path / "portal", tmp_path / "newer"
    link.symlink_to(ROOT)
    for name in ("portal/operations/serve.py", "templates/layout.html"):
        (newer / name).parent.mkdir(parents=True)
        (newer / name).write_text("of the newer version")
    keys = write_key_file(tmp_path / "keys.json")
    settings = environment(
        tmp_path, PYTHONPATH=str(link), PYTHONSAFEPATH="1", KEY_FILE=str(keys), SECRET_KEY="x" * 40, DEMO="1",
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/none", REDIS_URL="redis://127.0.0.1:1/0",
    )  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env=settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "started\n"
        link.unlink()
        link.symlink_to(newer)
        told, _ = process.communicate("\n", timeout=60)
    module, template, static = told.splitlines()
    assert module == str(ROOT / "portal" / "operations" / "serve.py")
    assert template == str(ROOT / "templates" / "layout.html")
    assert static == str(ROOT / "portal" / "static")

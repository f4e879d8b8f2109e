"""The units of `deploy/` run commands that exist, on the sockets that the proxy knows."""

import configparser
import contextlib
import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from portal.operations import start
from portal.operations.data_folder import Folder
from portal.operations.page_processes import PageProcesses, workers_for_desks, workers_for_families
from portal.operations.proxy.configuration import configuration
from portal.operations.proxy.front import Front, Sockets
from portal.operations.proxy.process import find_proxy
from tests.operations.proxied import KINDS, has
from tests.operations.serving import ROOT, free_port

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
FLASK = re.compile(r"/opt/portal/\.venv/bin/flask --app wsgi (?P<words>[^'>\n]+)")


def read(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    parser.read(path)
    return parser


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_each_unit_runs_a_command_that_exists(path, whole_app):
    unit = read(path)
    commands = FLASK.findall(path.read_text())
    if not commands:
        assert re.search("gunicorn wsgi:app|pg_receivewal", unit["Service"]["ExecStart"])
    for words in commands:
        name, *arguments = shlex.split(words.replace("%i", "all"))
        command = whole_app.cli.commands[name]
        assert isinstance(command, click.Command)
        # refuses an unknown option, a missing one, and a wrong value
        command.make_context(name, arguments)
    if unit["Service"].get("Type") == "oneshot":
        assert "Restart" not in unit["Service"]
    else:
        assert unit["Service"]["Restart"] == "always"
        # without it systemd leaves a part alone for good after five quick ends, as while the database is away
        assert unit["Unit"]["StartLimitIntervalSec"] == "0"
        assert "owner" not in path.read_text(), "the owner of the tables is for migrations alone (TRU04)"


WRITERS = {"BACKUP_FOLDER": "portal-worker@", "AUDIT_HEAD_FILE": "portal-scheduler"}
"""The settings that name a place on the disk to which a part writes, and the unit of that part."""


@pytest.mark.parametrize("setting", WRITERS)
def test_tru15_each_unit_may_write_where_its_settings_say(setting):
    """`ProtectSystem=strict` leaves everything else read-only for it."""
    told = re.search(rf"`{setting}=(/[^`]+)`", (ROOT / "deploy" / "README.md").read_text("utf-8"))
    assert told, f"deploy/README.md names no {setting}"
    folder = told[1] if setting.endswith("_FOLDER") else os.path.dirname(told[1])
    service = read(ROOT / "deploy" / "systemd" / f"{WRITERS[setting]}.service")["Service"]
    assert service["ProtectSystem"] == "strict"
    assert folder in [path.removeprefix("-") for path in service.get("ReadWritePaths", "").split()]


def test_the_units_share_the_sockets_of_the_proxy():
    sockets = Sockets(Path("/run/portal"))
    for lane in ("families", "desks"):
        listens = read(ROOT / "deploy" / "systemd" / f"portal-{lane}.socket")["Socket"]["ListenStream"]
        assert listens == str(getattr(sockets, lane))
    line = (ROOT / "deploy" / "systemd" / "portal-line.service").read_text()
    assert f"--bind {sockets.line} --families {sockets.families}" in line
    assert f"--pages {sockets.pages}" in line


def test_tru03_each_page_process_knows_how_many_share_its_socket():
    """And the line and the proxy know how many there are for families."""
    units = {path.name: read(path)["Service"] for path in UNITS}

    def workers(name: str) -> int:
        return int(re.search(r"--workers (\d+)", path_text(name))[1])

    def path_text(name: str) -> str:
        return (ROOT / "deploy" / "systemd" / name).read_text()

    def told(name: str) -> int:
        return int(re.search(r"^Environment=PAGE_PROCESSES=(\d+)$", path_text(name), re.MULTILINE)[1])

    masters = ("portal-families.service", "portal-families-spare.service")
    families = sum(map(workers, masters))
    assert {told(name) for name in masters} == {families}
    assert told("portal-desks.service") == workers("portal-desks.service")
    assert workers("portal-line.service") == workers("portal-proxy.service") == families
    serving = [name for name, service in units.items() if "gunicorn" in service["ExecStart"]]
    assert sorted(serving) == sorted([*masters, "portal-desks.service"])


def test_tru03_make_serve_tells_its_page_processes_how_many_they_are(tmp_path):
    with start.listen("127.0.0.1", 0) as listener:
        folder = Folder(tmp_path / "var")
        folder.path.mkdir()
        with contextlib.closing(
            PageProcesses(folder, {"PATH": os.environ["PATH"], "PROXY": "caddy"}, listener)
        ) as pages:
            families, desks, _line = pages.children()
            found = [(each.env or {})["PAGE_PROCESSES"] for each in (families, pages.spare(), desks)]
    assert found == [str(workers_for_families())] * 2 + [str(workers_for_desks())]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("proxies", [0, 1, 3])
def test_each_proxy_accepts_its_configuration(tmp_path, kind, proxies):
    if not has(kind):
        pytest.skip("nginx is not on this machine")
    front = Front(f"127.0.0.1:{free_port()}", Sockets(tmp_path), tmp_path, 4, proxies=proxies)
    path = tmp_path / "configuration"
    path.write_text(configuration(kind, front))
    program = find_proxy({"PROXY": kind, "PATH": os.environ["PATH"]})[1]
    check = ["-t", "-e", "stderr", "-c"] if kind == "nginx" else ["validate", "--adapter", "caddyfile", "--config"]
    done = subprocess.run([program, *check, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

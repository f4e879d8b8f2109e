"""The processes that answer visitors: the proxy, the pages of families and of desks, the waiting line."""

import contextlib
import os
import shutil
import socket
import sys
from pathlib import Path

import portal
from portal.operations import start
from portal.operations.child_processes import Child
from portal.operations.data_folder import Folder
from portal.operations.embedded import short_folder
from portal.operations.proxy.front import Front, Sockets
from portal.operations.proxy.process import find_proxy, open_files, proxy_child, system_user
from portal.operations.standby import Standby

ROOT = Path(portal.__file__).parents[1]


def workers_for_families() -> int:
    """Twice the number of cores, because processes wait for the database."""
    return 2 * (os.cpu_count() or 1)


def spare_workers() -> int:
    """Those of them that the second master has."""
    return workers_for_families() // 2


def workers_for_desks() -> int:
    """Their own processes, so that staff and officials work while families wait."""
    return max(2, os.cpu_count() or 1)


class PageProcesses:
    """The sockets of this start, which the supervisor keeps open, so that visitors wait while a process restarts."""

    def __init__(self, folder: Folder, environ: dict[str, str], listener: socket.socket):
        """Raises Fault if there is no proxy."""
        self.kind, self.program = find_proxy(environ)
        self.listener, self.data = listener, folder
        self.proxies_before = int(environ.get("PROXIES") or "0")
        self.environ = environ | {"PROXIES": "1"}  # the one that is started here; it replaces what others tell
        self.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_empty(folder.path / "run" / "metrics"))
        self.sockets = Sockets(short_folder(folder.path / "run"))
        self.sockets.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder.path / "proxy"
        paths = {"families": self.sockets.families, "desks": self.sockets.desks, "line": self.sockets.line}
        self.open = {name: _listen(path) for name, path in paths.items()}

    def close(self) -> None:
        """Close them here; the children that are ending still have theirs."""
        for each in self.open.values():
            each.close()

    def children(self) -> list[Child]:
        """Page processes and the line; the proxy starts when they answer."""
        families = self._pages("portal", "families", workers_for_families() - spare_workers())
        desks = self._pages("desks", "desks", workers_for_desks())
        line = self.open["line"].fileno()
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "line", "--bind", f"fd://{line}"]
        command += ["--families", str(self.sockets.families), "--workers", str(workers_for_families())]
        command += ["--pages", str(self.sockets.pages)]
        waiting = Child("line", command, start.log(self.data, "line"), env=self.environ, files=(line,), folder=ROOT)
        return [families, desks, waiting]

    def spare(self) -> Child:
        """A second master of the pages of families on the same socket.  When one of the two is killed or starts anew, which
        takes seconds and on a busy machine many, families do not wait for it.
        """
        return self._pages("portal-spare", "families", spare_workers(), title="spare-families")

    def standby(self) -> Standby:
        """A process that goes on as any of these, or as one of the background, when it is lost."""
        sockets = tuple(each.fileno() for each in self.open.values())
        return Standby("standby", start.log(self.data, "standby"), env=self.environ, sockets=sockets, folder=ROOT)

    def _pages(self, name: str, lane: str, workers: int, title: str = "") -> Child:
        number = self.open[lane].fileno()
        # each counts its part of an address's requests
        together = workers_for_families() if lane == "families" else workers_for_desks()
        environ = self.environ | {"PAGE_PROCESSES": str(together)}
        command = [sys.executable, "-m", "portal.operations.inherited_socket", str(number)]
        command += ["-m", "gunicorn", "wsgi:app", "--workers", str(workers)]
        # worker processes are forks of one that has loaded the app: a quarter of the start time and of the memory
        command += ["--preload", "--no-control-socket", "--graceful-timeout", "5", "--timeout", "60"]
        command += ["--chdir", str(ROOT), "--name", title or lane]
        return Child(name, command, start.log(self.data, name), env=environ, files=(number,), folder=ROOT)

    def proxy(self) -> Child:
        host, port = self.listener.getsockname()[:2]
        front = Front(
            f"{host}:{port}",
            self.sockets,
            self.folder,
            workers_for_families(),
            proxies=self.proxies_before,
            listener=self.listener.fileno(),
            user=system_user(),
            open_files=open_files(),
        )
        return proxy_child(self.kind, self.program, front, start.log(self.data, "proxy"), self.environ)


def _empty(folder: Path) -> Path:
    """A folder without the files of an earlier start."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _listen(path: Path) -> socket.socket:
    """A listening unix socket that only its owner may open."""
    with contextlib.suppress(OSError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(2048)
    return listener

"""`make serve`: database, queue, portal, workers and clock under one process, which leaves none behind."""

import argparse
import contextlib
import http.client
import os
import socket
import sys
from pathlib import Path

from portal import doctor
from portal.background import WORKERS
from portal.config import Unconfigured, from_environment
from portal.running import start
from portal.running.children import Child
from portal.running.faults import Fault
from portal.running.folder import Folder
from portal.running.supervisor import Supervisor

ROOT = Path(__file__).parents[1]


def say(line: str) -> None:
    # the terminal may be gone; that must not keep anything from being ended
    with contextlib.suppress(OSError):
        print(f"portal: {line}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    parser.add_argument("--forget-data", action="store_true", help="remove the data folder's content and end")
    parser.add_argument("--without-city", action="store_true", help="do not load the demo city at the first start")
    asked = parser.parse_args(arguments)
    folder = Folder(Path(os.environ.get("PORTAL_DATA") or ROOT / "var"))
    supervisor = Supervisor(say)
    supervisor.take_signals()
    try:
        folder.take(f"process {os.getpid()}, http://{asked.host}:{asked.port}")
        if asked.forget_data:
            folder.forget()
            return 0
        serve(supervisor, folder, asked.host, asked.port, city=not asked.without_city)
    except (Fault, Unconfigured) as fault:
        print(f"make serve: {fault}", file=sys.stderr, flush=True)
        return 1
    except OSError as error:
        print(f"make serve: {error.strerror} ({error.filename or folder.path})", file=sys.stderr, flush=True)
        return 1
    finally:
        supervisor.end()
    say("stopped")
    return 0


def serve(supervisor: Supervisor, folder: Folder, host: str, port: int, *, city: bool) -> None:
    with contextlib.closing(start.listen(host, port)) as door:
        folder.check_room()
        environ = start.settings(folder, dict(os.environ), port)
        say("starting database and queue")
        environ["DATABASE_URL"], database = start.start_database(folder, environ)
        if database:
            supervisor.add_layer(database, started=True)
        environ["REDIS_URL"], queue = start.start_queue(folder, environ)
        if queue:
            supervisor.add_layer(queue, started=True)
        from_environment(environ)
        start.migrate(environ["DATABASE_URL"], folder)
        letters = doctor.finding("letters", doctor.letters)
        if not letters.well:
            say(letters.fault)
        supervisor.add_layer(*children(folder, environ, door))
        supervisor.watch(Opening(supervisor, folder, environ, (host, port), city=city).turn)
        say("stopping")


def children(folder: Folder, environ: dict[str, str], door: socket.socket) -> list[Child]:
    """The portal, a worker of each kind, and the clock."""
    python = sys.executable
    pages = [
        python,
        "-m",
        "gunicorn",
        "wsgi:app",
        "--bind",
        f"fd://{door.fileno()}",
        "--workers",
        str(start.page_workers()),
    ]
    # each process of it is a copy of one that has read everything: a quarter of the start, and of the memory
    pages += ["--preload", "--no-control-socket", "--graceful-timeout", "5", "--timeout", "60", "--chdir", str(ROOT)]
    described = [("portal", pages, (door.fileno(),))]
    described += [(f"worker-{kind}", [python, "-m", "portal.worker", kind], ()) for kind in WORKERS]
    described += [("clock", [python, "-m", "portal.cron"], ())]
    return [
        Child(name, command, log=start.log(folder, name), env=environ, files=files, folder=ROOT)
        for name, command, files in described
    ]


class Opening:
    """What happens once after the start: say that the portal answers, then load the demo city beside it."""

    def __init__(self, supervisor: Supervisor, folder: Folder, environ: dict[str, str], address, *, city: bool):
        self.supervisor, self.folder, self.environ = supervisor, folder, environ
        self.host, self.port = address
        self.city = city
        self.open = False
        self.shown = 0
        self.demo: Child | None = None

    def turn(self) -> None:
        if not self.open and self._answers():
            self.open = True
            self._welcome()
        if self.demo is not None:
            self._show_progress()

    def _answers(self) -> bool:
        visit = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            visit.request("GET", "/healthz", headers={"Host": self.environ["PUBLIC_URL"].partition("//")[2]})
            return visit.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            visit.close()

    def _welcome(self) -> None:
        demo = self.environ["DEMO"] == "1"
        say(f"ready at http://{self.host}:{self.port}")
        if demo:
            say(f"demo accounts: http://{self.host}:{self.port}/sign-in   their codes: /demo/inbox")
        say("stop with Ctrl-C")
        if demo and self.city and start.is_empty(self.environ["DATABASE_URL"]):
            say("loading the demo city in the background")
            log = start.log(self.folder, "demo")
            log.unlink(missing_ok=True)
            # whoever opens a page meanwhile goes first
            command = ["nice", "-n", "5", sys.executable, "-m", "flask", "--app", "wsgi", "demo"]
            self.demo = Child("demo city", command, log=log, env=self.environ, folder=ROOT)
            self.supervisor.add_task(self.demo)

    def _show_progress(self) -> None:
        """Pass on each whole line that the demo's loading has written."""
        over = not self.demo.running
        lines = self.demo.log.read_text(errors="replace").replace("\r", "\n").split("\n")
        lines = lines if over else lines[:-1]
        for line in lines[self.shown :]:
            if line.strip():
                say(line.strip())
        self.shown = len(lines)
        if over:
            if self.demo.process is not None and self.demo.process.returncode:
                say(f"the demo city could not be loaded; see {self.demo.log}, then  make clean-data")
            self.demo = None


if __name__ == "__main__":
    sys.exit(main())

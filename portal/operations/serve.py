"""`make serve`: one process that runs database, queue, portal, worker, scheduler and sender, and ends all of them."""

import argparse
import contextlib
import http.client
import os
import sys
from pathlib import Path

import psycopg

import portal
from portal.config import Unconfigured, from_environment
from portal.operations import demo_loading, demo_stand_ins, doctor, start
from portal.operations.child_processes import Child
from portal.operations.data_folder import Folder
from portal.operations.demo_loading import Loading
from portal.operations.page_processes import PageProcesses
from portal.operations.start_faults import Fault, ServerLost
from portal.operations.supervisor import Supervisor

ROOT = Path(portal.__file__).parents[1]
STARTS = 4
"""How often a start is tried whose database or queue is lost meanwhile."""


def say(line: str) -> None:
    # the terminal may be closed; this must not prevent the children from being ended
    with contextlib.suppress(OSError):
        print(f"portal: {line}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    parser.add_argument("--forget-data", action="store_true", help="delete the content of the data folder and exit")
    parser.add_argument("--without-city", action="store_true", help="do not load the demo city at the first start")
    options = parser.parse_args(arguments)
    folder = Folder(Path(os.environ.get("PORTAL_DATA") or ROOT / "var"))
    supervisor = Supervisor(say)
    supervisor.take_signals()
    try:
        folder.lock(f"process {os.getpid()}, http://{options.host}:{options.port}")
        if options.forget_data:
            backups = os.environ.get("BACKUP_FOLDER")
            if stays := folder.clear(Path(backups) if backups else None):
                say(
                    f"kept: {' and '.join(str(folder.path / name) for name in stays)}; no backup is read without its keys"
                )
            return 0
        for left in reversed(range(STARTS)):
            try:
                serve(supervisor, folder, options.host, options.port, with_city=not options.without_city)
                break
            except ServerLost as fault:
                if left == 0 or supervisor.stopping:
                    raise fault.__cause__ if isinstance(fault.__cause__, Fault) else fault  # noqa: B904
                say(f"{fault}: the start begins anew")
                supervisor.end()
                supervisor.layers.clear()
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


def serve(supervisor: Supervisor, folder: Folder, host: str, port: int, *, with_city: bool) -> None:
    with contextlib.closing(start.listen(host, port)) as listener:
        folder.check_free_space()
        if "KEY_FILE" not in os.environ and "DATABASE_URL" not in os.environ and os.environ.get("DEMO", "1") == "1":
            folder.check_demo_keys()
        start.compile_modules(ROOT)
        environ = start.settings(folder, dict(os.environ), port)
        say("starting database and queue")
        database = start.start_database(folder, environ)
        # the children have the portal's role only
        environ.pop("OWNER_DATABASE_URL", None)
        environ["DATABASE_URL"] = database.url
        if database.server:
            supervisor.add_layer(database.server, started=True)
        environ["REDIS_URL"], queue = start.start_queue(folder, environ)
        if queue:
            supervisor.add_layer(queue, started=True)
        simulated = demo_stand_ins.settings(environ)
        for each in simulated.values():
            environ |= each
        from_environment(environ)
        with start.noticing_lost(supervisor.children):
            if database.server and demo_loading.state(database.migrator_url) == "unfinished":
                say("the demo city was not finished last time; it begins anew")
                start.recreate_database(database.migrator_url, Path(environ["AUDIT_HEAD_FILE"]))
            start.migrate(database, folder, demo=environ["DEMO"] == "1", key_file=Path(environ["KEY_FILE"]))
        letters = doctor.finding("letters", doctor.letters)
        if letters.fault is not None:
            say(letters.fault)
        with contextlib.closing(PageProcesses(folder, environ, listener)) as pages:
            stand_ins = [demo_stand_ins.process(name, environ, start.log(folder, name), ROOT) for name in simulated]
            if stand_ins:
                supervisor.add_layer(*stand_ins)
            spare, standby = pages.spare(), pages.standby()
            parts = [*pages.children(), *background(folder, environ)]
            later = [spare, quick_worker(folder, environ)]
            for part in (*parts, *later):
                part.successor = standby
            supervisor.add_layer(*parts)
            supervisor.add_layer(pages.proxy())
            after_start = AfterStart(supervisor, folder, environ, (host, port), [*later, standby], city=with_city)
            supervisor.watch(after_start.poll)
        say("stopping")


def background(folder: Folder, environ: dict[str, str]) -> list[Child]:
    """A worker for openings of results and one for all jobs, the scheduler, and the sender of messages."""
    described = {
        "worker-hour": ("worker", "hour"),
        "worker": ("worker", "all"),
        "clock": ("scheduler",),
        "sender": ("sender",),
    }
    return [flask_part(name, command, folder, environ) for name, command in described.items()]


def quick_worker(folder: Folder, environ: dict[str, str]) -> Child:
    """A worker for letters and other short jobs: they wait for no plan that is searched and no study that is drawn."""
    return flask_part("worker-quick", ("worker", "quick"), folder, environ)


def flask_part(name: str, command: tuple[str, ...], folder: Folder, environ: dict[str, str]) -> Child:
    words = [sys.executable, "-m", "flask", "--app", "wsgi", *command]
    return Child(name, words, log=start.log(folder, name), env=environ, folder=ROOT)


class AfterStart:
    """Tasks after the start: report that the portal answers, start what could wait, load the demo city in the background."""

    def __init__(
        self,
        supervisor: Supervisor,
        folder: Folder,
        environ: dict[str, str],
        address: tuple[str, int],
        later: list[Child],
        *,
        city: bool,
    ):
        self.supervisor, self.folder, self.environ, self.later = supervisor, folder, environ, later
        self.host, self.port = address
        self.city = city and environ["DEMO"] == "1"
        self.open = False
        self.loading: Loading | None = None

    def poll(self) -> None:
        if not self.open and self._answers():
            try:
                city = demo_loading.state(self.environ["DATABASE_URL"]) if self.city else "not wanted"
            except psycopg.OperationalError:
                return  # lost again already: the next look asks once more
            self.open = True
            self._welcome(city)
            self.supervisor.add_layer(*self.later)
        if self.loading is not None:
            self.loading.poll()
            if self.loading.over:
                self.loading = None

    def _answers(self) -> bool:
        visit = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            visit.request("GET", "/healthz", headers={"Host": self.environ["PUBLIC_URL"].partition("//")[2]})
            return visit.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            visit.close()

    def _welcome(self, city: str) -> None:
        say(f"ready at http://{self.host}:{self.port}")
        if self.environ["DEMO"] == "1":
            say(f"demo accounts: http://{self.host}:{self.port}/sign-in   their codes: /demo/inbox")
        if city == "absent":
            say("loading the demo city in the background")
            self.loading = Loading(self.environ, start.log(self.folder, "demo"), say)
            self.loading.begin()
            self.supervisor.tasks.append(self.loading.child)
        elif city == "unfinished":
            say("the demo city of this database is unfinished: empty the database and start again")
        say("stop with Ctrl-C")


if __name__ == "__main__":
    sys.exit(main())

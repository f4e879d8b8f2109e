"""`flask worker`, `flask scheduler`, `flask sender` and `flask line`: the processes beside those of the pages."""

import socket
from pathlib import Path

import click
from flask.cli import ScriptInfo

from portal.jobs import runner, scheduler, worker
from portal.line import process as line_process
from portal.sender import process


@click.command("worker")
@click.argument("kind", type=click.Choice(sorted(runner.WORKERS)))
@click.pass_obj
def run_worker(info: ScriptInfo, kind: str) -> None:
    """Run jobs until SIGTERM: `quick` serves short jobs alone, `all` serves every queue."""
    worker.serve(info.load_app(), kind)


@click.command("scheduler")
@click.pass_obj
def run_scheduler(info: ScriptInfo) -> None:
    """Run the scheduler until SIGTERM: enqueue due jobs and seal the audit trail."""
    scheduler.serve(info.load_app())


@click.command("sender")
@click.pass_obj
def run_sender(info: ScriptInfo) -> None:
    """Send the messages of the outbox until SIGTERM: one-time codes in a lane of their own, then all others."""
    process.serve(info.load_app())


@click.command("line")
@click.option("--bind", required=True, help="unix socket to listen on: a path, or fd://N for an open one")
@click.option("--families", required=True, type=click.Path(path_type=Path), help="unix socket of the page processes")
@click.option("--workers", required=True, type=click.IntRange(1), help="number of page processes behind that socket")
@click.option(
    "--pages", required=True, type=click.Path(path_type=Path), help="folder for the pages that the proxy sends"
)
@click.pass_obj
def run_line(info: ScriptInfo, bind: str, families: Path, workers: int, pages: Path) -> None:
    """Keep the waiting line in front of the page processes of families until SIGTERM."""
    if bind.startswith("fd://"):
        listener = socket.socket(fileno=int(bind.removeprefix("fd://")))
    else:
        Path(bind).unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(bind)
    line_process.run(info.load_app(), listener, families, workers, pages)


commands = (run_line, run_worker, run_scheduler, run_sender)

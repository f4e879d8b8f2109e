"""`flask worker` and `flask scheduler`: the two processes of background work."""

import click
from flask.cli import ScriptInfo

from portal.jobs import runner, scheduler, worker


@click.command("worker")
@click.argument("kind", type=click.Choice(sorted(runner.WORKERS)))
@click.pass_obj
def run_worker(info: ScriptInfo, kind: str) -> None:
    """Run jobs until SIGTERM: `quick` serves one-time codes and messages, `all` serves every queue."""
    worker.serve(info.load_app(), kind)


@click.command("scheduler")
@click.pass_obj
def run_scheduler(info: ScriptInfo) -> None:
    """Run the scheduler until SIGTERM: enqueue due jobs and seal the audit trail."""
    scheduler.serve(info.load_app())


commands = (run_worker, run_scheduler)

"""`flask doctor`: check each part that the portal needs, and say how to repair it."""

import functools

import click
from flask.cli import with_appcontext

from portal.operations import database_roles, doctor, overdue_work
from portal.operations.printing import answer, as_json_option
from portal.web.unit_of_work import clock, db, services


@click.command("doctor")
@as_json_option
@with_appcontext
def cli(as_json: bool) -> None:
    """Check database and its role, queue, worker, scheduler, letters, overdue retention, clocks, backups and unused keys."""
    config = services().config
    findings = doctor.examine(config.database_url, config.redis_url)
    if findings[0].well:
        findings.append(doctor.finding("retention", lambda: overdue_work.retention(db(), clock())))
        findings.append(doctor.finding("permits", lambda: overdue_work.permit_clock(db(), demo=config.demo)))
        backup = functools.partial(overdue_work.backup_age, demo=config.demo, folder=config.backup_folder)
        if not config.demo:
            findings.append(doctor.finding("role", lambda: database_roles.check_role(config.database_url)))
        findings.append(doctor.finding("clock", lambda: overdue_work.host_clock(db())))
        findings.append(doctor.finding("backup", lambda: backup(db())))
        findings.append(doctor.finding("keys", lambda: overdue_work.old_keys(db(), config.keys)))
        findings.append(doctor.finding("alarms", lambda: overdue_work.open_alarms(db())))
    if config.single_sign_on is not None:
        sign_on = functools.partial(doctor.single_sign_on, config.single_sign_on)
        findings.append(doctor.finding("sign-on", sign_on))
    told = [{"part": each.part, "well": each.well, "fault": each.fault} for each in findings]
    answer(told, (f"{each.part:10} {each.fault or 'well'}" for each in findings), as_json=as_json)
    if not doctor.is_well(findings):
        raise SystemExit(1)

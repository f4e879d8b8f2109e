"""Approval of policies: upload, dry run, two signatures, withdrawal by a later version."""

import datetime as dt
import functools
import uuid
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.ground import audit, signatures
from enrollment.ground.accounts import Actor, Office, Role
from enrollment.ground.errors import NotFound, Refused
from enrollment.season import kept_years, policy_file
from enrollment.season.calendar import Season
from enrollment.season.policy_comparison import ComparedApplication, PolicyComparison, compare
from enrollment.season.policy_rows import Policy
from enrollment.season.rules import Rules

SIGNATURES_NEEDED = 2
FOLDER = Path(__file__).parent / "policies"


def template(family: str, area: str, year: int) -> str:
    """The text of a template, adapted to an area and a year."""
    if family not in policy_file.FAMILIES:
        raise NotFound(family)
    return policy_file.adapt_to_area((FOLDER / f"{family.replace('_', '-')}.toml").read_text(), area, year)


def worked_example() -> str:
    """The text of the file that explains every key."""
    return (FOLDER / "worked-example.toml").read_text()


def may_decide(by: Actor, area: str) -> bool:
    """Whether the actor decides in this area: city officials everywhere, area officials in their areas."""
    return by.is_any(Role.CITY_OFFICIAL) or (by.is_any(Role.AREA_OFFICIAL) and area in by.areas)


def _check_scope(by: Actor, area: str) -> None:
    if not may_decide(by, area):
        raise Refused("not_your_area", area=area)


def upload(session: Session, text: str, *, area: str, year: int, by: Actor, now: dt.datetime) -> Policy:
    """Store a file as the area's next version.

    Raises PolicyFaults with every fault, among them a file that is meant for another area or year.  Refuses
    `policy_unchanged` when it is byte for byte the newest version.
    """
    _check_scope(by, area)
    text = text.replace("\r\n", "\n").rstrip() + "\n"
    check(text, area=area, year=year)
    if session.get(Season, year, with_for_update=True) is None:
        raise Refused("no_such_season", year=year)
    newest = versions(session, year, area)[:1]
    digest = policy_file.digest_of(text)
    if newest and newest[0].digest == digest:
        raise Refused("policy_unchanged", field="text", version=newest[0].version)
    number = newest[0].version + 1 if newest else 1
    made = Policy(
        area_code=area, year=year, version=number, text=text, digest=digest, made_by=by.account_id, made_at=now
    )
    session.add(made)
    session.flush()
    audit.record(session, "upload_policy", "policy", made.id, by=by, now=now, area=area, version=number, digest=digest)
    return made


def check(text: str, *, area: str, year: int) -> Rules:
    """The rules of a text that is meant for this area and year.  Raises PolicyFaults."""
    return policy_file.read(text, area=area, year=year)


def versions(session: Session, year: int, area: str) -> list[Policy]:
    """All versions of an area's policy, the newest first."""
    found = select(Policy).where(Policy.year == year, Policy.area_code == area).order_by(Policy.version.desc())
    return list(session.scalars(found))


def get_policy(session: Session, policy_id: uuid.UUID, *, lock: bool = False) -> Policy:
    found = session.get(Policy, policy_id, with_for_update=lock)
    if found is None:
        raise NotFound(policy_id)
    return found


def policy_in_force(session: Session, year: int, area: str) -> Policy | None:
    kept = kept_years.in_force(session, year)
    if kept is not None:
        return kept.get(area)
    return session.scalars(_in_force_query().where(Policy.year == year, Policy.area_code == area)).one_or_none()


def policies_in_force(session: Session, year: int) -> dict[str, Policy]:
    """The policy in force of each area that has one."""
    kept = kept_years.in_force(session, year)
    if kept is not None:
        return kept
    return {found.area_code: found for found in session.scalars(_in_force_query().where(Policy.year == year))}


def _in_force_query():
    return select(Policy).where(Policy.signed_at.is_not(None), Policy.withdrawn_at.is_(None))


@functools.lru_cache(maxsize=256)
def rules_in_force(text: str) -> Rules:
    """The parsed rules of a stored policy, cached in the process."""
    return policy_file.read(text)


def rules_of(found: Policy) -> Rules:
    return rules_in_force(found.text)


def previous_version(session: Session, made: Policy) -> Policy | None:
    """The version to compare with: the one in force, otherwise the newest signed one of an earlier year."""
    current = policy_in_force(session, made.year, made.area_code)
    if current is not None and current.id != made.id:
        return current
    earlier = select(Policy).where(
        Policy.area_code == made.area_code, Policy.signed_at.is_not(None), Policy.id != made.id
    )
    older = (Policy.year < made.year) | ((Policy.year == made.year) & (Policy.version < made.version))
    return session.scalars(earlier.where(older).order_by(Policy.year.desc(), Policy.version.desc()).limit(1)).first()


def dry_run(
    session: Session, policy_id: uuid.UUID, cases: Iterable[ComparedApplication], *, by: Actor, now: dt.datetime
) -> PolicyComparison:
    """Apply a version and its previous version to applications, and store that the dry run was made.

    `cases` are passed by the caller (`chances.policy_trial`), because `season` does not read applications.
    """
    made = get_policy(session, policy_id, lock=True)
    _check_scope(by, made.area_code)
    trial = compare_with_previous(session, made, cases)
    made.dry_run_at = now
    session.flush()
    audit.record(session, "dry_run_policy", "policy", made.id, by=by, now=now, **trial.summary())
    return trial


def compare_with_previous(session: Session, made: Policy, cases: Iterable[ComparedApplication]) -> PolicyComparison:
    """The same comparison without writing anything."""
    earlier = previous_version(session, made)
    return compare(rules_of(earlier) if earlier else None, rules_of(made), cases)


def sign(session: Session, policy_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> int:
    """Sign a version; with the second person's signature it is in force and the older one is withdrawn.

    Refuses `dry_run_first`, `policy_withdrawn`, `in_force_already`, `newer_version` and `signed_already`.  Returns how
    many people have signed.
    """
    made = get_policy(session, policy_id, lock=True)
    _check_scope(by, made.area_code)
    session.get(Season, made.year, with_for_update=True)
    _check_can_be_signed(session, made)
    count = signatures.sign(session, "policy", made.id, made.digest, office=Office(area=made.area_code), by=by, now=now)
    if count >= SIGNATURES_NEEDED:
        _put_in_force(session, made, by=by, now=now)
    return count


def _check_can_be_signed(session: Session, made: Policy) -> None:
    if made.withdrawn_at is not None:
        raise Refused("policy_withdrawn", version=made.version)
    if made.signed_at is not None:
        raise Refused("in_force_already", version=made.version)
    if made.dry_run_at is None:
        raise Refused("dry_run_first", version=made.version)
    current = policy_in_force(session, made.year, made.area_code)
    if current is not None and current.version > made.version:
        raise Refused("newer_version", version=current.version)
    # the trial that the first person looked at compared with a version that may since have been replaced
    if current is not None and current.signed_at is not None and current.signed_at > made.dry_run_at:
        raise Refused("dry_run_again", version=made.version)


def _put_in_force(session: Session, made: Policy, *, by: Actor, now: dt.datetime) -> None:
    older = policy_in_force(session, made.year, made.area_code)
    if older is not None:
        older.withdrawn_at = now
        session.flush()
        audit.record(session, "withdraw_policy", "policy", older.id, by=by, now=now, version=older.version)
    made.signed_at = now
    session.flush()
    audit.record(
        session, "put_policy_in_force", "policy", made.id, by=by, now=now, area=made.area_code, digest=made.digest
    )


def signers(session: Session, made: Policy) -> list[signatures.Signature]:
    return signatures.signatures_of(session, "policy", made.id, made.digest, office=Office(area=made.area_code))


def waiting_for_signature(session: Session, year: int, areas: Iterable[str] | None = None) -> list[Policy]:
    """Newest versions that are neither signed nor withdrawn, oldest first; None means all areas."""
    newest = (
        select(Policy.area_code, func.max(Policy.version).label("version"))
        .where(Policy.year == year)
        .group_by(Policy.area_code)
        .subquery()
    )
    found = select(Policy).join(newest, (Policy.area_code == newest.c.area_code) & (Policy.version == newest.c.version))
    found = found.where(Policy.year == year, Policy.signed_at.is_(None), Policy.withdrawn_at.is_(None))
    if areas is not None:
        found = found.where(Policy.area_code.in_(list(areas)))
    return list(session.scalars(found.order_by(Policy.made_at)))

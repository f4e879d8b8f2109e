"""Bulk rows of families, equal to those that the service functions write."""

import datetime as dt
import functools
import json
import uuid
import zlib
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from numpy.random import Generator
from sqlalchemy.orm import Session

from enrollment.applications import contents
from enrollment.applications.claim_rows import DETAILS
from enrollment.ground.identity import index_of
from enrollment.ground.phones import parse_phone, phone_index
from enrollment.ground.random_codes import CODE_ALPHABET
from enrollment.ground.sealed.codes import token_of
from enrollment.ground.vault import row_name, seal
from enrollment.people import consents
from enrollment.people.household_rows import Household as HouseholdRow
from enrollment.people.likeness import indexes_of
from portal.demo.batches import RowBatch, writing_beside
from portal.demo.households import Child, Household
from portal.demo.programmes import DemoProgramme

COLUMNS: dict[str, tuple[str, ...]] = {
    "account": ("id", "name", "phone", "phone_index", "created_at"),
    "role_grant": ("id", "account_id", "role"),
    "guardian": ("id", "account_id", "name", "phone", "id_kind", "id_number", "id_index", "created_at", "version"),
    "consent": ("id", "account_id", "kind", "text_version", "text_digest", "given_at"),
    "child": ("id", "name", "id_kind", "id_number", "id_index", "born", "sex", "created_at", "version"),
    "child_likeness": ("child_id", "name_index", "sound_index", "letters_index", "month_index"),
    "child_document": ("id", "child_id", "kind", "number", "person_index", "added_at", "added_by", "current", "checked_at"),
    "guardianship": ("guardian_id", "child_id", "relation", "since", "accepted_at"),
    "application": (
        "id", "child_id", "year", "entered_by", "level", "stage", "version", "registration_code", "child_code", "family_code", "unit",
        "agrees_to_central", "on_hold", "created_at", "changed_at", "submitted_at", "review_kindergarten_id",
    ),
    "household": (
        "application_id", "hukou_kind", "hukou_area", "work_area", "residence_permit_area", "version", "home_area", "home_street",
        "home_community", "home_estate", "home_address", "home_longitude", "home_latitude", "home_owned", "home_outside",
    ),
    "claim": ("application_id", "ground", "details", "claimed_at"),
    "elder_sibling": ("application_id", "name", "id_number", "id_index"),
    "wish": ("application_id", "round_id", "rank", "programme_id"),
    "application_version": ("application_id", "number", "answers", "digest", "changed", "submitted_at", "submitted_by"),
    "move_made": ("application_id", "move", "before", "after", "account_id", "at"),
}  # fmt: skip
"""Tables in the order of their foreign keys, with the written columns."""
POINT = {"home_longitude", "home_latitude"}
HOUSEHOLD: Any = HouseholdRow.__table__.columns


class Batch(RowBatch):
    """Rows of a few thousand families, collected until `write`.  Ids and codes come from `random`: the same seed gives the same city."""

    columns = COLUMNS

    def __init__(
        self,
        random: Generator,
        round_id: uuid.UUID,
        round_number: int,
        year: int,
        offers: list[DemoProgramme],
        now: dt.datetime,
        consent: tuple[str, str],
    ):
        super().__init__(random)
        self.round_id, self.round_number, self.year = round_id, round_number, year
        self.offers, self.now, self.consent = offers, now, consent

    def _registration_code(self) -> str:
        letters = "".join(CODE_ALPHABET[i] for i in self.random.integers(len(CODE_ALPHABET), size=8))
        return f"{letters[:4]}-{letters[4:]}"

    def add(self, family: Household) -> None:
        account, guardian = self._id(), self._id()
        began = self.now - dt.timedelta(seconds=int(self.random.integers(0, 20 * 3600)))
        name, phone = family.guardian, parse_phone(family.phone)
        self._add(
            "account",
            account,
            seal(name, "account.name", account),
            seal(phone, "account.phone", account),
            phone_index(phone),
            began,
        )
        self._add("role_grant", self._id(), account, "guardian")
        sealed_id = seal(family.guardian_id, "guardian.id_number", guardian)
        self._add(
            "guardian", guardian, account, seal(name, "guardian.name", guardian), seal(phone, "guardian.phone", guardian),
            "resident", sealed_id, index_of(family.guardian_id), began, 1,
        )  # fmt: skip
        for kind in consents.KINDS:
            self._add("consent", self._id(), account, kind, *self.consent, began)
        unit = self._id() if family.bound else None
        codes = [(self._id(), child, self.random.bytes(10).hex()) for child in family.children]
        family_code = self.random.bytes(10).hex()
        bound = sorted(code for _application, _child, code in codes) if family.bound else []
        for application, child, child_code in codes:
            self._add_child(family, child, account, guardian, application, child_code, family_code, unit, began)
            self._hand_in(family, phone, child, account, application, bound, began)

    def _add_child(
        self,
        family: Household,
        child: Child,
        account: uuid.UUID,
        guardian: uuid.UUID,
        application: uuid.UUID,
        child_code: str,
        family_code: str,
        unit: uuid.UUID | None,
        began: dt.datetime,
    ) -> None:
        child_id = self._id()
        sealed_id = seal(child.id_number, "child.id_number", child_id)
        index = index_of(child.id_number)
        self._add(
            "child", child_id, seal(child.name, "child.name", child_id), "resident", sealed_id, index,
            seal(child.born.isoformat(), "child.born", child_id), child.sex, began, 1,
        )  # fmt: skip
        self._add("child_likeness", child_id, *indexes_of(child.name, child.born, child.sex).values())
        self._add(
            "child_document", child_id, child_id, "resident", sealed_id, index, began, account, True, began,
        )  # fmt: skip
        self._add("guardianship", guardian, child_id, family.relation, began, began)
        first = self.offers[family.wishes[0]].kindergarten_id
        self._add(
            "application", application, child_id, self.year, account, "lower", "submitted", 2, self._registration_code(), child_code, family_code,
            unit, agrees_to_central(family), False, began, began, began, first,
        )  # fmt: skip

    def _hand_in(
        self,
        family: Household,
        phone: str,
        child: Child,
        account: uuid.UUID,
        application: uuid.UUID,
        bound: list[str],
        began: dt.datetime,
    ) -> None:
        home = home_of(family)
        home["home_address"] = seal(home["home_address"], "household.home_address", application)
        for name in POINT & home.keys():
            home[name] = HOUSEHOLD[name].type.sealed(home[name], application)
        self._add(
            "household", application, family.hukou_kind, family.hukou_area, family.work_area, family.permit_area, 1,
            *(home.get(name) for name in COLUMNS["household"][6:]),
        )  # fmt: skip
        claims = claims_of(family)
        for ground, details in claims.items():
            self._add(
                "claim",
                application,
                token_of(ground),
                DETAILS.sealed(details, row_name(application, token_of(ground))),
                began,
            )
        if family.elder is not None:
            self._add(
                "elder_sibling", application, seal(family.elder.name, "elder_sibling.name", application),
                seal(family.elder.id_number, "elder_sibling.id_number", application), index_of(family.elder.id_number),
            )  # fmt: skip
        for rank, index in enumerate(family.wishes, start=1):
            self._add("wish", application, self.round_id, rank, self.offers[index].programme_id)
        said = self._answers(family, phone, child, claims, bound)
        text = contents.as_text(said)
        sealed = seal(text, "application_version.answers", row_name(application, 1))
        self._add(
            "application_version", application, 1, sealed, contents.digest_of(said), json.dumps([]), began, account
        )
        self._add("move_made", application, "submit", "draft", "submitted", account, began)

    def _answers(
        self, family: Household, phone: str, child: Child, claims: dict[str, dict], bound: list[str]
    ) -> dict[str, Any]:
        """The same as `contents.gather`: the digest of the receipt covers exactly this."""
        household = {
            **home_of(family),
            "hukou_area": family.hukou_area,
            "hukou_kind": family.hukou_kind,
            "residence_permit_area": family.permit_area,
            "work_area": family.work_area,
        }
        household |= {
            name: as_json(household[name]) for name in ("home_latitude", "home_longitude") if name in household
        }
        return {
            "child": {"name": child.name, "id_kind": "resident", "id_number": child.id_number, "born": child.born.isoformat(), "sex": child.sex, "level": "lower"},
            "guardians": [{"name": family.guardian, "id_number": family.guardian_id, "phone": phone, "relation": family.relation}],
            "household": {name: value for name, value in household.items() if value is not None},
            "claims": claims,
            "evidence": {},
            "wishes": {str(self.round_number): [f"{self.offers[index].kindergarten}/lower" for index in family.wishes]},
            "bound_with": bound,
            "elder": None,
            "agrees_to_central": agrees_to_central(family),
            "registers": sorted(consents.Register),
        } | (
            {"elder_sibling": {"name": family.elder.name, "id_number": family.elder.id_number}} if family.elder else {}
        )  # fmt: skip


def agrees_to_central(family: Household) -> bool:
    """Nine of ten families agree; derived from the guardian's number, so that other random numbers do not change."""
    return zlib.crc32(family.guardian_id.encode()) % 10 > 0


@functools.lru_cache(maxsize=4096)
def as_json(degrees: float) -> str:
    """A coordinate in the form of the receipt."""
    return str(Decimal(str(degrees)).normalize())


def lives_outside(family: Household) -> bool:
    """One family in a hundred of those registered elsewhere has not moved to the city yet; told from the guardian's
    number, so that no other draw of the demo moves."""
    return family.hukou_kind == "elsewhere" and zlib.crc32(f"outside {family.guardian_id}".encode()) % 100 == 0


def home_of(family: Household) -> dict[str, Any]:
    """The columns of the household that tell the home."""
    if lives_outside(family):
        return {"home_outside": True, "home_address": "现在住在成都以外（模拟数据）"}
    longitude, latitude = family.point
    return {
        "home_address": family.address,
        "home_area": family.area,
        "home_community": family.community,
        "home_estate": family.estate,
        "home_latitude": latitude,
        "home_longitude": longitude,
        "home_owned": family.home_owned,
        "home_street": family.street,
    }


def claims_of(family: Household) -> dict[str, dict]:
    """Claims of the family and claims that follow from its household, as in `claims.follow_household`."""
    here = not lives_outside(family)
    carried = {
        "local_hukou": family.hukou_kind == "local",
        "collective_hukou": family.hukou_kind == "collective",
        "home_owner": here and family.home_owned,
        "service_area": here,
        "estate_owner": here and family.home_owned,
        "residence_permit": family.permit_area is not None,
        "workplace": family.work_area is not None,
    }
    return {ground: {} for ground, holds in carried.items() if holds} | family.claims


def write_all(
    session: Session, batch: Batch, families: Iterable[Household], progress: Callable[[int], None], size: int = 2000
) -> tuple[int, int]:
    """Write the families in batches, calling `progress` for each; return the numbers of families and of children."""
    written = children = 0
    with writing_beside(session) as writing:
        for family in families:
            batch.add(family)
            written += 1
            children += len(family.children)
            if written % size == 0:
                writing.write(batch)
                progress(children)
        writing.write(batch)
    progress(children)
    return written, children

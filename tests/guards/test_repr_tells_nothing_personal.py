"""`repr` of a row may stand in a log: it shows what tells rows apart, and nothing about a person."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from sqlalchemy import JSON, select
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.exc import DetachedInstanceError

from enrollment.applications.application_rows import Application
from enrollment.ground.data_register import impersonal_columns
from enrollment.ground.db import Base
from enrollment.ground.sealed.codes import KeyedCode, KeyedJson, KeyedText
from enrollment.ground.sealed.values import Sealed, SealedDate
from enrollment.offers.offer_rows import Offer
from enrollment.people.person_rows import Child
from enrollment.places.programmes import Programme
from enrollment.tables import METADATA

CANARY = "金丝雀"
CANARIES = {
    str: CANARY,
    bytes: CANARY.encode(),
    int: 987654321,
    bool: True,
    float: 98765.4321,
    Decimal: Decimal("98765.4321"),
    dt.date: dt.date(1987, 6, 5),
    dt.datetime: dt.datetime(1987, 6, 5, 4, 3, tzinfo=dt.UTC),
    dt.timedelta: dt.timedelta(days=98765),
    uuid.UUID: uuid.UUID("ca9a27ca-9a27-ca9a-27ca-9a27ca9a27ca"),
    list: [CANARY],
    dict: {CANARY: CANARY},
}
MODELS = sorted((mapper.class_ for mapper in Base.registry.mappers), key=lambda model: model.__name__)


def canary_of(column):
    kind = column.type
    if isinstance(kind, SealedDate):
        return CANARIES[dt.date]
    if isinstance(kind, Sealed | KeyedCode | KeyedText):
        return CANARY
    return CANARIES[dict if isinstance(kind, JSON | KeyedJson) else kind.python_type]


def test_every_table_has_a_model():
    assert {model.__tablename__ for model in MODELS} == set(METADATA.tables)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_repr_shows_no_personal_column_of_any_model(model):
    """Every column holds something; what is about a person holds a canary."""
    row = model()
    told = impersonal_columns(model.__tablename__)
    personal = []
    for attribute in row.__mapper__.column_attrs:
        [column] = attribute.columns
        if column.name not in told:
            setattr(row, attribute.key, canary_of(column))
            personal.append(column)
        elif column.primary_key:
            setattr(row, attribute.key, "the-key")
    said = repr(row)
    assert said.startswith(f"<{model.__name__}")
    for column in personal:
        assert f"{column.name}=" not in said
        if canary_of(column) is not True:
            assert str(canary_of(column)) not in said
    if any(column.name in told for column in model.__table__.primary_key):
        assert "the-key" in said


def test_repr_of_a_towns_rows_names_nobody(town):
    garden = town.kindergarten("锦官园", places=1)
    ana = town.child(CANARY, wishes=[garden])
    town.drawn(ana)
    rows = [row for model in MODELS for row in town.session.scalars(select(model)).all()]
    said = [repr(row) for row in rows]
    assert len({type(row) for row in rows}) > 20
    assert not [each for each in said if CANARY in each or ana.registration_code in each or ana.child_code in each]
    assert town.session.get_one(Child, ana.child_id).name == CANARY
    programme = town.programme_of(garden)
    assert repr(programme) == f"<Programme id={programme.id} level=lower year=2026 state=approved>"
    offer = town.offer_for(ana)
    assert repr(offer) == f"<Offer id={offer.id} year=2026>"


def test_repr_loads_nothing():
    known = uuid.uuid4()
    programme = Programme(id=known)
    make_transient_to_detached(programme)
    with pytest.raises(DetachedInstanceError):
        _ = programme.year
    assert repr(programme) == f"<Programme id={known}>"
    assert repr(Application()) == "<Application>"
    assert repr(Offer(id=known)) == f"<Offer id={known}>"

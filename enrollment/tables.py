"""Every table of the house in one place, for the migrations and the tests that compare them."""

import importlib

from enrollment.ground.db import Base

NOUNS = (
    "ground.accounts ground.sign_in ground.upkeep ground.audit ground.jobs ground.notices ground.signatures ground.demo_clock "
    "places.areas places.kindergartens places.service_areas places.programmes places.ledger_rows places.roll_rows "
    "places.imports.kept_files "
    "season.calendar season.signed_policies season.round_rows "
    "families.mandate_rows families.consents families.people families.application_rows families.lifecycle families.household_rows "
    "families.claim_rows families.evidence_rows families.registers families.returns families.entitlements families.cases "
    "draw.draws draw.chance_rows draw.run_rows draw.offers draw.arrivals figures.targets"
)

for noun in NOUNS.split():
    importlib.import_module(f"enrollment.{noun}")

METADATA = Base.metadata

"""Every table of the domain in one place, for the migrations and for the tests that compare them."""

import importlib

from enrollment.ground.db import Base

MODULES_WITH_TABLES = (
    "ground.accounts ground.sign_in ground.maintenance_permits ground.audit ground.jobs ground.outbox ground.signatures ground.demo_clock "
    "places.areas places.kindergartens places.service_areas places.programmes places.ledger_rows places.roll_rows "
    "places.imports.uploaded_files "
    "season.calendar season.policy_rows season.round_rows "
    "people.mandate_rows people.desk_rows people.consents people.person_rows people.duplicate_rows people.invitations people.household_rows "
    "applications.application_rows applications.lifecycle applications.claim_rows applications.evidence_rows "
    "applications.register_answers applications.elder_siblings applications.returned_items eligibility.sibling_entitlements review.case_rows review.guardian_requests review.correction_rows "
    "offers.offer_rows offers.joint_decision_rows offers.arrivals draw.draws draw.run_rows draw.duplicate_waivers chances.estimate_rows coverage.targets "
    "reports.data_packages"
)

for module in MODULES_WITH_TABLES.split():
    importlib.import_module(f"enrollment.{module}")

METADATA = Base.metadata

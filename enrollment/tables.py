"""Every table of the domain in one place, for the migrations and for the tests that compare them."""

import importlib

from enrollment.ground.db import Base

MODULES_WITH_TABLES = (
    "ground.accounts ground.sign_in ground.maintenance_permits ground.audit ground.audit_chain.heads ground.jobs ground.background_processes ground.operations.backups ground.operations.alarms ground.outbox ground.signatures ground.demo_clock "
    "places.areas places.kindergartens places.service_areas places.search.named_places places.programmes places.approvals.papers places.ledger_rows places.roll_rows places.roll_change_rows places.plans.class_loss places.population.rows places.grades.rows places.staffing.rows "
    "places.imports.uploaded_files "
    "season.calendar season.holidays season.policy_rows season.round_rows "
    "people.mandate_rows people.desk_rows people.consents people.person_rows people.duplicate_rows people.invitations people.household_rows people.sign_on_bindings "
    "announcements.rows "
    "delivery.unreachable_numbers delivery.sender_status delivery.message_choices delivery.wechat "
    "applications.application_rows applications.lifecycle applications.claim_rows applications.evidence_rows "
    "applications.registers.answer_rows applications.elder_siblings applications.child_needs.rows applications.returned_items eligibility.sibling_entitlements review.case_rows review.queue.saved_filters review.notes review.plausibility.rows review.queue.bulk_rows review.guardian_requests review.correction_rows "
    "offers.offer_rows offers.tally offers.joint_decision_rows offers.arrivals.rows draw.draws draw.run_rows draw.publication.rows draw.duplicate_waivers draw.seed.witness_rows chances.estimate_rows chances.demand coverage.targets coverage.roll_days coverage.alarm_answers coverage.rollup laboratory.study_rows places.measures.rows planning.plan_rows chances.movement_rows open_days.rows family_messages.rows planning.seat_rows planning.simulation_rows planning.papers draw.unserved.rows draw.unserved.kept_rows coverage.alarm_readings coverage.roll_confirmations "
    "results.full_files results.letters results.letter_batches reports.data_packages reports.tables.export_rows reports.tables.area_sums reports.tables.signed_returns reports.tables.comparison_rows staff_accounts.rows "
)

for module in MODULES_WITH_TABLES.split():
    importlib.import_module(f"enrollment.{module}")

METADATA = Base.metadata

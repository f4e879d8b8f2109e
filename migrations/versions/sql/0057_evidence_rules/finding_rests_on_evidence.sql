-- What staff find about a fact rests on what its source says: on a page that can prove it, and against a register on such a
-- page or on a second person.  A correction has papers and people of its own.
CREATE FUNCTION finding_rests_on_evidence() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    -- private facts and the papers that prove them are tokens
    private boolean := NEW.fact LIKE '~%';
    proving text[] := CASE NEW.fact
        WHEN 'born' THEN ARRAY['birth_certificate', 'passport_or_permit', 'hukou_booklet']
        WHEN 'hukou_area' THEN ARRAY['hukou_booklet', 'collective_hukou_page']
        WHEN 'hukou_kind' THEN ARRAY['hukou_booklet', 'collective_hukou_page']
        WHEN 'hukou_street' THEN ARRAY['hukou_booklet']
        WHEN 'home_area' THEN ARRAY['property_certificate', 'purchase_contract', 'rental_record', 'residence_permit']
        WHEN 'home_place' THEN ARRAY['property_certificate', 'purchase_contract', 'rental_record']
        WHEN 'home_owned' THEN ARRAY['property_certificate', 'purchase_contract']
        WHEN 'work_area' THEN ARRAY['work_contract', 'social_insurance']
        WHEN 'residence_permit_area' THEN ARRAY['residence_permit']
        WHEN 'sibling_at' THEN ARRAY['hukou_booklet', 'sibling_enrolment']
        WHEN 'sibling_right_at' THEN ARRAY['binding_agreement']
        WHEN 'children_in_family' THEN ARRAY['hukou_booklet', 'siblings_birth_certificates']
        ELSE ARRAY[]::text[] END;
BEGIN
    IF NEW.source = 'paper' AND NOT EXISTS (
        SELECT FROM evidence_page
        WHERE application_id = NEW.application_id AND removed_at IS NULL
          AND (document = ANY (proving) OR (private AND document LIKE '~%'))
    ) THEN
        RAISE EXCEPTION 'no page proves %', NEW.fact
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_verified_fact__paper_has_a_page', TABLE = 'verified_fact';
    END IF;
    IF NEW.page_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM evidence_page
        WHERE id = NEW.page_id AND application_id = NEW.application_id AND removed_at IS NULL
          AND (document = ANY (proving) OR (private AND document LIKE '~%'))
    ) THEN
        RAISE EXCEPTION 'the page does not prove %', NEW.fact
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_verified_fact__page_proves_it', TABLE = 'verified_fact';
    END IF;
    -- values are sealed: what the register itself says has it as the source
    IF NEW.outcome = 'verified' AND NEW.source IN ('paper', 'staff') AND NEW.page_id IS NULL AND NOT NEW.needs_second
       AND EXISTS (
        SELECT FROM register_answer
        WHERE application_id = NEW.application_id AND fact = NEW.fact AND answer = 'differs'
          AND at >= (SELECT max(submitted_at) FROM application_version WHERE application_id = NEW.application_id)
    ) THEN
        RAISE EXCEPTION 'a register contradicts %, and neither a page nor a second person supports it', NEW.fact
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_verified_fact__against_a_register', TABLE = 'verified_fact';
    END IF;
    RETURN NEW;
END $$;

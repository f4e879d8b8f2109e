-- Preschool Education Law, Article 17: a child with a disability is refused only after the education authority has decided
-- its case.  The kind of such a case is a token, the only kind that is; a duplicate is no refusal of the child.
CREATE FUNCTION refusal_waits_for_case() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM case_file
        WHERE application_id = NEW.application_id AND settled_at IS NULL AND (kind LIKE '~%' OR kind = 'disability')
    ) THEN
        RAISE EXCEPTION 'the case of the child is not decided'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_refusal_proposal__support_case', TABLE = 'refusal_proposal';
    END IF;
    RETURN NEW;
END $$;

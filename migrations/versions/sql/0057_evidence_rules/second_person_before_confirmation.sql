-- No review ends while a finding waits for its second person.
CREATE FUNCTION second_person_before_confirmation() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM verified_fact
        WHERE application_id = NEW.id AND needs_second AND second_by IS NULL
    ) THEN
        RAISE EXCEPTION 'a finding waits for a second person'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_application__second_person', TABLE = 'application';
    END IF;
    RETURN NEW;
END $$;

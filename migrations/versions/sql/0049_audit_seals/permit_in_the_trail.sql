-- Every maintenance permit is an entry of the audit trail, written by the database in the same statement.
CREATE FUNCTION permit_in_the_trail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_entry (at, act, subject, subject_id, details)
    VALUES (NEW.at, 'grant_permit', 'maintenance_permit', NEW.number::text, permit_details(NEW));
    RETURN NULL;
END $$;

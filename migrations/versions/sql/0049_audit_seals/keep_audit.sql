-- An audit entry is only ever added.  Until it is part of the chain its link, digest and key may be written, and nothing
-- else.  The oldest part of the chain may be deleted after ten years.
CREATE OR REPLACE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM upkeep_of_now('audit') AS door
        WHERE OLD.link <= door.audit_link AND OLD.at < door.at - interval '10 years') THEN
        RETURN OLD;
    END IF;
    IF TG_OP <> 'UPDATE' OR OLD.link IS NOT NULL
       OR (NEW.number, NEW.at, NEW.act, NEW.subject, NEW.subject_id) IS DISTINCT FROM (OLD.number, OLD.at, OLD.act, OLD.subject, OLD.subject_id)
       OR (NEW.account_id, NEW.reason, NEW.details) IS DISTINCT FROM (OLD.account_id, OLD.reason, OLD.details)
       OR (NEW.writer, NEW.turn, NEW.written_at) IS DISTINCT FROM (OLD.writer, OLD.turn, OLD.written_at) THEN
        RAISE EXCEPTION 'audit rows are only ever added' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

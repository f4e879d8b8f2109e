-- A decision about targets ends once, by a signature or a withdrawal; nothing else of it ever changes.
CREATE FUNCTION keep_the_target() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said target_decision;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'decisions about targets are kept' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    said := NEW;
    said.signed_by := OLD.signed_by;
    said.signed_at := OLD.signed_at;
    said.withdrawn_by := OLD.withdrawn_by;
    said.withdrawn_at := OLD.withdrawn_at;
    IF said IS DISTINCT FROM OLD OR OLD.signed_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL THEN
        RAISE EXCEPTION 'a decision about targets does not change' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

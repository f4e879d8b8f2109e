-- For whom and by whom a session of a witness was opened never changes; what happened to it is added once.
CREATE FUNCTION keep_the_witness() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM upkeep_of_now('decade') AS door WHERE OLD.requested_at < door.at - interval '10 years') THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'DELETE'
       OR (NEW.draw_id, NEW.commitment, NEW.part, NEW.attempt, NEW.name, NEW.office, NEW.reason, NEW.token_digest,
           NEW.requested_by, NEW.requested_at)
          IS DISTINCT FROM (OLD.draw_id, OLD.commitment, OLD.part, OLD.attempt, OLD.name, OLD.office, OLD.reason,
           OLD.token_digest, OLD.requested_by, OLD.requested_at)
       OR (OLD.approved_at IS NOT NULL AND (NEW.approved_by, NEW.approved_at, NEW.code_digest, NEW.expires_at)
           IS DISTINCT FROM (OLD.approved_by, OLD.approved_at, OLD.code_digest, OLD.expires_at))
       OR (OLD.opened_at IS NOT NULL AND (NEW.opened_at, NEW.browser_digest)
           IS DISTINCT FROM (OLD.opened_at, OLD.browser_digest))
       OR (OLD.revoked_at IS NOT NULL AND (NEW.revoked_by, NEW.revoked_at)
           IS DISTINCT FROM (OLD.revoked_by, OLD.revoked_at))
       OR NEW.wrong_codes < OLD.wrong_codes THEN
        RAISE EXCEPTION 'the session of a witness never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

-- A snapshot never changes; only the times at which it was outdated and replaced are added.  It may be deleted after ten years.
CREATE OR REPLACE FUNCTION keep_the_snapshot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM upkeep_of_now('decade') AS door WHERE OLD.made_at < door.at - interval '10 years') THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'DELETE'
       OR (NEW.round_id, NEW.number, NEW.commitment, NEW.market, NEW.made_at, NEW.reason, NEW.corrections, NEW.draw_form)
       IS DISTINCT FROM (OLD.round_id, OLD.number, OLD.commitment, OLD.market, OLD.made_at, OLD.reason, OLD.corrections,
                         OLD.draw_form) THEN
        RAISE EXCEPTION 'a snapshot never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

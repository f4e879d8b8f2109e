-- The commitment and the form are published before the seed, and a draw that has its seed never changes; it may be
-- deleted after ten years.  The beacon becomes public after the commitment.  The parts of a seed are what two witnesses
-- entered separately, in the one spelling of the form, and the seed is their hash.
CREATE OR REPLACE FUNCTION keep_the_seed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    form jsonb;
    which text;
    entered text;
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM upkeep_of_now('decade') AS door WHERE OLD.committed_at < door.at - interval '10 years') THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND OLD.seed IS NOT NULL) THEN
        RAISE EXCEPTION 'a draw that has its seed never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (TG_OP = 'INSERT' AND NEW.seed IS NOT NULL)
       OR (TG_OP = 'UPDATE' AND NEW.seed IS NOT NULL
           AND (NEW.commitment, NEW.committed_at, NEW.snapshot_id, NEW.format, NEW.draw_form)
               IS DISTINCT FROM (OLD.commitment, OLD.committed_at, OLD.snapshot_id, OLD.format, OLD.draw_form)) THEN
        RAISE EXCEPTION 'the commitment is published before the seed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.format IS DISTINCT FROM OLD.format AND OLD.format = 'draw/2' THEN
        RAISE EXCEPTION 'a draw does not go back to an older format' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.commitment = OLD.commitment AND NEW.draw_form IS DISTINCT FROM OLD.draw_form THEN
        RAISE EXCEPTION 'the form is fixed with the commitment' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.draw_form IS NULL THEN
        IF TG_OP = 'INSERT' OR NEW.seed IS NOT NULL OR NEW.commitment IS DISTINCT FROM OLD.commitment THEN
            RAISE EXCEPTION 'a draw has a declared form' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    form := NEW.draw_form::jsonb;
    IF (form #>> '{beacon,published_at}')::timestamptz <= NEW.committed_at THEN
        RAISE EXCEPTION 'the beacon is public after the commitment' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.seed IS NULL THEN
        IF NEW.beacon IS NOT NULL OR NEW.ceremony IS NOT NULL THEN
            RAISE EXCEPTION 'the parts are set with the seed' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    FOREACH which IN ARRAY ARRAY['beacon', 'ceremony'] LOOP
        entered := coalesce(CASE which WHEN 'beacon' THEN NEW.beacon ELSE NEW.ceremony END, '');
        IF jsonb_typeof(form -> which) = 'null' THEN
            IF entered <> '' THEN
                RAISE EXCEPTION 'a part was not declared' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
        ELSIF NOT draw_part_is_canonical(form -> which, entered) THEN
            RAISE EXCEPTION 'a part is not in its declared form' USING ERRCODE = 'integrity_constraint_violation';
        ELSIF 2 > (
            SELECT count(*) FROM seed_entry AS entry JOIN witness_session AS witness ON witness.id = entry.session_id
            WHERE witness.draw_id = NEW.id AND witness.commitment = NEW.commitment AND witness.part = which
              AND entry.value = entered
              AND witness.attempt = (
                  SELECT max(attempt) FROM witness_session AS last
                  WHERE last.draw_id = NEW.id AND last.commitment = NEW.commitment AND last.part = which)) THEN
            RAISE EXCEPTION 'two witnesses enter a part' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END LOOP;
    IF NEW.seed <> draw_seed_2(NEW.commitment, NEW.draw_form, NEW.beacon, NEW.ceremony) THEN
        RAISE EXCEPTION 'the seed is the hash of its parts' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

-- A ticket is drawn after the seed of its draw, in the draw's year.
CREATE FUNCTION ticket_needs_a_seed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM draw WHERE id = NEW.draw_id AND seed IS NOT NULL AND year = NEW.year) THEN
        RAISE EXCEPTION 'no ticket before the seed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

-- The head of a day grows until the next day begins, and never changes after that.
CREATE FUNCTION keep_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR NEW.link < OLD.link
       OR (NEW.number, NEW.day, NEW.since, NEW.counts) IS DISTINCT FROM (OLD.number, OLD.day, OLD.since, OLD.counts)
       OR EXISTS (SELECT 1 FROM audit_head WHERE number > OLD.number) THEN
        RAISE EXCEPTION 'the head of a day never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

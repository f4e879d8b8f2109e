-- What is published of a run is made once, together with its result, and never changes.
CREATE FUNCTION keep_the_public_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.digest IS NOT NULL AND NEW.public_file IS DISTINCT FROM OLD.public_file THEN
        RAISE EXCEPTION 'what is published of a run never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

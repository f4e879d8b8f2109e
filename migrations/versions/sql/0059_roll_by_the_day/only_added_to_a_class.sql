-- The history of a class is only ever added to; it ends with its class.
CREATE FUNCTION only_added_to_a_class() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the history of a class is only ever added to' USING ERRCODE = 'integrity_constraint_violation';
END $$;

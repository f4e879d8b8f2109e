-- Rows that are only ever added, and may be deleted after ten years.
-- The trigger's argument names the column with the time of the row; a cut-off has the time of its run.
CREATE FUNCTION refuse_change_for_ten_years() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE made timestamptz;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF TG_TABLE_NAME = 'cut_off' THEN
            SELECT started_at INTO made FROM run WHERE id = (to_jsonb(OLD) ->> 'run_id')::uuid;
        ELSE
            made := (to_jsonb(OLD) ->> TG_ARGV[0])::timestamptz;
        END IF;
        IF EXISTS (SELECT 1 FROM upkeep_of_now('decade') AS door WHERE made < door.at - interval '10 years') THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '% rows are only ever added', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- Marks a row of `upkeep` with its transaction, and refuses a season that is not over for a year.
CREATE FUNCTION upkeep_not_before_its_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.transaction := pg_current_xact_id()::text::bigint;
    NEW.began := transaction_timestamp();
    IF NEW.kind = 'season' AND NOT EXISTS (
        SELECT 1 FROM season_date WHERE year = NEW.year HAVING max(ends_at) + interval '1 year' <= NEW.at) THEN
        RAISE EXCEPTION 'the season % is not over for a year', NEW.year USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

-- Marks a row of `upkeep` with its transaction and with the time of the database, whatever the statement says, and refuses
-- a season that is not over for a year.  The dates of a season can be moved; its year cannot, so the permit also waits for
-- the first of August of the next year.
CREATE OR REPLACE FUNCTION upkeep_not_before_its_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.transaction := pg_current_xact_id()::text::bigint;
    NEW.began := transaction_timestamp();
    NEW.at := permit_clock();
    IF NEW.kind = 'season' AND (
        NEW.at < make_timestamptz(NEW.year + 1, 8, 1, 0, 0, 0, 'Asia/Shanghai') OR NOT EXISTS (
            SELECT 1 FROM season_date WHERE year = NEW.year HAVING max(ends_at) + interval '1 year' <= NEW.at)) THEN
        RAISE EXCEPTION 'the season % is not over for a year', NEW.year USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

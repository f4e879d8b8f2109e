-- Numbers the entries of a connection without a gap: 1, 2, 3 …  A setting of the session is rolled back with its
-- transaction or savepoint, so a row that was never committed leaves no gap, and no connection waits for another.
CREATE FUNCTION number_the_writer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.writer := nullif(current_setting('audit.writer', true), '')::uuid;
    IF NEW.writer IS NULL THEN
        NEW.writer := gen_random_uuid();
        NEW.turn := 1;
        PERFORM set_config('audit.writer', NEW.writer::text, false);
    ELSE
        NEW.turn := current_setting('audit.turn')::bigint + 1;
    END IF;
    PERFORM set_config('audit.turn', NEW.turn::text, false);
    NEW.written_at := clock_timestamp();
    NEW.link := NULL;
    NEW.digest := NULL;
    NEW.seal_key := NULL;
    RETURN NEW;
END $$;

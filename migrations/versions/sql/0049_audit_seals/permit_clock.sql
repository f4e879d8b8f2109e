-- The time by which maintenance permits are judged: the clock of the database server, and nothing that a row says.
-- `flask migrate` of a demo replaces it by one that adds `demo_clock.ahead`; whoever does not own the function cannot.
CREATE OR REPLACE FUNCTION permit_clock() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT clock_timestamp()
$$;

-- Tickets are drawn after the seed of their draw, in the draw's year.  The draws of a statement are looked up once, not for
-- each of a city's tickets.
CREATE FUNCTION tickets_need_a_seed() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT draw_id, year FROM added) AS given
        WHERE NOT EXISTS (
            SELECT FROM draw WHERE draw.id = given.draw_id AND draw.seed IS NOT NULL AND draw.year = given.year)
    ) THEN
        RAISE EXCEPTION 'no ticket before the seed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

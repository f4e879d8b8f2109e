-- application.grounds repeats the claims of an application that was handed in, so that a queue is limited to a ground without
-- reading the claims of each of its applications.  A draft stands in no queue: its claims are noted when it is handed in.
CREATE OR REPLACE FUNCTION keep_claimed_grounds() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE application SET grounds = grounds_of_claims(id)
    WHERE id IN (SELECT application_id FROM changed_rows) AND stage <> 'draft';
    RETURN NULL;
END $$;

-- Rows of an application (its moves, versions, tickets, results and offers) that are only ever added.  They may be deleted a
-- year after their season; the sealed answers of a version may be written anew with another key.
CREATE FUNCTION refuse_change_of_a_family() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE of_year integer;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF TG_TABLE_NAME = 'application_version' AND EXISTS (SELECT 1 FROM upkeep_of_now('reseal'))
           AND to_jsonb(NEW) - 'answers' = to_jsonb(OLD) - 'answers' THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION '% rows are only ever added', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_TABLE_NAME = 'ticket' THEN
        of_year := (to_jsonb(OLD) ->> 'year')::integer;
    ELSIF TG_TABLE_NAME = 'offer_move' THEN
        SELECT year INTO of_year FROM offer WHERE id = (to_jsonb(OLD) ->> 'offer_id')::uuid;
    ELSE
        SELECT year INTO of_year FROM application WHERE id = (to_jsonb(OLD) ->> 'application_id')::uuid;
    END IF;
    IF EXISTS (SELECT 1 FROM upkeep_of_now('season') AS door WHERE door.year = of_year) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% rows are only ever added', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

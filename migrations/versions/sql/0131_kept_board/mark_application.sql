-- For a row that names an application, or is one.
CREATE FUNCTION mark_application() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'application' THEN
        INSERT INTO unserved_change (year, application_id) VALUES (NEW.year, NEW.id);
    ELSE
        INSERT INTO unserved_change (year, application_id)
        SELECT year, id FROM application
        WHERE id = (CASE WHEN TG_OP = 'DELETE' THEN OLD.application_id ELSE NEW.application_id END) AND stage <> 'draft';
    END IF;
    RETURN NULL;
END $$;

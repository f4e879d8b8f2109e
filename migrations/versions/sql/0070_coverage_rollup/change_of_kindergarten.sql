-- A kindergarten changes its area's counts, and those of the areas of its sites, which have its nature.
CREATE FUNCTION change_of_kindergarten() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       AND (NEW.nature, NEW.run_by, NEW.area_code, NEW.parent_id, NEW.attached, NEW.closed_on, NEW.code, NEW.name)
           IS NOT DISTINCT FROM
           (OLD.nature, OLD.run_by, OLD.area_code, OLD.parent_id, OLD.attached, OLD.closed_on, OLD.code, OLD.name) THEN
        RETURN NULL;
    END IF;
    INSERT INTO coverage_change (area_code)
    SELECT code FROM area WHERE code IN (NEW.area_code, OLD.area_code)
    UNION SELECT site.area_code FROM kindergarten AS site WHERE site.parent_id = NEW.id;
    RETURN NULL;
END $$;

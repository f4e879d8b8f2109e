-- An offer changes the counts of the area of its place, and of the area where its child is on a roll.  Many at once, as when
-- a result is published, stand for all areas: then to find each roll would cost more than to count the areas again.
CREATE FUNCTION change_of_offers(children uuid[], programmes uuid[]) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF cardinality(children) = 0 THEN
        RETURN;
    ELSIF cardinality(children) > 200 THEN
        INSERT INTO coverage_change (area_code) SELECT code FROM area;
        RETURN;
    END IF;
    INSERT INTO coverage_change (area_code)
    SELECT place.area_code FROM programme JOIN kindergarten AS place ON place.id = programme.kindergarten_id
    WHERE programme.id = ANY(programmes)
    UNION
    SELECT place.area_code FROM child_document AS document
    JOIN roll_child ON roll_child.id_index = document.person_index
    JOIN roll_class ON roll_class.id = roll_child.class_id
    JOIN kindergarten AS place ON place.id = roll_class.kindergarten_id
    WHERE document.child_id = ANY(children);
END $$;

-- The grounds that an application claims, a bit for each: the second for the first of this list, and so on.  The first bit stands
-- for every other ground, above all for those that are stored as tokens.  `filters.GROUND_BITS` has the same list.
CREATE OR REPLACE FUNCTION grounds_of_claims(of_application uuid) RETURNS integer LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(bit_or(coalesce(2 << (array_position(ARRAY[
        'elder_sibling', 'sibling_right', 'multi_child', 'local_hukou', 'collective_hukou', 'home_owner', 'service_area',
        'estate_owner', 'residence_permit', 'workplace'], claim.ground::text) - 1), 1)), 0)
    FROM claim WHERE claim.application_id = of_application
$$;

-- Whether `value` is the one spelling of a value of the declared form of a part, as `allocation/draw_form.py` writes it.
CREATE FUNCTION draw_part_is_canonical(part jsonb, value text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    groups jsonb := coalesce(part -> 'groups', jsonb_build_array(part));
    pieces text[];
    form jsonb;
    words text[];
    numbers bigint[];
BEGIN
    IF part ->> 'kind' = 'hex' THEN
        RETURN value ~ '^[0-9a-f]+$' AND length(value) = (part ->> 'digits')::int;
    END IF;
    IF part ->> 'kind' IS DISTINCT FROM 'integers' THEN
        RETURN false;
    END IF;
    pieces := string_to_array(value, ' + ');
    IF cardinality(pieces) <> jsonb_array_length(groups) THEN
        RETURN false;
    END IF;
    FOR at IN 1 .. cardinality(pieces) LOOP
        form := groups -> (at - 1);
        IF pieces[at] !~ '^(0|[1-9][0-9]{0,9})( (0|[1-9][0-9]{0,9}))*$' THEN
            RETURN false;
        END IF;
        words := string_to_array(pieces[at], ' ');
        numbers := words::bigint[];
        IF cardinality(numbers) <> (form ->> 'count')::int
           OR EXISTS (SELECT 1 FROM unnest(numbers) AS n
                      WHERE n NOT BETWEEN (form ->> 'least')::bigint AND (form ->> 'most')::bigint)
           OR ((form ->> 'distinct')::boolean
               AND (SELECT count(DISTINCT n) FROM unnest(numbers) AS n) <> cardinality(numbers))
           OR (form ->> 'order' = 'sorted' AND numbers <> (SELECT array_agg(n ORDER BY n) FROM unnest(numbers) AS n)) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;

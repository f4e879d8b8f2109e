-- The seed of a draw/2: SHA-256 over a tag and the parts, each after its length as 8 bytes.
CREATE FUNCTION draw_seed_2(commitment text, form text, beacon text, ceremony text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(sha256(string_agg(int8send(length(part)::bigint) || part, ''::bytea ORDER BY number)), 'hex')
    FROM unnest(ARRAY[
        convert_to('seed/2', 'UTF8'), decode(commitment, 'hex'), convert_to(form, 'UTF8'),
        convert_to(coalesce(beacon, ''), 'UTF8'), convert_to(coalesce(ceremony, ''), 'UTF8')
    ]) WITH ORDINALITY AS parts (part, number)
$$;

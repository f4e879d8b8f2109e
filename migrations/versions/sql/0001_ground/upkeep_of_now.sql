-- The row of `upkeep` that this transaction wrote, if it is of the kind `wanted`: the permission to change rows that
-- otherwise never change.
-- * season: delete what belongs to applications of one year, a year after that season's last day at the earliest.
-- * decade: delete results, commitments, signatures and ledger entries that are older than ten years.
-- * audit: delete the oldest part of the audit chain, ten years old throughout; the row keeps where and after which digest.
-- * reseal: write `application_version.answers` anew, and no other column of it.
CREATE FUNCTION upkeep_of_now(wanted text) RETURNS SETOF upkeep LANGUAGE sql STABLE AS $$
    SELECT * FROM upkeep WHERE kind = wanted
    AND transaction = pg_current_xact_id()::text::bigint AND began = transaction_timestamp()
$$;

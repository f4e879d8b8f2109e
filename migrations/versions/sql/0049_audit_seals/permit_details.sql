-- What the audit trail says about a permit: everything that its row says.
CREATE FUNCTION permit_details(permit upkeep) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'kind', permit.kind, 'at', extract(epoch FROM permit.at)::text, 'year', permit.year,
        'link', permit.audit_link, 'digest', encode(permit.audit_digest, 'hex'), 'transaction', permit.transaction)
$$;

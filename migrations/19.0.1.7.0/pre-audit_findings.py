"""A finding is one row from run to run: the newest of each, with its history."""

from odoo.tools.sql import column_exists, table_exists

# As models/audit/finding_life.py writes the key of a finding.
_KEY = """
    concat_ws('|', kind, coalesce(company_id::text, ''),
              coalesce(service_id::text, ''), coalesce(subscription_id::text, ''),
              coalesce(metric_id::text, ''), coalesce(charge_id::text, ''),
              coalesce(rating_id::text, ''), coalesce(move_id::text, ''),
              coalesce(nullif(usage_ref, 0)::text, ''),
              coalesce(to_char(window_start, 'YYYY-MM-DD HH24:MI:SS'), ''),
              coalesce(to_char(window_end, 'YYYY-MM-DD HH24:MI:SS'), ''))
"""
_COLUMNS = {
    "key": "varchar",
    "state": "varchar",
    "first_seen_at": "timestamp",
    "last_seen_at": "timestamp",
    "gone_at": "timestamp",
}


def migrate(cr, _version):
    findings = "fusion_billing_audit_finding"
    if not table_exists(cr, findings) or column_exists(cr, findings, "key"):
        return
    for name, kind in _COLUMNS.items():
        cr.execute(f"ALTER TABLE {findings} ADD {name} {kind}")
    _name_findings(cr)
    _keep_one_of_each(cr)
    _judge_runs(cr)


def _name_findings(cr):
    """Each gets its key; of several that are alike in one run, one after the other."""
    cr.execute(
        f"""
        UPDATE fusion_billing_audit_finding f
           SET key = k.key || CASE WHEN k.place > 1 THEN '|' || k.place ELSE '' END
          FROM (SELECT id, {_KEY} AS key,
                       row_number() OVER (PARTITION BY audit_id, {_KEY} ORDER BY id)
                       AS place
                  FROM fusion_billing_audit_finding) k
         WHERE k.id = f.id
        """
    )


def _keep_one_of_each(cr):
    """The newest row stands for those of older runs, and knows which runs had them."""
    cr.execute(
        """
        CREATE TABLE fusion_billing_audit_finding_run (
            audit_id int4 NOT NULL
                REFERENCES fusion_billing_audit ON DELETE CASCADE,
            finding_id int4 NOT NULL
                REFERENCES fusion_billing_audit_finding ON DELETE CASCADE,
            PRIMARY KEY (audit_id, finding_id))
        """
    )
    cr.execute(
        """
        INSERT INTO fusion_billing_audit_finding_run (audit_id, finding_id)
        SELECT DISTINCT f.audit_id, newest.id
          FROM fusion_billing_audit_finding f
          JOIN (SELECT key, max(id) AS id FROM fusion_billing_audit_finding
                 GROUP BY key) newest ON newest.key = f.key
        """
    )
    # Gone is what the last run that looked at its company did not find.
    cr.execute(
        """
        WITH seen AS (
            SELECT r.finding_id, min(a.started_at) AS first, max(a.started_at) AS last
              FROM fusion_billing_audit_finding_run r
              JOIN fusion_billing_audit a ON a.id = r.audit_id
             GROUP BY r.finding_id
        ), looked AS (
            SELECT f.id, min(a.started_at) AS gone_at
              FROM fusion_billing_audit_finding f
              JOIN seen ON seen.finding_id = f.id
              JOIN fusion_billing_audit a
                ON a.started_at > seen.last AND a.state <> 'failed'
               AND coalesce(a.waiting_count, 0) = 0
               AND (a.company_id IS NULL OR a.company_id = f.company_id)
             GROUP BY f.id
        )
        UPDATE fusion_billing_audit_finding f
           SET first_seen_at = seen.first, last_seen_at = seen.last,
               gone_at = looked.gone_at,
               state = CASE WHEN looked.id IS NOT NULL THEN 'gone'
                            WHEN f.is_note THEN 'accepted' ELSE 'open' END
          FROM seen
          LEFT JOIN looked ON looked.id = seen.finding_id
         WHERE f.id = seen.finding_id
        """
    )
    cr.execute(
        """
        DELETE FROM fusion_billing_audit_finding f
         WHERE EXISTS (SELECT FROM fusion_billing_audit_finding newer
                        WHERE newer.key = f.key AND newer.id > f.id)
        """
    )
    cr.execute("ALTER TABLE fusion_billing_audit_finding ALTER audit_id DROP NOT NULL")


def _judge_runs(cr):
    """A run that looked at nothing, or not at all, does not say that all agree."""
    cr.execute("ALTER TABLE fusion_billing_audit ADD checked_count int4")
    cr.execute(
        """
        UPDATE fusion_billing_audit a
           SET checked_count = r.checked,
               state = CASE WHEN a.state <> 'clean' THEN a.state
                            WHEN r.checked = 0 THEN 'nothing'
                            WHEN a.waiting_count > 0 THEN 'partial'
                            ELSE a.state END
          FROM (SELECT audit.id, coalesce(sum(result.checked), 0) AS checked
                  FROM fusion_billing_audit audit
                  LEFT JOIN fusion_billing_audit_result result
                    ON result.audit_id = audit.id
                 GROUP BY audit.id) r
         WHERE r.id = a.id
        """
    )

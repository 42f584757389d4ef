"""Runs the audit in an `odoo shell`, where it is fed to; prints the outcome as JSON.

`./fcb audit` does that. `env` and `args` are the shell's: how many findings to print.
"""

import json

MODEL = "fusion.billing.audit"


def outcome(audit, limit):
    """What the run says, as plain values."""
    return {
        "id": audit.id,
        "database": audit.env.cr.dbname,
        "state": audit.state,
        "started_at": f"{audit.started_at.isoformat()}Z",
        "finished_at": f"{audit.finished_at.isoformat()}Z",
        "violations": audit.violation_count,
        "waiting": audit.waiting_count,
        "results": [
            {
                "invariant": result.invariant,
                "name": dict(result._fields["invariant"].selection)[result.invariant],
                "checked": result.checked,
                "subject": result.subject,
                "violations": result.violations,
                "error": result.error or None,
            }
            for result in audit.result_ids
        ],
        "findings": [
            {
                "invariant": finding.invariant,
                "kind": finding.kind,
                "message": finding.message,
                "expected": finding.expected or None,
                "found": finding.found or None,
                "difference": finding.difference or None,
                "subscription": finding.subscription_id.name or None,
                "subscription_id": finding.subscription_id.id or None,
                "rating_id": finding.rating_id.id or None,
                "invoice_id": finding.move_id.id or None,
                "usage_id": finding.usage_ref or None,
            }
            for finding in audit.finding_ids.sorted("id")[:limit]
        ],
    }


def main(env, limit):
    if MODEL not in env:
        return {"error": "missing"}
    audit = env[MODEL]._run()
    env.cr.commit()
    return outcome(audit, limit)


print("FCB_AUDIT " + json.dumps(main(env, args)))  # noqa: F821 (given by the shell)

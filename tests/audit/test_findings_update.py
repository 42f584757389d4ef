from importlib.util import module_from_spec, spec_from_file_location

from odoo.tests import tagged
from odoo.tools import file_path

from .case import AuditCase

SCRIPT = "fusion_centralized_billing/migrations/19.0.1.7.0/pre-audit_findings.py"
_NEW = "key state first_seen_at last_seen_at gone_at".split()


@tagged("post_install", "-at_install")
class TestFindingsUpdate(AuditCase):
    """Findings were rows of each run; now one row lives from run to run."""

    def setUp(self):
        super().setUp()
        self.order = self.subscribe()
        self.at("2026-01-10 12:00:00")
        self.use(150, "2026-01-10")
        self.day("2026-02-01 09:00:00")

    def _go_back(self):
        """The tables as version 19.0.1.6 has them."""
        self._sql("DROP TABLE fusion_billing_audit_finding_run")
        for name in _NEW:
            self._sql(f"ALTER TABLE fusion_billing_audit_finding DROP {name}")
        self._sql("ALTER TABLE fusion_billing_audit DROP checked_count")

    def _migrate(self):
        spec = spec_from_file_location("fc_findings", file_path(SCRIPT))
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        module.migrate(self.env.cr, "19.0.1.6.0")
        module.migrate(self.env.cr, "19.0.1.6.0")  # again: nothing happens
        self.env.invalidate_all()

    def test_old_findings(self):
        rating = self.order.fc_rating_ids
        self._sql("UPDATE fusion_billing_rating SET amount = 24")
        first = self._audit()
        still = first.finding_ids.filtered(lambda f: f.kind == "rating_amount_changed")
        self.at("2026-02-02 09:00:00")
        second = self._audit()
        self.at("2026-02-03 09:00:00")
        empty = self.env["res.company"].create({"name": "Another Company"})
        nothing = self.env["fusion.billing.audit"]._run(empty)
        keys = {f.kind: f.key for f in second.finding_ids}
        self._go_back()
        # Each run had rows of its own; of an event that was mended, the first alone.
        copy = """
            INSERT INTO fusion_billing_audit_finding (
                   audit_id, invariant, kind, message, company_id, subscription_id,
                   metric_id, charge_id, rating_id, move_id, window_start, window_end,
                   is_note)
            SELECT %s, invariant, %s, message, company_id, subscription_id, metric_id,
                   charge_id, rating_id, move_id, window_start, window_end, is_note
              FROM fusion_billing_audit_finding WHERE id = %s
        """
        self._sql(
            "UPDATE fusion_billing_audit SET state = 'clean' WHERE id = %s", nothing.id
        )
        self._sql(copy, first.id, "rating_amount_changed", still.id)
        self._sql(copy, first.id, "not_rated", still.id)
        self._migrate()
        Finding = self.env["fusion.billing.audit.finding"]
        kept = Finding.search([("kind", "=", "rating_amount_changed")])
        self.assertEqual(len(kept), 1)
        self.assertEqual(kept.audit_ids, first | second)
        self.assertEqual(kept.key, keys["rating_amount_changed"])
        self.assertEqual((kept.state, kept.rating_id), ("open", rating))
        self.assertEqual((kept.first_seen_at.day, kept.last_seen_at.day), (1, 2))
        gone = Finding.search([("kind", "=", "not_rated")])
        self.assertEqual((gone.state, gone.gone_at.day), ("gone", 2))
        self.assertEqual(nothing.state, "nothing")
        self.assertEqual(second.state, "violations")
        self.assertEqual(second.checked_count, sum(second.result_ids.mapped("checked")))
        # The next run knows it again.
        self.assertIn(kept, self._audit().finding_ids)

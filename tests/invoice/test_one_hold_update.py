import json
from importlib.util import module_from_spec, spec_from_file_location

from odoo.tests import tagged
from odoo.tools import file_path

from ..control.case import ControlCase

SCRIPTS = "fusion_centralized_billing/migrations/19.0.1.8.0/%s-one_hold.py"
TYPE = "fusion_centralized_billing.mail_activity_type_held_invoice"
OLD = {
    "fc_is_blocked": "boolean",
    "fc_released": "varchar",
    "fc_released_uid": "int",
    "fc_released_at": "timestamp",
    "fc_release_reason": "text",
}


@tagged("post_install", "-at_install")
class TestOneHoldUpdate(ControlCase):
    """Two mechanisms held invoices, with a row for each invoice; now a row a reason."""

    def setUp(self):
        super().setUp()
        self.company.write({"fc_hold_differing": True, "fc_block_bad_invoices": True})

    def _draft(self, price=None):
        """A draft over 300 calls: 100.00 were rated."""
        order = self._create_subscription()
        self._record(300, order=order)
        draft = self.bill(order, post=False)
        if price is not None:
            self.usage_line(draft).price_unit = price
        return draft

    def _sql(self, statement, *values):
        self.env.flush_all()
        self.env.cr.execute(statement, values)

    def _go_back(self):
        """The tables as version 19.0.1.7 has them, without what this version knows."""
        self._sql("DELETE FROM fusion_billing_hold")
        self._sql(
            "ALTER TABLE fusion_billing_hold DROP COLUMN kind, DROP COLUMN key,"
            " ADD COLUMN facts jsonb"
        )
        self._sql(
            "ALTER TABLE fusion_billing_hold ADD CONSTRAINT"
            " fusion_billing_hold_once UNIQUE (move_id)"
        )
        for name, kind in OLD.items():
            self._sql(f"ALTER TABLE account_move ADD COLUMN {name} {kind}")
        self.env.ref(TYPE)
        self._sql(
            "UPDATE ir_model_data SET name = 'mail_activity_type_blocked_invoice'"
            " WHERE name = 'mail_activity_type_held_invoice'"
        )

    def _held(self, move, reason, facts, state="held", note=None):
        self._sql(
            "INSERT INTO fusion_billing_hold (move_id, company_id, reason, facts,"
            " state, decided_by_id, decided_at, note)"
            " VALUES (%s, %s, %s, %s, %s, %s, '2026-02-03', %s)",
            *(move.id, self.company.id, reason, json.dumps(facts), state),
            *(self.env.uid if note else None, note),
        )

    def _migrate(self):
        for stage in ("pre", "post"):
            spec = spec_from_file_location("fc_one_hold", file_path(SCRIPTS % stage))
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            self.env.flush_all()
            module.migrate(self.env.cr, "19.0.1.7.0")
            if stage == "pre":
                module.migrate(self.env.cr, "19.0.1.7.0")
            self.env.registry.clear_cache()
            self.env.invalidate_all()

    def test_what_was_held_blocked_decided_or_released(self):
        blocked, released = self._draft(80), self._draft(70)
        held, decided, changed_since = self._draft(60), self._draft(50), self._draft(40)
        posted = self._draft()
        self.company.fc_block_bad_invoices = False
        posted.action_post()
        self.company.fc_block_bad_invoices = True
        key = released.fc_hold_ids.key
        ratings = {m: m.fc_rating_ids for m in (held, decided, changed_since)}
        record = self.env["fusion.billing.reconciliation"].browse(7)
        self.env["mail.activity"].search([]).unlink()
        self._go_back()
        self._sql(
            "UPDATE account_move SET fc_is_blocked = true WHERE id = %s", blocked.id
        )
        self._sql(
            "UPDATE account_move SET fc_released = %s, fc_released_uid = %s,"
            " fc_released_at = '2026-02-02', fc_release_reason = 'goodwill'"
            " WHERE id = %s",
            *(key, self.env.uid, released.id),
        )
        self._held(held, "edited", [f"edited:{ratings[held].id}:40.0"])
        held.activity_schedule("mail.mail_activity_data_todo", user_id=self.env.uid)
        self._held(
            decided,
            "declared\nedited",
            [f"declared:{record.id}:10.0", f"edited:{ratings[decided].id}:50.0"],
            "decided",
            "agreed",
        )
        # 10.00 were forgiven when it was decided on, and 60.00 are now.
        fact = f"edited:{ratings[changed_since].id}:10.0"
        self._held(changed_since, "edited", [fact], "decided", "agreed")
        self._held(posted, "declared", ["declared:8:1.0"], "decided", "fine")
        self._migrate()
        self.assertEqual(blocked.fc_hold_ids.mapped("state"), ["held"])
        self.assertIn("charges 80.00", blocked.fc_held_reason)
        self.assertEqual(released.fc_hold_ids.mapped("state"), ["decided"])
        self.assertIn("charges 70.00", released.fc_hold_ids.reason)
        self.assertEqual(released.fc_hold_ids.note, "goodwill")
        self.assertEqual(str(released.fc_hold_ids.decided_at), "2026-02-02 00:00:00")
        self.assertIn("charges 60.00", held.fc_held_reason)
        self.assertEqual(held.activity_ids.activity_type_id, self.env.ref(TYPE))
        self.assertFalse(decided.fc_is_held)
        self.assertEqual(
            sorted(decided.fc_hold_ids.mapped("kind")), ["changed", "declared"]
        )
        self.assertEqual(set(decided.fc_hold_ids.mapped("note")), {"agreed"})
        self.assertIn("charges 40.00", changed_since.fc_held_reason)
        self.assertEqual(posted.fc_hold_ids.mapped("note"), ["fine"])
        for draft in released | decided:
            draft.action_post()
            self.assertEqual(draft.state, "posted")
        for draft in blocked | held | changed_since:
            draft.action_post()
            self.assertEqual(draft.state, "draft")

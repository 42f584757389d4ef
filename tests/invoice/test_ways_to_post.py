from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged

from ..rating.life import LifeCase


@tagged("post_install", "-at_install")
class TestWaysToPost(LifeCase):
    """However an invoice is posted: what is held stays in draft, the others go on.

    Two customers have used 150 calls in January, 25.00 each. One draft was lowered to
    24.00 by hand.
    """

    def setUp(self):
        super().setUp()
        self.company.fc_block_bad_invoices = True
        self.orders = self.subscribe() | self.subscribe()
        self.posting = self.plan.invoice_posting
        self.plan.invoice_posting = "draft"
        self.at("2026-01-10 12:00:00")
        for order in self.orders:
            self.use(150, "2026-01-10", order=order)
        self.day("2026-02-01 09:00:00")
        self.drafts = self.documents("draft").sorted("id")
        self.held, self.good = self.drafts
        lines = self.held.invoice_line_ids.filtered("fc_rating_ids")
        lines.price_unit = 24
        self.user = new_test_user(
            self.env, "poster", "account.group_account_user,base.group_system"
        )

    def _press_in_a_list(self):
        """Odoo's "Confirm Entries" of selected invoices."""
        self.drafts.with_user(self.user).action_validate_moves_with_confirmation()

    def _press_in_the_dialog(self):
        wizard = self.env["validate.account.move"].with_user(self.user)
        wizard = wizard.create({"move_ids": [Command.set(self.drafts.ids)]})
        wizard.validate_move()

    def _call(self, name, *args):
        """As an app does, over RPC."""
        moves = self.env["account.move"].with_user(self.user)
        call_kw(moves, name, [self.drafts.ids, *args], {})

    def _auto_post(self):
        self.drafts.auto_post = "at_date"
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.ref(
                "account.ir_cron_auto_post_draft_entry"
            ).method_direct_trigger()
        self.env.invalidate_all()

    def _one_by_one(self):
        for draft in self.drafts:
            draft.with_user(self.user).action_post()

    def _by_the_job(self):
        """What the job that invoices subscriptions does with what it has made."""
        self.orders._post_recurring_invoices(self.drafts)

    def test_each_way(self):
        ways = {
            "button": self._one_by_one,
            "list": self._press_in_a_list,
            "dialog": self._press_in_the_dialog,
            "rpc": lambda: self._call("action_post"),
            "auto-post": self._auto_post,
            "another module": lambda: self.drafts._post(),
            "another module, now": lambda: self.drafts._post(soft=False),
            "as the superuser": lambda: self.drafts.sudo().action_post(),
        }
        if hasattr(self.orders, "_post_recurring_invoices"):
            ways["job"] = self._by_the_job
        for name, post in ways.items():
            with self.subTest(name):
                savepoint = self.env.cr.savepoint()
                post()
                self.env.flush_all()
                self.assertEqual(self.drafts.mapped("state"), ["draft", "posted"])
                self.assertTrue(self.held.fc_is_held)
                self.assertFalse(self.held.posted_before)
                savepoint.close(rollback=True)
                self.env.invalidate_all()

    def test_what_is_held_does_not_fill_the_batch_of_odoos_job(self):
        """It takes the latest first, and so many: here one, and that one is held."""
        self.drafts.auto_post = "at_date"
        self.held.date = "2026-02-01"
        self.good.date = "2026-01-31"
        self.assertTrue(self.held.fc_is_held)
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.env.registry.cursor() as cr:
            self.env(cr=cr)["account.move"]._autopost_draft_entries(batch_size=1)
        self.env.invalidate_all()
        self.assertEqual(self.drafts.mapped("state"), ["draft", "posted"])

    def test_what_is_held_is_not_sent(self):
        """Odoo's "Send" takes posted invoices only: a held one is refused."""
        wizard = self.env["account.move.send.wizard"].with_user(self.user)
        with self.assertRaisesRegex(UserError, "posted"):
            wizard.create({"move_id": self.held.id}).action_send_and_print()
        self.assertEqual(self.held.state, "draft")

    def test_the_state_is_not_written_around_it(self):
        """Over RPC whoever may write an invoice writes its state, too."""
        with self.assertRaisesRegex(UserError, "is held"):
            self.held.with_user(self.user).state = "posted"

    def test_one_decision_on_several_invoices(self):
        lines = self.good.invoice_line_ids.filtered("fc_rating_ids")
        lines.price_unit = 23
        manager = new_test_user(
            self.env, "ways-manager", "fusion_centralized_billing.group_manager"
        )
        action = self.drafts.fc_hold_ids.with_user(manager).action_open_wizard()
        wizard = self.env[action["res_model"]].with_user(manager)
        wizard = wizard.with_context(**action["context"]).create({"note": "outage"})
        wizard.action_decide()
        for draft in self.drafts:
            self.assertIn("outage", draft.message_ids[0].body)
        self.drafts.action_post()
        self.assertEqual(self.drafts.mapped("state"), ["posted", "posted"])

    def test_the_job_that_bills_what_ended_says_so(self):
        """The last invoice is held: the order says why, and nothing fails."""
        self.plan.invoice_posting = self.posting
        order = self.subscribe("2026-02-01")
        self.company.fc_hold_differing = True
        self.use(120, "2026-02-01", order=order)
        record = self.env["fusion.billing.reconciliation"].create(
            {
                "window_start": "2026-02-01 00:00:00",
                "window_end": "2026-03-01 00:00:00",
                "service_id": self.service.id,
                "subscription_id": order.id,
                "metric_id": self.metric.id,
                "declared_quantity": 130,
            }
        )
        record.action_compare()
        self.at("2026-02-10 12:00:00")
        order.set_close()
        self.env.flush_all()
        [last] = self.documents("draft").filtered(
            lambda m: (
                m.invoice_line_ids.sale_line_ids.order_id == order and m.fc_is_held
            )
        )
        self.assertIn("differs from ours", last.fc_held_reason)
        self.assertTrue(
            any("stays in draft" in (m.body or "") for m in order.message_ids)
        )

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestClosing(SubscriptionCase):
    """Whatever closes invoices what is due first, or refuses and says why.

    A subscription of 31 January that the scheduled action did not come to since: on 5
    April, 31 January, 28 February and 31 March are due, 10.00 each.
    """

    def setUp(self):
        super().setUp()
        self.order = self._create_subscription(start="2026-01-31")

    def _amounts(self):
        invoices = self.order.invoice_ids.sorted("invoice_date")
        self.assertEqual(set(invoices.mapped("state")) - {"posted"}, set())
        return invoices.mapped("amount_total")

    def assertEndedAndBilled(self, state="6_churn"):
        self.assertEqual(self.order.subscription_state, state)
        self.assertEqual(self._amounts(), [10, 10, 10])

    @freeze_time("2026-04-05")
    def test_by_the_button(self):
        self.order.set_close()
        self.assertEndedAndBilled()
        self.assertEqual(str(self.order.end_date), "2026-04-05")

    @freeze_time("2026-04-05")
    def test_by_the_dialog(self):
        reason = self.env.ref("sale_subscription.close_reason_no_need")
        action = self.order.action_open_close_wizard()
        wizard = self.env[action["res_model"]].with_context(**action["context"])
        wizard.create({"close_reason_id": reason.id}).action_close()
        self.assertEndedAndBilled()

    @freeze_time("2026-04-05")
    def test_by_the_state(self):
        self.order.subscription_state = "6_churn"
        self.assertEndedAndBilled()

    @freeze_time("2026-04-05")
    def test_by_the_customer(self):
        self.plan.user_closable = True
        reason = self.env.ref("sale_subscription.close_reason_no_need")
        self.order._close_by_customer(reason, self.partner)
        self.assertEndedAndBilled()

    @freeze_time("2026-04-05")
    def test_by_cancelling_the_order(self):
        self.order._action_cancel()
        self.assertEndedAndBilled()
        self.assertEqual(self.order.state, "cancel")

    @freeze_time("2026-04-05")
    def test_by_cancelling_through_the_state_of_the_order(self):
        self.order.state = "cancel"
        self.assertEndedAndBilled()

    def test_by_the_end_date(self):
        """It ends on 5 March: 31 January and 28 February until 4 March, 5 of 31 days.

        Expiry waits until the scheduled action has invoiced them.
        """
        self.order.end_date = "2026-03-05"
        with freeze_time("2026-04-05"):
            self.env["sale.order"]._cron_subscription_expiration()
            self.assertEqual(self.order.subscription_state, "3_progress")
        self._run_cron("2026-04-05")
        with freeze_time("2026-04-05"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(self.order.subscription_state, "6_churn")
        self.assertEqual(self._amounts(), [10, 1.61])

    def test_by_the_button_after_the_end_date(self):
        """The same two, and no third period after the end."""
        self.order.end_date = "2026-03-05"
        with freeze_time("2026-04-05"):
            self.order.set_close()
        self.assertEqual(self._amounts(), [10, 1.61])
        self.assertEqual(str(self.order.end_date), "2026-03-05")

    def test_for_being_unpaid(self):
        """January is overdue on 5 April; February and March are owed, too."""
        self.plan.auto_close_limit = 14
        self._run_cron("2026-01-31")
        with freeze_time("2026-01-31"):
            self.order._create_recurring_invoice()
        with freeze_time("2026-04-05"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEndedAndBilled()

    @freeze_time("2026-04-05")
    def test_by_a_renewal(self):
        renewal = self.order._create_upsell_renew_order("2_renewal")
        renewal.order_line.price_unit = 99
        renewal.action_confirm()
        self.assertEndedAndBilled("5_renewed")
        self.assertDates(renewal, None, "2026-04-30")

    @freeze_time("2026-04-05")
    def test_days_it_runs_again_for_are_billed_too(self):
        """Paused when paid; runs again on 20 March until the 31st: 11 of 31 days."""
        with freeze_time("2026-01-31"):
            self.order._create_recurring_invoice()
            self.order.pause_subscription()
        with freeze_time("2026-03-20"):
            self.order.resume_subscription()
            self.order.set_close()
        self.assertEqual(self._amounts(), [10, 3.55])

    @freeze_time("2026-01-31")
    def test_on_the_day_it_is_due(self):
        """The result is that of the scheduled action coming first."""
        self.order.set_close()
        self.assertEqual(self._amounts(), [10])

    @freeze_time("2026-01-31")
    def test_nothing_is_due_of_what_is_paused_or_invoiced(self):
        self.order._create_recurring_invoice()
        self.order.pause_subscription()
        with freeze_time("2026-04-05"):
            self.order.set_close()
        self.assertEqual(self._amounts(), [10])

    @freeze_time("2026-04-05")
    def test_with_the_rights_of_a_salesperson(self):
        """Who may close may have what is due invoiced, without posting by himself."""
        seller = self.env["res.users"].create(
            {
                "name": "Sample Seller",
                "login": "closing-seller",
                "group_ids": [self.env.ref("sales_team.group_sale_manager").id],
            }
        )
        self.order.with_user(seller).set_close()
        self.assertEndedAndBilled()

    @freeze_time("2026-04-05")
    def test_refused_where_it_cannot_be_invoiced(self):
        journal = self.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.order.company_id.id)]
        )
        journal.active = False
        for end in (
            self.order.set_close,
            self.order._action_cancel,
            lambda: self.order.write({"subscription_state": "6_churn"}),
        ):
            with self.assertRaisesRegex(UserError, "journal"), self.env.cr.savepoint():
                end()
            self.env.invalidate_all()
            self.assertEqual(self.order.subscription_state, "3_progress")

    @freeze_time("2026-04-05")
    def test_drafts_stand_for_one_period_only(self):
        """Left in draft, the second waits for the first: it is not lost in silence."""
        self.plan.invoice_posting = "draft"
        with self.assertRaisesRegex(UserError, "post its invoices from 01/31/2026 on"):
            with self.env.cr.savepoint():
                self.order.set_close()
        self.env.invalidate_all()
        for _month in range(2):
            self.order._create_recurring_invoice().action_post()
        # What is left is the last one: it stays in draft, to be posted.
        self.order.set_close()
        self.assertEqual(self.order.subscription_state, "6_churn")
        states = self.order.invoice_ids.sorted("id").mapped("state")
        self.assertEqual(states, ["posted", "posted", "draft"])

    @freeze_time("2026-03-20")
    def test_cancelling_does_not_take_days_with_it(self):
        """Runs again on 20 March: 11 of 31 days, 3.55, are in a draft."""
        with freeze_time("2026-01-31"):
            self.order._create_recurring_invoice()
            self.order.pause_subscription()
        self.plan.invoice_posting = "draft"
        self.order.resume_subscription()
        draft = self.order._create_recurring_invoice()
        self.assertEqual((draft.amount_total, draft.state), (3.55, "draft"))
        with self.assertRaisesRegex(UserError, "post its invoices from 03/20/2026 on"):
            self.order._action_cancel()
        draft.action_post()
        self.order._action_cancel()
        self.assertEqual(self._amounts(), [10, 3.55])

    @freeze_time("2026-02-05")
    def test_cancelling_does_not_take_a_due_draft_with_it(self):
        """Odoo cancels the drafts of an order that is cancelled."""
        self.plan.invoice_posting = "draft"
        draft = self.order._create_recurring_invoice()
        with self.assertRaisesRegex(UserError, "create and post its invoices"):
            self.order._action_cancel()
        draft.action_post()
        self.order._action_cancel()
        self.assertEqual(self._amounts(), [10])

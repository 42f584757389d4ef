from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestStateWritten(SubscriptionCase):
    """A state that is written, and not reached by a button.

    The time of a pause was invoiced, nothing of it was in the MRR log, and an import in
    progress counted as expansion.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller = new_test_user(
            cls.env, "state-seller", "sales_team.group_sale_manager"
        )

    def _create_in_progress(self, **values):
        """What an import makes of a row: it ran since 2025, invoiced up to June."""
        defaults = {
            "partner_id": self.partner.id,
            "plan_id": self.plan.id,
            "state": "sale",
            "subscription_state": "3_progress",
            "start_date": "2025-03-31",
            "next_invoice_date": "2026-06-30",
            "order_line": [
                Command.create({"product_id": self.fee.id, "product_uom_qty": 3})
            ],
        }
        with freeze_time("2026-06-10"):
            return self.env["sale.order"].create(defaults | values)

    # === WRITE ===

    def test_paused_and_resumed(self):
        """Paid up to 27 February; runs again on 20 June: 10 of 30 days, 3.33."""
        order = self._create_subscription(start="2026-01-31")
        self._run_cron("2026-01-31")
        with freeze_time("2026-02-10"):
            order.subscription_state = "4_paused"
        self.assertFalse(self._run_cron("2026-05-01"))
        with freeze_time("2026-06-20"):
            order.write({"subscription_state": "3_progress"})
        self.assertEqual(self._run_cron("2026-06-20").amount_total, 3.33)
        self.assertDates(order, "2026-05-31", "2026-06-30")
        self.assertLog(order, ("new", 10), ("pause", -10), ("resume", 10))

    @freeze_time("2026-01-10")
    def test_paused_until_a_day(self):
        order = self._create_subscription()
        order.write({"subscription_state": "4_paused", "resume_date": "2026-01-20"})
        self.assertEqual(order.resume_date, date(2026, 1, 20))
        with self.assertRaisesRegex(UserError, "after today"):
            order.resume_date = "2026-01-10"
        order.resume_date = "2026-01-11"

    @freeze_time("2026-01-10")
    def test_closed_and_reopened(self):
        reason = self.env.ref("sale_subscription.close_reason_no_need")
        order = self._create_subscription()
        order._create_recurring_invoice()
        order.write({"subscription_state": "6_churn", "close_reason_id": reason.id})
        self.assertEqual(order.end_date, date(2026, 1, 10))
        self.assertEqual(order.close_reason_id, reason)
        order.subscription_state = "3_progress"
        self.assertFalse(order.end_date or order.close_reason_id)
        self.assertLog(order, ("new", 10), ("churn", -10), ("reopen", 10))

    @freeze_time("2026-01-10")
    def test_confirmed_with_the_dates_beside_it(self):
        order = self._create_quotation()
        order.write(
            {
                "next_invoice_date": "2026-02-01",
                "subscription_state": "3_progress",
                "start_date": "2026-01-01",
            }
        )
        self.assertEqual(order.state, "sale")
        self.assertDates(order, None, "2026-02-01")
        self.assertEqual(order.billing_anchor_date, date(2026, 1, 1))
        self.assertLog(order, ("new", 10))

    def test_the_same_state_is_no_change(self):
        order = self._create_subscription()
        order.write({"subscription_state": "3_progress", "client_order_ref": "x"})
        self.assertEqual(order.client_order_ref, "x")
        self.assertLog(order, ("new", 10))

    def test_what_no_method_does_is_refused(self):
        running = self._create_subscription()
        closed = self._create_subscription()
        closed.set_close()
        quotation = self._create_quotation()
        without_plan = self._create_quotation(self.setup_fee, plan_id=False)
        for order, states in (
            (running, (False, "1_draft", "2_renewal", "5_renewed", "7_upsell")),
            (closed, (False, "1_draft", "4_paused", "5_renewed", "7_upsell")),
            (quotation, ("2_renewal", "4_paused", "5_renewed", "6_churn", "7_upsell")),
            (without_plan, ("3_progress", "4_paused", "6_churn")),
        ):
            before = order.subscription_state
            for state in states:
                with self.subTest(before=before, state=state):
                    with self.assertRaises(UserError), self.env.cr.savepoint():
                        order.subscription_state = state
                    self.env.invalidate_all()
                    self.assertEqual(order.subscription_state, before)

    def test_with_the_rights_of_who_writes_it(self):
        """As with the buttons: who may write the order."""
        order = self._create_subscription().with_user(self.seller)
        order.write({"subscription_state": "4_paused"})
        self.assertEqual(order.subscription_state, "4_paused")
        portal = new_test_user(self.env, "state-portal", "base.group_portal")
        with self.assertRaises(AccessError):
            order.with_user(portal).write({"subscription_state": "3_progress"})
        # Nor does the context open a way round the methods.
        with self.assertRaises(AccessError):
            order.with_context(subscription_state_by_code=True).write(
                {"subscription_state": "3_progress"}
            )

    def test_by_a_scheduled_or_server_action(self):
        order = self._create_subscription()
        action = self.env["ir.actions.server"].create(
            {
                "name": "Pause",
                "model_id": self.env.ref("sale.model_sale_order").id,
                "state": "object_write",
                "update_path": "subscription_state",
                "selection_value": self.env["ir.model.fields.selection"]
                .search(
                    [
                        ("field_id.model", "=", "sale.order"),
                        ("field_id.name", "=", "subscription_state"),
                        ("value", "=", "4_paused"),
                    ]
                )
                .id,
            }
        )
        action.with_context(active_model="sale.order", active_id=order.id).run()
        self.assertEqual(order.subscription_state, "4_paused")
        self.assertLog(order, ("new", 10), ("pause", -10))

    def test_a_form_changes_no_state(self):
        order = self._create_subscription()
        with Form(order) as form:
            with self.assertRaises(AssertionError):
                form.subscription_state = "6_churn"
            form.client_order_ref = "still in progress"
        self.assertEqual(order.subscription_state, "3_progress")

    # === CREATE AND IMPORT ===

    def test_import_in_progress_is_new(self):
        """3 x 10.00 a month, new; the next invoice on 30 June, then on 31 July."""
        order = self._create_in_progress()
        self.assertLog(order, ("new", 30))
        self.assertDates(order, None, "2026-06-30")
        self.assertFalse(self._run_cron("2026-06-29"))
        self.assertEqual(self._run_cron("2026-06-30").amount_total, 30)
        self.assertDates(order, "2026-06-30", "2026-07-31")

    def test_import_by_a_user_of_a_file(self):
        model = self.env["sale.order"].with_user(self.seller)
        with freeze_time("2026-06-10"):
            result = model.load(
                [
                    *("partner_id/.id", "plan_id/.id", "date_order"),
                    *("subscription_state", "start_date", "next_invoice_date"),
                    *("order_line/product_id/.id", "order_line/product_uom_qty"),
                ],
                [
                    [
                        *(str(self.partner.id), str(self.plan.id)),
                        "2025-03-31 10:00:00",
                        *("3_progress", "2025-03-31", "2026-06-30"),
                        *(str(self.fee.id), "3"),
                    ]
                ],
            )
        self.assertFalse(result["messages"])
        order = self.env["sale.order"].browse(result["ids"])
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.date_order.date(), date(2025, 3, 31))
        self.assertLog(order, ("new", 30))

    def test_import_of_a_paused_one(self):
        order = self._create_in_progress(
            subscription_state="4_paused", resume_date="2026-07-10"
        )
        self.assertEqual(order.resume_date, date(2026, 7, 10))
        self.assertLog(order, ("new", 30), ("pause", -30))
        self.assertFalse(self._run_cron("2026-06-30"))

    def test_import_by_a_default(self):
        model = self.env["sale.order"].with_context(
            default_subscription_state="3_progress"
        )
        with freeze_time("2026-06-10"):
            order = model.create(
                {"partner_id": self.partner.id, "plan_id": self.plan.id}
            )
        self.assertEqual(order.state, "sale")
        self.assertLog(order, ("new", 0))

    def test_import_that_says_too_little_or_too_much_is_refused(self):
        for values, message in (
            ({"next_invoice_date": False}, "enter the date of its next invoice"),
            ({"plan_id": False}, "no recurring plan"),
            ({"subscription_state": "6_churn"}, "create it in progress"),
            ({"subscription_state": "5_renewed"}, "create it in progress"),
            ({"subscription_state": "7_upsell"}, "without its original subscription"),
            ({"subscription_state": "2_renewal"}, "without its original subscription"),
            ({"resume_date": "2026-08-01"}, "Only a paused"),
            ({"next_invoice_date": "2025-01-01"}, "before the start"),
        ):
            with self.subTest(values):
                with self.assertRaisesRegex(UserError, message):
                    with self.env.cr.savepoint():
                        self._create_in_progress(**values)

    # === THE ORDER'S OWN STATE ===

    def test_cancelled_by_its_state(self):
        order = self._create_subscription()
        with freeze_time("2026-01-10"):
            order.write({"state": "cancel"})
        self.assertEqual((order.state, order.subscription_state), ("cancel", "6_churn"))
        self.assertEqual(order.end_date, date(2026, 1, 10))
        self.assertLog(order, ("new", 10), ("churn", -10))

    def test_a_running_one_is_no_quotation(self):
        order = self._create_subscription()
        for state in ("draft", "sent"):
            with self.assertRaisesRegex(UserError, "Cancel it before"):
                order.state = state

    def test_confirmed_by_its_state_it_can_be_started(self):
        """Nothing runs, and the button to confirm it is gone."""
        order = self._create_quotation(start_date="2026-01-01")
        order.state = "sale"
        self.assertFalse(self._run_cron("2026-01-01"))
        order.subscription_state = "3_progress"
        self.assertEqual(self._run_cron("2026-01-01").amount_total, 10)

    # === DATES THAT BELONG TO A STATE ===

    @freeze_time("2026-01-10")
    def test_a_day_to_resume_is_that_of_a_paused_one(self):
        order = self._create_subscription()
        for day in ("2026-02-01", "2026-01-10"):
            with self.assertRaises(UserError):
                order.resume_date = day
        order.pause_subscription()
        with self.assertRaises(ValidationError):
            order.resume_date = "2026-01-10"

    def test_what_runs_has_a_next_invoice(self):
        order = self._create_subscription()
        with self.assertRaisesRegex(UserError, "needs the date of its next invoice"):
            order.next_invoice_date = False

    def test_its_start_does_not_pass_what_is_invoiced(self):
        order = self._create_subscription(start="2026-01-31")
        order.start_date = "2026-01-30"
        with self.assertRaisesRegex(UserError, "cannot start later"):
            order.start_date = "2026-02-01"
        self._run_cron("2026-01-31")
        for day in ("2026-02-01", False):
            with self.assertRaisesRegex(UserError, "cannot start later"):
                order.start_date = day

    def test_what_has_ended_keeps_the_date_of_its_next_invoice(self):
        """Reopened, it would charge paid days again, or leave days out.

        Another end date changes nothing: reopening takes the one that was agreed.
        """
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-10"):
            order.set_close()
            with self.assertRaisesRegex(UserError, "has ended"):
                order.next_invoice_date = "2026-01-20"
            order.end_date = "2026-01-05"
            order.set_open()
        self.assertFalse(order.end_date)
        self.assertDates(order, "2026-01-01", "2026-02-01")

    def test_it_does_not_follow_from_itself(self):
        order = self._create_subscription()
        with self.assertRaisesRegex(ValidationError, "follow from itself"):
            order.subscription_id = order

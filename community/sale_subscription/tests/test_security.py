from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import SubscriptionCase
from .portal_common import PortalCase

# A picture of one pixel.
SIGNATURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestSecurity(SubscriptionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Other company"})
        companies = {
            "company_id": cls.company.id,
            "company_ids": [(6, 0, cls.company.ids)],
        }
        other = {
            "company_id": cls.other_company.id,
            "company_ids": [(6, 0, cls.other_company.ids)],
        }
        cls.salesman = new_test_user(
            cls.env, "subs_sales", "sales_team.group_sale_salesman", **companies
        )
        cls.other_salesman = new_test_user(
            cls.env, "subs_other", "sales_team.group_sale_salesman", **other
        )
        cls.manager = new_test_user(
            cls.env, "subs_manager", "sales_team.group_sale_manager", **companies
        )
        cls.accountant = new_test_user(
            cls.env, "subs_account", "account.group_account_invoice", **companies
        )
        cls.own_plan = cls._create_plan(name="Ours", company_id=cls.company.id)
        cls.other_plan = cls._create_plan(
            name="Theirs", company_id=cls.other_company.id
        )

    def _visible(self, user):
        plans = self.plan + self.own_plan + self.other_plan
        return (
            self.env["sale.subscription.plan"]
            .with_user(user)
            .search([("id", "in", plans.ids)])
        )

    def test_plans_of_ones_own_company_and_shared_ones(self):
        self.assertEqual(self._visible(self.salesman), self.plan + self.own_plan)

    def test_plans_seen_from_the_other_company(self):
        visible = self._visible(self.other_salesman)
        self.assertEqual(visible, self.plan + self.other_plan)

    def test_plan_of_another_company_cannot_be_read(self):
        for plan, user in (
            (self.other_plan, self.salesman),
            (self.own_plan, self.other_salesman),
        ):
            with self.assertRaises(AccessError):
                plan.with_user(user).read(["name"])

    def test_salesman_cannot_change_plans(self):
        with self.assertRaises(AccessError):
            self.plan.with_user(self.salesman).name = "Mine"

    def test_manager_can_change_plans(self):
        self.plan.with_user(self.manager).name = "Managed"
        self.assertEqual(self.plan.name, "Managed")

    def test_nobody_writes_periods_by_hand(self):
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        for user in (self.salesman, self.manager, self.accountant):
            with self.assertRaises(AccessError):
                order.subscription_period_ids.with_user(user).released = True

    def test_salesman_sees_the_periods_of_own_subscriptions_only(self):
        mine = self._create_subscription(user_id=self.salesman.id)
        foreign = self._create_subscription(user_id=self.manager.id)
        self._run_cron("2026-01-01")
        found = (
            self.env["sale.subscription.period"]
            .with_user(self.salesman)
            .search([("subscription_id", "in", (mine + foreign).ids)])
        )
        self.assertEqual(found.subscription_id, mine)

    def test_salesman_sells_and_closes_a_subscription(self):
        order = self._create_quotation(user_id=self.salesman.id)
        order.with_user(self.salesman).action_confirm()
        self.assertEqual(order.subscription_state, "3_progress")
        order.with_user(self.salesman).pause_subscription()
        order.with_user(self.salesman).resume_subscription()
        order.with_user(self.salesman).set_close()
        self.assertEqual(order.subscription_state, "6_churn")

    def test_salesman_creates_the_invoice_and_the_accountant_posts_it(self):
        order = self._create_subscription(user_id=self.salesman.id)
        invoice = order.with_user(self.salesman)._create_invoices()
        invoice.with_user(self.accountant).action_post()
        self.assertDates(order, "2026-01-01", "2026-02-01")

    def test_invoices_are_handed_over_as_odoo_does(self):
        """Odoo makes them as the superuser, and modules post what they are given."""
        order = self._create_subscription(user_id=self.salesman.id)
        invoice = order.with_user(self.salesman)._create_invoices()
        self.assertNotIn("subscription_origins_later", invoice.env.context)
        self.assertEqual(invoice.env.user, self.salesman)
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")
        self.assertTrue(any(order.name in m.body for m in invoice.message_ids))

    def test_salesman_presses_the_button_of_a_plan_that_posts_and_sends(self):
        """As the scheduled action would do it: the plan decides, not the person."""
        template = self.env.ref("account.email_template_edi_invoice")
        self.plan.invoice_mail_template_id = template
        self.partner.email = "customer@example.com"
        order = self._create_subscription(user_id=self.salesman.id)
        order.with_user(self.salesman).action_create_recurring_invoice()
        self.assertIn("posted", order.invoice_ids.mapped("state"))
        self.assertTrue(order.invoice_ids[0].sending_data)

    def test_accountant_cancels_and_deletes_drafts(self):
        order = self._create_subscription()
        invoice = order._create_invoices()
        invoice.with_user(self.accountant).button_cancel()
        self.assertTrue(order._is_period_due())
        invoice.with_user(self.accountant).unlink()
        self.assertFalse(order.subscription_period_ids)

    # === UPSELL, RENEWAL, PLAN CHANGE ===

    def _invoiced(self, user):
        order = self._create_subscription(user_id=user.id)
        self._run_cron("2026-01-01")
        return order

    @freeze_time("2026-01-10")
    def test_salesman_upsells_renews_and_changes_the_plan_of_own_ones(self):
        """Without any right on invoices: 9 of 31 days less, and so on."""
        order = self._invoiced(self.salesman).with_user(self.salesman)
        upsell = order._create_upsell_renew_order("7_upsell")
        upsell.order_line.product_uom_qty = 1
        upsell.action_confirm()
        self.assertEqual(order.order_line.product_uom_qty, 2)
        upsell.sudo()._create_recurring_invoice()
        order.change_plan(self.own_plan, "now")
        self.assertEqual(order.plan_id, self.own_plan)
        renewal = order._create_upsell_renew_order("2_renewal")
        renewal.action_confirm()
        self.assertEqual(order.subscription_state, "5_renewed")

    def test_salesman_changes_nothing_of_others(self):
        order = self._invoiced(self.manager).with_user(self.salesman)
        for change in (
            lambda: order.change_plan(self.own_plan),
            order.pause_subscription,
            order.set_close,
            lambda: order._create_upsell_renew_order("7_upsell"),
            lambda: order._create_upsell_renew_order("2_renewal"),
        ):
            with self.assertRaises(AccessError), freeze_time("2026-01-10"):
                change()

    @freeze_time("2026-01-10")
    def test_salesman_does_not_reach_others_through_an_own_upsell(self):
        order = self._invoiced(self.manager)
        for kind in ("7_upsell", "2_renewal"):
            follower = order._create_upsell_renew_order(kind)
            follower.user_id = self.salesman
            follower.order_line.product_uom_qty = 1
            with self.assertRaises(AccessError):
                follower.with_user(self.salesman).action_confirm()
        self.assertEqual(order.subscription_state, "3_progress")

    @freeze_time("2026-01-10")
    def test_salesman_does_not_change_others_by_cancelling_an_own_follower(self):
        """It took quantities off a subscription, or let it run again."""
        for kind, state in (("7_upsell", "3_progress"), ("2_renewal", "5_renewed")):
            order = self._invoiced(self.manager)
            follower = order._create_upsell_renew_order(kind)
            follower.order_line.product_uom_qty = 1
            follower.action_confirm()
            follower.user_id = self.salesman
            before = order.order_line.product_uom_qty
            with self.subTest(kind=kind), self.assertRaises(AccessError):
                follower.with_user(self.salesman)._action_cancel()
            self.assertEqual(order.subscription_state, state)
            self.assertEqual(order.order_line.product_uom_qty, before)

    def test_plan_of_another_company_is_refused(self):
        order = self._invoiced(self.salesman)
        with self.assertRaises(UserError), freeze_time("2026-01-10"):
            order.change_plan(self.other_plan)


@tagged("post_install", "-at_install")
class TestCustomersReadNoErrors(PortalCase):
    """What went wrong inside names accounts, colleagues and other customers."""

    def test_fields(self):
        self.order.write(
            {
                "subscription_error": "no account 4000",
                "payment_exception_reason": "no account 4000",
            }
        )
        for name in ("subscription_error", "payment_exception_reason"):
            with self.subTest(field=name):
                order = self.order.with_user(self.ann)
                self.assertNotIn(name, order.fields_get())
                with self.assertRaises(AccessError):
                    order.read([name])
                with self.assertRaises(AccessError):
                    order.search([(name, "=like", "n%")])

    def test_notes(self):
        """Read by number: a search leaves them out anyhow."""
        note = self.order.message_post(body="no account 4000")
        answer = self.order.message_post(
            body="Thank you", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            note.with_user(self.ann).read(["body"])
        self.assertEqual(answer.with_user(self.ann).body, "<p>Thank you</p>")

    def test_signing_what_cannot_be_confirmed(self):
        """It told the customer which draft invoice somebody should delete."""
        self.company.portal_confirmation_sign = True
        renewal = self.order._create_upsell_renew_order("2_renewal")
        renewal.require_signature = True
        renewal.action_quotation_sent()
        with freeze_time(self.next_date):
            draft = self.order._create_invoices()
        self.assertEqual(draft.state, "draft")
        self._sign_in(self.ann)
        answer = self.url_open(
            f"/my/orders/{renewal.id}/accept",
            json={"params": {"name": "Ann", "signature": SIGNATURE}},
        ).json()
        self.assertEqual(
            answer["result"],
            {"error": "The order could not be confirmed. Please contact us."},
        )
        self.assertEqual((renewal.state, renewal.signed_by), ("sent", False))

from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .case import JANUARY_END, AccrualCase

METHODS = ("action_post_entries", "action_compute", "action_cancel")


@tagged("post_install", "-at_install")
class TestEntries(AccrualCase):
    """200 calls of January come to 50.00."""

    def setUp(self):
        super().setUp()
        self.event = self._record(200)

    def test_the_entry_and_its_reversal(self):
        accrual = self.accrue()
        entry, reversal = accrual.move_id, accrual.reversal_id
        income = self.line(accrual).account_id
        self.assertEqual(
            self.items(entry),
            [
                (income, self.partner, -50.0, -50.0),
                (self.account, self.partner, 50.0, 50.0),
            ],
        )
        self.assertEqual((entry.state, str(entry.date)), ("posted", "2026-01-31"))
        self.assertEqual((reversal.state, str(reversal.date)), ("posted", "2026-02-01"))
        self.assertEqual(reversal.line_ids.mapped("balance"), [50.0, -50.0])
        self.assertEqual(income.account_type, "income")
        self.assertEqual(accrual.posted_by_id, self.env.user)
        self.assertEqual(self.line(accrual).move_line_id, entry.line_ids[0])
        self.assertEqual(entry.fc_accrual_id, accrual)
        self.assertEqual(reversal.action_fc_view_accrual()["res_id"], accrual.id)

    def test_it_touches_no_rating_and_no_invoice(self):
        self.accrue()
        self.order._fc_rate_usage()
        self.assertEqual(self.order.fc_rating_ids.mapped("state"), ["open"])
        move = self.invoice("2026-02-01")
        self.assertEqual(sum(self.usage_lines(move).mapped("price_subtotal")), 50.0)

    def test_analytic_is_on_the_income_alone(self):
        """On both sides it would come to nothing in analytic reports."""
        plan = self.env["account.analytic.plan"].create({"name": "Projects"})
        analytic = self.env["account.analytic.account"].create(
            {"name": "Sample", "plan_id": plan.id}
        )
        self.order._fc_rate_usage()
        self._usage_line().analytic_distribution = {str(analytic.id): 100}
        entry = self.accrue().move_id
        self.assertEqual(
            [x.analytic_distribution for x in entry.line_ids],
            [{str(analytic.id): 100}, False],
        )
        self.assertEqual(sum(entry.line_ids.analytic_line_ids.mapped("amount")), 50.0)

    def test_customers_are_told_apart(self):
        other = self.env["res.partner"].create({"name": "Another Customer"})
        order = self._create_subscription(partner_id=other.id)
        self._record(110, order=order)
        entry = self.accrue().move_id
        owed = entry.line_ids.filtered(lambda x: x.account_id == self.account)
        self.assertEqual(
            {(x.partner_id, x.balance) for x in owed},
            {(self.partner, 50.0), (other, 5.0)},
        )

    def test_the_account_of_the_fiscal_position(self):
        export = self._account(self.company, "income", "400901")
        income = self.usage_product.product_tmpl_id.get_product_accounts()["income"]
        self.order.fiscal_position_id = self.env["account.fiscal.position"].create(
            {
                "name": "Export",
                "account_ids": [
                    Command.create(
                        {"account_src_id": income.id, "account_dest_id": export.id}
                    )
                ],
            }
        )
        self.assertEqual(self.line(self.preview()).account_id, export)

    def test_a_second_time_replaces_the_first(self):
        first = self.accrue()
        self._record(20, "2026-01-31 12:00:00")
        second = self.accrue()
        self.assertEqual((first.state, first.replaced_by_id), ("replaced", second))
        self.assertEqual(
            (first.move_id | first.reversal_id).mapped("state"), ["cancel"] * 2
        )
        self.assertEqual(self.books(), 60.0)

    def books(self, day=JANUARY_END):
        """What the accrued revenue account says at the end of a day."""
        items = self.env["account.move.line"].search(
            [
                ("account_id", "=", self.account.id),
                ("parent_state", "=", "posted"),
                ("date", "<=", day),
            ]
        )
        return sum(items.mapped("balance"))

    def test_the_books_of_each_day(self):
        self.accrue()
        self.assertEqual(self.books(date(2026, 1, 30)), 0.0)
        self.assertEqual(self.books(), 50.0)
        self.assertEqual(self.books(date(2026, 2, 1)), 0.0)

    def test_entries_that_are_secured_are_reversed_instead(self):
        self.journal.restrict_mode_hash_table = True
        first = self.accrue()
        self.assertTrue(first.move_id.inalterable_hash)
        self._record(20, "2026-01-31 12:00:00")
        self.accrue()
        self.assertEqual(first.state, "replaced")
        self.assertEqual(first.move_id.state, "posted")
        self.assertEqual(self.books(), 60.0)
        self.assertEqual(self.books(date(2026, 2, 1)), 0.0)

    def test_a_reversal_of_tomorrow_waits_and_is_cancelled(self):
        with freeze_time("2026-01-31 20:00:00"):
            first = self.accrue()
            self.assertEqual(first.reversal_id.state, "draft")
            self.assertEqual(first.reversal_id.auto_post, "at_date")
            first.action_cancel()
        self.assertEqual(first.state, "cancelled")
        self.assertEqual(
            (first.move_id | first.reversal_id).mapped("state"), ["cancel"] * 2
        )

    def test_tomorrow_is_not_known_yet(self):
        with freeze_time("2026-01-30 20:00:00"):
            with self.assertRaisesRegex(UserError, "in the future"):
                self.preview()

    def test_what_has_changed_since_is_shown_first(self):
        accrual = self.preview()
        self._record(20, "2026-01-31 12:00:00")
        answer = accrual.action_post_entries()
        self.assertEqual(answer["tag"], "display_notification")
        self.assertEqual((accrual.state, accrual.balance), ("draft", 60.0))
        self.assertTrue(accrual.action_post_entries())
        self.assertEqual(self.books(), 60.0)

    def test_nothing_to_accrue(self):
        self.event._void("sent by mistake")
        accrual = self.accrue()
        self.assertFalse(accrual.move_id | accrual.reversal_id)

    def test_the_company_remembers_journal_and_account(self):
        self.preview()
        wizard = self.env["fusion.billing.accrual.wizard"].create({})
        self.assertEqual(
            (wizard.journal_id, wizard.account_id), (self.journal, self.account)
        )

    def test_it_is_kept(self):
        accrual = self.accrue()
        with self.assertRaisesRegex(UserError, "cannot be deleted"):
            accrual.unlink()
        with self.assertRaisesRegex(UserError, "already posted"):
            accrual.action_post_entries()


@tagged("post_install", "-at_install")
class TestLockedPeriods(AccrualCase):
    def lock(self, day="2026-01-31"):
        self.company.fiscalyear_lock_date = day

    def test_a_locked_period_is_refused(self):
        self._record(200)
        self.lock()
        with self.assertRaisesRegex(UserError, "is locked"):
            self.preview()

    def test_one_that_was_locked_since_the_preview(self):
        self._record(200)
        accrual = self.preview()
        self.lock()
        with self.assertRaisesRegex(UserError, "is locked"):
            accrual.action_post_entries()
        self.assertFalse(accrual.move_id)

    def test_what_is_locked_is_not_taken_back(self):
        self._record(200)
        accrual = self.accrue()
        self.lock()
        with self.assertRaisesRegex(UserError, "is locked"):
            accrual.action_cancel()
        self.assertEqual(accrual.move_id.state, "posted")

    def test_late_usage_counts_in_the_first_open_period_which_says_so(self):
        """January: 50.00 accrued, and locked. In February 10 more calls turn up."""
        self._record(200)
        self.accrue()
        self.lock()
        self.invoice("2026-02-01")
        self._record(10, "2026-01-20 00:00:00")
        self._record(104, "2026-02-05 00:00:00")
        accrual = self.accrue(date(2026, 2, 28))
        lines = {x.window_id.first_day.month: x for x in self.line(accrual)}
        self.assertEqual((lines[1].amount, lines[1].late_amount), (5.0, 5.0))
        self.assertEqual((lines[2].amount, lines[2].late_amount), (2.0, 0.0))
        self.assertEqual(accrual.balance, 7.0)
        self.assertEqual(str(accrual.move_id.date), "2026-02-28")
        self.assertIn("5.00", accrual.late_note)
        self.assertIn("01/31/2026", accrual.late_note)

    def test_what_january_accrued_is_not_late_in_february(self):
        """Its invoice is a draft all the while: accrued, reversed, accrued again."""
        self._record(200)
        self.accrue()
        self.lock()
        self.invoice()
        accrual = self.accrue(date(2026, 2, 28))
        self.assertEqual(self.line(accrual).mapped("late_amount"), [0.0])
        self.assertFalse(accrual.late_note)


@tagged("post_install", "-at_install")
class TestWhoMay(AccrualCase):
    def setUp(self):
        super().setUp()
        self._record(200)

    def user(self, group):
        return new_test_user(self.env, group.replace(".", "-"), group)

    def test_accountants_and_billing_managers(self):
        for group in (
            "account.group_account_invoice",
            "fusion_centralized_billing.group_manager",
        ):
            with self.subTest(group):
                user = self.user(group)
                accrual = self.preview(user=user)
                accrual.action_post_entries()
                self.assertEqual(accrual.posted_by_id, user)
                self.assertEqual(accrual.move_id.sudo().state, "posted")
                accrual.action_cancel()

    def test_nobody_else(self):
        accrual = self.preview()
        for group in (
            "fusion_centralized_billing.group_user",
            "account.group_account_readonly",
            "sales_team.group_sale_manager",
            "base.group_user",
        ):
            with self.subTest(group):
                user = self.user(group)
                for method in METHODS:
                    with self.assertRaises(AccessError):
                        getattr(accrual.with_user(user), method)()
                with self.assertRaises(AccessError):
                    self.preview(user=user)

    def test_two_companies(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        user = new_test_user(
            self.env,
            "accountant-elsewhere",
            "account.group_account_invoice,fusion_centralized_billing.group_manager",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        accrual = self.preview()
        with self.assertRaises(AccessError):
            accrual.with_user(user).action_post_entries()
        own = self.preview(
            user=user,
            journal_id=self._journal(elsewhere).id,
            account_id=self._account(elsewhere).id,
        )
        self.assertEqual((own.company_id, len(own.line_ids)), (elsewhere, 0))
        self.assertNotIn(accrual, own.search([]))


@tagged("post_install", "-at_install")
class TestAccruedOrdersOfOdoo(AccrualCase):
    """Odoo's own dialog took the usage line for one that is delivered and invoiced."""

    def setUp(self):
        super().setUp()
        self._record(200)
        self.order._fc_rate_usage()

    def dialog(self, records):
        return self.env["account.accrued.orders.wizard"].with_context(
            active_model=records._name, active_ids=records.ids
        )

    def ordinary(self):
        product = self._create_product(
            recurring_invoice=False, invoice_policy="delivery"
        )
        order = self._create_order(
            plan_id=False,
            order_line=[
                Command.create(
                    {
                        "product_id": product.id,
                        "product_uom_qty": 3,
                        "price_unit": 20.0,
                    }
                )
            ],
        )
        order.action_confirm()
        order.order_line.qty_delivered = 2
        return order

    def test_it_leads_to_the_accrual_of_usage(self):
        action = self.env.ref("fusion_centralized_billing.accrual_wizard_action")
        for records in (
            self.order,
            self.order | self.ordinary(),
            self._usage_line(),
            self.order.order_line,
        ):
            with self.subTest(records), self.assertRaises(RedirectWarning) as caught:
                self.dialog(records).create({"account_id": self.account.id})
            message, action_id, _button, *_rest = caught.exception.args
            self.assertIn(self.order.name, message)
            self.assertEqual(action_id, action.id)

    def test_other_orders_are_accrued_by_it_as_before(self):
        wizard = self.dialog(self.ordinary()).create(
            {
                "account_id": self.account.id,
                "date": "2026-12-31",
                "journal_id": self.journal.id,
            }
        )
        moves = self.env["account.move"].search(wizard.create_entries()["domain"])
        owed = moves.line_ids.filtered(lambda x: x.account_id == self.account)
        self.assertEqual(owed.sorted("id").mapped("balance"), [40.0, -40.0])

    def test_what_other_reports_of_odoo_read(self):
        """Due is what the next invoice bills, whatever was invoiced before."""
        line = self._usage_line()
        self.assertEqual((line.qty_to_invoice, line.untaxed_amount_to_invoice), (1, 50))
        self.invoice("2026-02-01")
        self._record(110, "2026-02-05 00:00:00")
        self.order._fc_rate_usage()
        self.assertEqual((line.qty_to_invoice, line.untaxed_amount_to_invoice), (1, 5))
        self.assertEqual(line.amount_to_invoice, 5.0)
        self.env.flush_all()
        [reported] = self.env["sale.report"]._read_group(
            [("line_id", "=", line.id)]
            if "line_id" in self.env["sale.report"]._fields
            else [
                ("order_reference", "=", f"sale.order,{self.order.id}"),
                ("product_id", "=", self.usage_product.id),
            ],
            [],
            ["untaxed_amount_to_invoice:sum", "qty_to_invoice:sum"],
        )
        self.assertEqual(reported, (5.0, 1.0))

import base64
import io
from unittest.mock import patch

import openpyxl

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ...models.control import control
from .case import ControlCase


@tagged("post_install", "-at_install")
class TestSignOff(ControlCase):
    """A period is signed by name and date; what changes afterwards is shown."""

    def setUp(self):
        super().setUp()
        self._record(300)
        self.invoice = self.bill()
        self.period = self.control()

    def person(self, login, groups, **values):
        return new_test_user(self.env, login, groups, **values)

    def test_managers_and_accountants_sign(self):
        for login, group in (
            ("signs-1", "fusion_centralized_billing.group_manager"),
            ("signs-2", "account.group_account_user"),
        ):
            user = self.person(login, group)
            with self.subTest(group):
                mine = self.period.with_user(user)
                mine.action_sign()
                self.assertEqual(mine.state, "signed")
                self.assertEqual(mine.signed_by_id, user)
                self.assertTrue(mine.signed_at)
                mine.action_reopen()
                self.assertFalse(mine.signed_by_id)

    def test_others_do_not(self):
        for login, group in (
            ("signs-not-1", "fusion_centralized_billing.group_user"),
            ("signs-not-2", "account.group_account_readonly"),
            ("signs-not-3", "account.group_account_invoice"),
            ("signs-not-4", "sales_team.group_sale_manager"),
        ):
            with self.subTest(group), self.assertRaises(AccessError):
                self.period.with_user(self.person(login, group)).action_sign()

    def test_another_company_sees_nothing(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        user = self.person(
            "signs-elsewhere",
            "fusion_centralized_billing.group_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        for records in (
            self.period,
            self.period.line_ids,
            self.period.total_ids,
        ):
            self.assertTrue(records)
            self.assertFalse(
                records.with_user(user).search([("id", "in", records.ids)])
            )
            with self.assertRaises(AccessError):
                records.with_user(user).read(["company_id"])

    def test_of_another_company_nothing_is_counted(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        control = self.control(company_id=company.id)
        self.assertFalse(control.line_ids)

    def test_a_signed_period_stays(self):
        self.period.action_sign()
        with self.assertRaises(UserError):
            self.period.action_compute()
        with self.assertRaises(UserError):
            self.period.date_end = "2026-02-28"
        with self.assertRaises(UserError):
            self.period.unlink()
        self.credit(self.invoice)
        self.assertEqual(self.line(self.period).posted_amount, 100)

    def test_what_changed_since_is_shown_by_line(self):
        self.period.action_sign()
        self.period.action_check()
        self.assertFalse(self.period.change_ids)
        self.credit(self.invoice)
        self._record(20)
        self.period.action_check()
        changes = {
            change.figure: (change.signed, change.now, change.difference)
            for change in self.period.change_ids
        }
        self.assertEqual(
            changes,
            {
                "accepted_quantity": (300, 320, 20),
                "accepted_count": (1, 2, 1),
                "rated_difference": (0, 20, 20),
                "waiting_quantity": (0, 20, 20),
                "forgiven_amount": (0, 100, 100),
                "posted_amount": (100, 0, -100),
                "journal_balance": (100, 0, -100),
            },
        )
        self.assertEqual(self.period.change_ids.subscription_id, self.order)

    def test_a_line_that_was_not_there_is_a_change(self):
        self.period.action_sign()
        order = self._create_subscription()
        self._record(7, order=order)
        self.period.action_check()
        self.assertEqual(self.period.change_ids.subscription_id, order)

    def test_what_differs_is_signed_with_a_remark(self):
        self.declare(400)
        with self.assertRaises(ValidationError):
            self.period.action_sign()
        self.period.note = "The app counted twice on the 3rd; it is being mended."
        self.period.action_sign()
        self.assertEqual(self.line(self.period).declared_unexplained, 100)

    def test_what_takes_long_is_computed_in_the_background(self):
        with patch.object(control, "AT_ONCE", -2):
            self._record(20)
            self.period.action_compute()
            self.assertEqual(self.period.job_state, "waiting")
            self.assertEqual(self.line(self.period).accepted_quantity, 300)
            with self.assertRaises(UserError):
                self.period.action_sign()
            with self.enter_registry_test_mode():
                self.env.ref(
                    "fusion_centralized_billing.cron_jobs"
                ).method_direct_trigger()
            self.env.invalidate_all()
            self.assertEqual(self.period.job_state, "done")
            self.assertEqual(self.line(self.period).accepted_quantity, 320)
            self.period.action_sign()
        self.assertEqual(self.period.state, "signed")

    def test_the_spreadsheet(self):
        self.period.action_sign()
        data = base64.b64decode(self.period.xlsx)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        self.assertEqual(book.sheetnames, ["Period", "Totals", "Lines", "Changes"])
        head, row = book["Lines"].iter_rows(values_only=True)
        values = dict(zip(head, row, strict=True))
        self.assertEqual(values["Accepted"], 300)
        self.assertEqual(values["On Posted Invoices"], 100)
        self.assertEqual(values["Subscription"], self.order.name)
        self.assertEqual(values["Source App"], self.service.name)
        cover = dict(book["Period"].iter_rows(values_only=True))
        self.assertEqual(cover["Signed Off By"], self.env.user.name)

    def test_no_cell_is_a_formula(self):
        self.service.name = "=1+1"
        data = base64.b64decode(self.period.xlsx)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        _head, row = book["Totals"].iter_rows(values_only=True)
        self.assertEqual(row[0], "'=1+1")

from datetime import date

from odoo.fields import Command

from ..common import BillingCase

JANUARY_END = date(2026, 1, 31)
FEBRUARY = date(2026, 2, 1), date(2026, 3, 1)


def tier(up_to, price, fee=0.0):
    return Command.create({"up_to": up_to, "price_per_unit": price, "flat_fee": fee})


class AccrualCase(BillingCase):
    """Calls cost 0.50 each above 100 a window; the open window is January 2026."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.journal = cls._journal(cls.company)
        cls.account = cls._account(cls.company)

    @classmethod
    def _journal(cls, company):
        return cls.env["account.journal"].create(
            {
                "name": "Accruals",
                "code": "ACCR",
                "type": "general",
                "company_id": company.id,
            }
        )

    @classmethod
    def _account(cls, company, kind="asset_current", code="118700"):
        return cls.env["account.account"].create(
            {
                "name": f"Sample {kind}",
                "code": code,
                "account_type": kind,
                "company_ids": [Command.set(company.ids)],
            }
        )

    # -- what finance does -----------------------------------------------------

    def preview(self, day=JANUARY_END, user=None, **values):
        """Fill in the dialog, and press *Preview*; returns the draft."""
        Wizard = self.env["fusion.billing.accrual.wizard"]
        if user:
            Wizard = Wizard.with_user(user)
        wizard = Wizard.create(
            {"date": day, "journal_id": self.journal.id, "account_id": self.account.id}
            | values
        )
        action = wizard.action_preview()
        return wizard.env["fusion.billing.accrual"].browse(action["res_id"])

    def accrue(self, day=JANUARY_END, **values):
        accrual = self.preview(day, **values)
        accrual.action_post_entries()
        self.assertEqual(accrual.state, "posted")
        return accrual

    def invoice(self, day=None, window=FEBRUARY):
        """Invoice the open window; posted with an accounting date, or left a draft."""
        move = self.order._create_invoices(final=True)
        if day:
            move.invoice_date = day
            move.action_post()
        if window:
            self._set_window(self.order, *window)
        return move

    # -- what came of it -------------------------------------------------------

    def line(self, accrual, order=None):
        return accrual.line_ids.filtered(
            lambda x: x.subscription_id == (order or self.order)
        )

    def amount(self, day=JANUARY_END):
        """What is accrued for the subscription until a day."""
        return sum(self.line(self.preview(day)).mapped("amount"))

    def items(self, move):
        """[(account, customer, amount in currency, balance), ...] of an entry."""
        return [
            (x.account_id, x.partner_id, x.amount_currency, x.balance)
            for x in move.line_ids
        ]

    def usage_lines(self, move):
        return move.invoice_line_ids.filtered(
            lambda x: x.product_id == self.usage_product
        )

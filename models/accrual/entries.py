from collections import defaultdict
from datetime import timedelta

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_date


class FusionBillingAccrualEntries(models.AbstractModel):
    """The journal entries of accruals: made, reversed on the next day, taken back."""

    _name = "fusion.billing.accrual.entries"
    _description = "Journal Entries of Usage Accruals"

    @api.model
    def _check_open(self, company, day, journal):
        """:raises UserError: the day is locked for entries in that journal"""
        locks = company.sudo()._get_violated_lock_dates(day, False, journal)
        if locks:
            raise UserError(
                self.env._(
                    "%(day)s is locked: %(locks)s. Nothing can be posted in a "
                    "locked period. Accrue at the end of the first open period: it "
                    "includes all usage not invoiced by then, also late usage of "
                    "the locked period, and the report shows how much that is.",
                    day=format_date(self.env, day),
                    locks=company.sudo()._format_lock_dates(locks),
                )
            )

    @api.model
    def _make(self, accrual):
        """Post the entry of an accrual, and what reverses it on the next day.

        A reversal in the future waits as a draft that Odoo posts on its date.

        :return: (entry, reversal), empty where there is nothing to accrue
        """
        Move = self.env["account.move"].with_company(accrual.company_id)
        lines = accrual.line_ids.filtered("balance")
        if not lines:
            return Move, Move
        label = self.env._(
            "Accrued usage until %(day)s", day=format_date(self.env, accrual.date)
        )
        groups = self._grouped(lines)
        move = Move.create(
            {
                "move_type": "entry",
                "ref": label,
                "date": accrual.date,
                "journal_id": accrual.journal_id.id,
                "line_ids": self._items(accrual, groups, label),
            }
        )
        move._post()
        if move.date != accrual.date:  # Odoo moves the date of what is locked
            self._check_open(accrual.company_id, accrual.date, accrual.journal_id)
        reversal = move._reverse_moves(
            [
                {
                    "ref": self.env._("Reversal of: %s", label),
                    "date": accrual.reversal_date,
                }
            ]
        )
        reversal._post()
        income = move.line_ids.sorted("id")[: len(groups)]
        for item, group in zip(income, groups.values(), strict=True):
            group.move_line_id = item
        return move, reversal

    def _grouped(self, lines):
        """Lines of one journal item: {(account, customer, currency, analytic): lines}.

        :raises UserError: a product has no income account
        """
        groups = defaultdict(lines.browse)
        for line in lines:
            if not line.account_id:
                raise UserError(
                    self.env._(
                        "%(product)s has no income account: set one on the product, or"
                        " on its category.",
                        product=line.product_id.display_name,
                    )
                )
            analytic = tuple(sorted((line.analytic_distribution or {}).items()))
            key = line.account_id, line.partner_id, line.currency_id, analytic
            groups[key] |= line
        return groups

    def _items(self, accrual, groups, label):
        """The income of each group, then what is accrued of each customer."""
        income, accrued = [], defaultdict(lambda: [0.0, 0.0])
        for (account, partner, currency, analytic), lines in groups.items():
            amount, balance = sum(lines.mapped("amount")), sum(lines.mapped("balance"))
            accrued[partner, currency][0] += amount
            accrued[partner, currency][1] += balance
            income.append(
                self._item(account, partner, currency, -amount, -balance)
                # The other side is no income: with the same distribution on both,
                # analytic reports would show nothing.
                | {"analytic_distribution": dict(analytic) or False}
            )
        others = [
            self._item(accrual.accrued_account_id, partner, currency, *amounts)
            for (partner, currency), amounts in accrued.items()
        ]
        return [Command.create({"name": label} | item) for item in income + others]

    def _item(self, account, partner, currency, amount, balance):
        return {
            "account_id": account.id,
            "partner_id": partner.id,
            "currency_id": currency.id,
            "amount_currency": currency.round(amount),
            "balance": balance,
        }

    # -- taken back ------------------------------------------------------------

    @api.model
    def _take_back(self, moves):
        """Undo entries: what is posted is reset and cancelled, what waits is cancelled.

        What Odoo does not let be reset (a secured entry) is reversed on its own date,
        or on the first day that is open where that date is locked.

        :return: the reversals that were made
        """
        made = moves.browse()
        for move in moves.sorted("date", reverse=True):
            if move.state == "cancel":
                continue
            if move.state == "draft":
                move.button_cancel()
                continue
            locks = move._get_violated_lock_dates(move.date, False)
            if not locks and not move.inalterable_hash:
                move.button_draft()
                move.button_cancel()
                continue
            day = locks[-1][0] + timedelta(days=1) if locks else move.date
            back = move._reverse_moves(
                [{"ref": self.env._("Removed: %s", move.ref), "date": day}]
            )
            back._post(soft=False)
            made |= back
        return made

"""Recurring invoicing of subscriptions: dates, the cron, and Community's hooks."""

import logging

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

_logger = logging.getLogger(__name__)

# Periods of one subscription invoiced in one run. Ten years of missed months; a wrong
# start date (in the year 206, say) does not fill the books in one night.
MAX_PERIODS_PER_RUN = 120


# A file of its own, as life cycle and invoicing are read by different people.
class SaleOrder(models.Model):
    _inherit = "sale.order"

    billing_anchor_date = fields.Date(
        string="Billing Anchor",
        copy=False,
        readonly=True,
        help="The date all period boundaries are counted from.",
    )
    subscription_error = fields.Text(
        string="Invoicing Error",
        copy=False,
        readonly=True,
        help="Why the last attempt to invoice this subscription failed.",
    )
    subscription_period_ids = fields.One2many(
        "sale.subscription.period",
        "subscription_id",
        string="Invoiced Periods",
        readonly=True,
        copy=False,
    )

    # === DATES ===

    def _get_billing_anchor(self):
        """Return the date from which the boundaries of the subscription are counted.

        The start date, as long as the next invoice date is one of its boundaries.
        Otherwise someone has set the next invoice date to another day, and that day
        becomes the anchor.

        :rtype: datetime.date
        """
        self.ensure_one()
        next_date = self.next_invoice_date
        for anchor in (self.billing_anchor_date, self.start_date):
            if (
                anchor
                and self.plan_id._get_boundary_index(anchor, next_date) is not None
            ):
                return anchor
        return next_date

    def _get_following_boundary(self):
        """Return the boundary after the next invoice date.

        :rtype: datetime.date
        """
        anchor = self._get_billing_anchor()
        index = self.plan_id._get_boundary_index(anchor, self.next_invoice_date)
        return self.plan_id._get_boundary(anchor, index + 1)

    def _advance_period(self):
        """Move the dates one period on."""
        self.ensure_one()
        self.write(
            {
                "billing_anchor_date": self._get_billing_anchor(),
                "last_invoice_date": self.next_invoice_date,
                "next_invoice_date": self._get_following_boundary(),
            }
        )

    def _prepare_resume_values(self, today):
        """Return the dates of a subscription that runs again from today.

        :param datetime.date today: the day it is opened
        :return: values for `write`; empty when the period paid for still runs
        :rtype: dict
        """
        self.ensure_one()
        next_date = self.next_invoice_date
        if next_date and next_date >= today:
            return {}
        if not next_date:
            return {"start_date": self.start_date or today, "next_invoice_date": today}
        anchor = self._get_billing_anchor()
        index = self.plan_id._get_first_boundary_from(anchor, today)
        values = {
            "billing_anchor_date": anchor,
            "next_invoice_date": self.plan_id._get_boundary(anchor, index),
        }
        if self.last_invoice_date:
            values["last_invoice_date"] = self.plan_id._get_boundary(anchor, index - 1)
        return values

    # === WHAT IS DUE ===

    @api.model
    def _get_due_domain(self):
        """Return the domain of subscriptions whose next invoice date has come.

        :rtype: Domain
        """
        return Domain(
            [
                ("is_subscription", "=", True),
                ("subscription_state", "=", "3_progress"),
                ("next_invoice_date", "<=", fields.Date.today()),
            ]
        )

    def _get_period(self, period_start):
        """Return the claim on the period starting on ``period_start``, if any.

        :rtype: sale.subscription.period
        """
        return self.sudo().subscription_period_ids.filtered(
            lambda p: p.period_start == period_start and not p.released
        )

    def _is_period_due(self):
        """Tell whether the next period is to be invoiced today.

        Not when it has a draft invoice already: the dates move only when that one is
        posted.

        :rtype: bool
        """
        self.ensure_one()
        next_date = self.next_invoice_date
        return bool(
            self.is_subscription
            and self.plan_id
            and self.subscription_state == "3_progress"
            and next_date
            and next_date <= fields.Date.today()
            and (not self.end_date or next_date < self.end_date)
            and not self._get_period(next_date)
        )

    # === COMMUNITY HOOKS ===

    def _create_invoices(self, grouped=False, final=False, date=None):
        """Claim the due period of every subscription that gets an invoice.

        :raises LockError: another user or the cron is invoicing one of them now
        """
        due = self.filtered(lambda o: o._is_period_due())
        if due:
            due.lock_for_update(allow_referencing=True)
        # Being due depends on the day, which triggers no computation by itself.
        self.order_line.filtered("recurring_invoice")._recompute_qty_to_invoice()
        moves = super()._create_invoices(grouped=grouped, final=final, date=date)
        for order in due:
            order_moves = moves.filtered(
                lambda m, o=order: o in m.sudo().line_ids.sale_line_ids.order_id
            )
            if order_moves:
                order._claim_period(order_moves[0])
        return moves

    def _claim_period(self, move=None):
        """Record that the next period is invoiced by ``move``, or is free.

        :param move: account.move, or None for a free period
        :return: the new row
        :rtype: sale.subscription.period
        """
        self.ensure_one()
        return (
            self.env["sale.subscription.period"]
            .sudo()
            .create(
                {
                    "subscription_id": self.id,
                    "period_start": self.next_invoice_date,
                    "period_end": self._get_following_boundary(),
                    "move_id": move.id if move else False,
                }
            )
        )

    # === CRON ===

    @api.model
    def _cron_recurring_create_invoice(self):
        """Create the invoices that are due. Called by the scheduled action."""
        return self._create_recurring_invoice(automatic=True)

    def _create_recurring_invoice(self, automatic=False, batch_size=50):
        """Invoice the due periods of subscriptions, oldest period first.

        :param bool automatic: work through all due subscriptions (or those of ``self``
            that are due), posting as the plan says; a failure is recorded on the
            subscription and the others go on. Inside a scheduled action every
            subscription is committed by itself. Otherwise: invoice the subscriptions in
            ``self`` and let errors out.
        :param int batch_size: records read at a time
        :return: the invoices created
        :rtype: account.move recordset
        """
        if not automatic:
            moves = self.env["account.move"]
            for order in self:
                moves += order._invoice_due_periods()
            return moves
        domain = self._get_due_domain()
        if self:
            domain &= Domain("id", "in", self.ids)
        # Failed ones come last: they must not keep the others from being invoiced.
        due = self.search(domain, order="next_invoice_date, id")
        due = due.filtered(lambda o: o._is_period_due())
        due = due.sorted(lambda o: bool(o.subscription_error))
        return self._invoice_in_batches(due.ids, batch_size)

    def _invoice_in_batches(self, order_ids, batch_size):
        in_cron = bool(self.env.context.get("ir_cron_progress_id"))
        cron = self.env["ir.cron"]
        move_ids = []
        if in_cron:
            cron._commit_progress(remaining=len(order_ids))
        for offset in range(0, len(order_ids), batch_size):
            for order in self.browse(order_ids[offset : offset + batch_size]):
                try:
                    move_ids += order._invoice_isolated().ids
                except OperationalError:
                    if not in_cron:
                        raise
                    # Somebody else changed it just now: the others go on, and the
                    # next run comes back to it.
                    self.env.cr.rollback()
                    _logger.info("Subscription %s put off to the next run", order.id)
                # Without a scheduled action the transaction belongs to the caller.
                if in_cron and not cron._commit_progress(1):
                    return self.env["account.move"].browse(move_ids)
        return self.env["account.move"].browse(move_ids)

    def _invoice_isolated(self):
        """Invoice one subscription; keep its failure from the others.

        :rtype: account.move recordset
        """
        self.ensure_one()
        order = self.try_lock_for_update(allow_referencing=True)
        # Another worker has it, or had it since the search.
        if not order or not order._is_period_due():
            return self.env["account.move"]
        try:
            with self.env.cr.savepoint():
                moves = order._invoice_due_periods()
        except OperationalError:
            # Serialization failure, deadlock, lost connection: says nothing about the
            # subscription, and the transaction is of no more use.
            raise
        except UserError as error:
            order._record_invoicing_error(str(error))
        except Exception as error:
            _logger.exception("Subscription %s could not be invoiced", order.id)
            order._record_invoicing_error(f"{type(error).__name__}: {error}")
        else:
            if order.subscription_error:
                order.subscription_error = False
            return moves
        return self.env["account.move"]

    def _record_invoicing_error(self, text):
        """Show the failure on the subscription; note it once, not every day.

        :param str text: what went wrong
        """
        self.ensure_one()
        if self.subscription_error == text:
            return
        self.subscription_error = text
        self.message_post(
            body=self.env._("The recurring invoice could not be created: %s", text)
        )

    def _invoice_due_periods(self):
        """Invoice every due period of one subscription, in order.

        Stops at a period whose invoice stays in draft.

        :rtype: account.move recordset
        """
        self.ensure_one()
        moves = self.env["account.move"]
        for _count in range(MAX_PERIODS_PER_RUN):
            if not self._is_period_due():
                break
            moves += self._invoice_one_period()
        return moves

    def _invoice_one_period(self):
        self.ensure_one()
        order = self.with_company(self.company_id)
        moves = order.with_context(raise_if_nothing_to_invoice=False)._create_invoices()
        if not moves:
            order._skip_free_period()
        elif self.plan_id.invoice_posting == "post":
            order._post_recurring_invoices(moves)
        return moves

    def _skip_free_period(self):
        """Advance over a period in which there is nothing to invoice."""
        period = self._claim_period()
        self._advance_period()
        self.message_post(
            body=self.env._(
                "Nothing to invoice on %(date)s: the period is free, the next invoice"
                " is due on %(next)s.",
                date=period.period_start,
                next=self.next_invoice_date,
            )
        )

    def _post_recurring_invoices(self, moves):
        """Post the invoices and hand them to Odoo's sending job, as the plan says.

        Sending is left to that job: a mail cannot be taken back when the transaction
        fails afterwards.

        :param moves: account.move recordset, in draft
        """
        moves._post(soft=False)
        if self.plan_id.invoice_mail_template_id:
            moves.sending_data = {
                "author_user_id": self.env.user.id,
                "author_partner_id": self.env.user.partner_id.id,
            }
            self.env.ref("account.ir_cron_account_move_send").sudo()._trigger()

    def action_create_recurring_invoice(self):
        """Invoice what is due now.

        :return: window action on the new invoices
        :rtype: dict
        :raises UserError: nothing is due
        """
        self.ensure_one()
        if not self._is_period_due():
            raise UserError(self.env._("No period of %s is due.", self.name))
        moves = self._create_recurring_invoice()
        return self.action_view_invoice(moves) if moves else True

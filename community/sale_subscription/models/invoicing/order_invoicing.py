import logging

from psycopg2 import OperationalError

from odoo import models
from odoo.fields import Domain
from odoo.tools import format_date

_logger = logging.getLogger(__name__)

# Periods of one subscription invoiced in one run. Ten years of missed months; a wrong
# start date (in the year 206, say) does not fill the books in one night.
MAX_PERIODS_PER_RUN = 120


class SaleSubscriptionOrderInvoicing(models.AbstractModel):
    """Recurring invoicing: the run through what is due, and Community's hook."""

    _name = "sale.subscription.order.invoicing"
    _description = "Invoicing of Subscriptions"

    # === COMMUNITY HOOK ===

    def _create_invoices(self, grouped=False, final=False, date=None):
        """Claim the due period of every subscription that gets an invoice.

        :raises LockError: another user or the cron is invoicing one of them now
        """
        due = self.filtered(lambda o: o._is_period_due())
        if due:
            due.lock_for_update(allow_referencing=True)
            due._end_discounts()
        # Being due depends on the day, which triggers no computation by itself.
        lines = self.order_line.filtered("recurring_invoice")
        self.env.add_to_compute(lines._fields["qty_to_invoice"], lines)
        orders = self.with_context(subscription_origins_later=True)
        moves = super(SaleSubscriptionOrderInvoicing, orders)._create_invoices(
            grouped=grouped, final=final, date=date
        )
        moves = moves.with_context(subscription_origins_later=False)
        moves._log_origins()
        move_of = {}
        for move in moves.sudo():
            # What was delivered on an upsell is of its subscription, too.
            for order in move.line_ids.sale_line_ids.order_id | (
                move.line_ids.subscription_id
            ):
                move_of.setdefault(order.id, move)
        due.filtered(lambda o: o.id in move_of)._claim_periods(move_of)
        return moves

    # === RUN ===

    def _create_recurring_invoice(self, automatic=False, batch_size=50):
        """Invoice the due periods of subscriptions, oldest period first.

        On an empty recordset, as the scheduled action calls it, or with ``automatic``:
        a run through all due subscriptions, or those of ``self`` that are due. It posts
        as the plan says; a failure is recorded on the subscription and the others go
        on. Inside a scheduled action every subscription is committed by itself. The run
        goes round: one period of each, then the next one of those that have more. A
        subscription with ten years to catch up with keeps nobody waiting.

        Otherwise: invoice the subscriptions in ``self`` and let errors out.

        :param bool automatic: see above. A number is taken for the ``batch_size``: in
            some Odoo versions that is the only parameter.
        :param int batch_size: records read at a time
        :return: the invoices created
        :rtype: account.move recordset
        """
        if not isinstance(automatic, bool):
            automatic, batch_size = False, automatic or batch_size
        orders = self.with_context(recurring_automatic=True)
        if automatic or not self:
            moves = orders._run_recurring_invoicing(batch_size)
        else:
            moves = self.env["account.move"]
            for order in orders:
                moves += order._invoice_due_periods()
        # Whoever called it goes on by hand.
        return moves.with_env(self.env)

    def _run_recurring_invoicing(self, batch_size):
        domain = Domain.OR(
            [
                self._get_due_domain(),
                self._get_upsell_to_invoice_domain(),
                self._get_days_to_invoice_domain(),
            ]
        )
        if self:
            domain &= Domain("id", "in", self.ids)
        # Failed ones come last: they must not keep the others from being invoiced.
        due = self.search(domain, order="next_invoice_date, id")
        due = due.filtered(lambda o: o._is_invoice_due())
        due = due._in_turns().sorted(lambda o: bool(o.subscription_error))
        moves = self.env["account.move"]
        for _round in range(MAX_PERIODS_PER_RUN):
            if not due:
                break
            made, due = due._invoice_round(batch_size)
            moves += made
        return moves

    def _in_turns(self):
        """These due subscriptions in the order they are invoiced in. A hook.

        :rtype: sale.order recordset
        """
        return self

    def _invoice_round(self, batch_size):
        """Invoice one period of each of these subscriptions.

        :return: (invoices created, those that have another period due; none when the
            time of the scheduled run is over)
        :rtype: tuple[account.move recordset, sale.order recordset]
        """
        in_cron = bool(self.env.context.get("ir_cron_progress_id"))
        cron = self.env["ir.cron"]
        moves, more = self.env["account.move"], self.browse()
        if in_cron:
            cron._commit_progress(remaining=len(self))
        for batch in self._get_batches(batch_size):
            done, made = batch._invoice_together()
            moves += made
            # Without a scheduled action the transaction belongs to the caller.
            if in_cron and done and not cron._commit_progress(len(done)):
                return moves, self.browse()
            for order in batch - done:
                try:
                    made, went_on = order._invoice_isolated()
                except OperationalError:
                    if not in_cron:
                        raise
                    # Somebody else changed it just now: the others go on, and the
                    # next run comes back to it.
                    self.env.cr.rollback()
                    _logger.info("Subscription %s put off to the next run", order.id)
                else:
                    moves += made
                    if went_on:
                        done += order
                if in_cron and not cron._commit_progress(1):
                    return moves, self.browse()
            more += done.filtered(lambda o: o._is_invoice_due())
        return moves, more

    def _invoice_together(self):
        """Invoice one period of each at once; none of them when one fails.

        Many invoices cost little more than one that way. What is left over, or failed,
        is invoiced one by one: that tells which it was.

        :return: (subscriptions done, invoices created)
        :rtype: tuple[sale.order recordset, account.move recordset]
        """
        nothing = self.browse(), self.env["account.move"]
        candidates = self.filtered(lambda o: o._is_without_trouble())
        if len(candidates) < 2:
            # Without locks: the others are left to whichever worker comes first.
            return nothing
        try:
            with self.env.cr.savepoint():
                orders = candidates.try_lock_for_update(allow_referencing=True)
                orders = orders.filtered(lambda o: o._is_without_trouble())
                if len(orders) < 2:
                    return nothing
                moves = self.env["account.move"]
                for company, group in orders.grouped("company_id").items():
                    moves += group.with_company(company)._invoice_one_period_each()
                return orders, moves
        except OperationalError:
            if not self.env.context.get("ir_cron_progress_id"):
                raise
            self.env.cr.rollback()
        except Exception as error:
            _logger.info("Invoicing %s subscriptions one by one: %s", len(self), error)
        return nothing

    def _is_without_trouble(self):
        """Tell whether a period is due, and the last run did not fail.

        :rtype: bool
        """
        self.ensure_one()
        return not self.subscription_error and self._is_period_due()

    def _invoice_one_period_each(self):
        """Invoice the due period of each subscription.

        :return: the invoices, one for each or for each group that shares one
        :rtype: account.move recordset
        """
        moves = self.env["account.move"]
        orders = self.with_context(raise_if_nothing_to_invoice=False)
        alone, groups = orders._get_invoice_groups()
        if alone:
            moves += alone._create_invoices(grouped=True, final=True)
        for group in groups:
            moves += group._create_invoices(final=True)
        invoiced = moves.sudo().subscription_period_ids.subscription_id
        for order in self - invoiced.sudo(False):
            order._skip_free_period()
        for plan, orders in self.grouped("plan_id").items():
            if plan.invoice_posting == "post":
                periods = moves.sudo().subscription_period_ids.filtered(
                    lambda p, o=orders: p.subscription_id in o
                )
                plan_moves = moves.browse(periods.move_id.ids)
                plan_moves = plan_moves.filtered(lambda move: move.state == "draft")
                if plan_moves:
                    orders._post_recurring_invoices(plan_moves)
        return moves

    def _invoice_isolated(self):
        """Invoice one period of one subscription; keep its failure from the others.

        :return: as :meth:`_invoice_next`
        """
        self.ensure_one()
        order = self.try_lock_for_update(allow_referencing=True)
        # Another worker has it, or had it since the search.
        if order and order._is_invoice_due():
            done, result = order._apply_isolated(lambda o: o._invoice_next())
            if done:
                return result
        return self.env["account.move"], False

    def _is_invoice_due(self):
        """Tell whether the scheduled action has something to invoice here.

        :rtype: bool
        """
        return (
            self._is_period_due()
            or self._is_upsell_to_invoice()
            or self._has_days_to_invoice()
        )

    def _invoice_due_periods(self, until=None):
        """Invoice every due period of one subscription, in order; an upsell once.

        Stops at a period whose invoice stays in draft.

        :param datetime.date until: stop before a period that begins on it or later
        :rtype: account.move recordset
        """
        self.ensure_one()
        moves = self.env["account.move"]
        for _count in range(MAX_PERIODS_PER_RUN):
            if not self._is_invoice_due():
                break
            if until and self._is_period_due() and self.next_invoice_date >= until:
                break
            made, went_on = self._invoice_next()
            moves += made
            if not went_on:
                break
        return moves

    def _invoice_next(self):
        """Invoice what is due first, or pass over a period that is free.

        :return: (the invoices, whether there was anything)
        :rtype: tuple[account.move recordset, bool]
        """
        moves = self._invoice_one_period()
        return moves, bool(moves) or self._skip_free_period()

    def _invoice_one_period(self):
        self.ensure_one()
        order = self.with_company(self.company_id).with_context(
            raise_if_nothing_to_invoice=False
        )
        # final: what is worth less than nothing (a plan changed for a smaller one, say)
        # becomes a credit note.
        moves = order._create_invoices(final=True)
        if moves and self.plan_id.invoice_posting == "post":
            order._post_recurring_invoices(moves)
        return moves

    def _skip_free_period(self):
        """Advance over a due period in which there is nothing to invoice.

        :return: whether there was one
        :rtype: bool
        """
        if not self._is_period_due():
            return False
        period = self._claim_periods({})
        self._advance_period(period.period_start, period.period_end)
        self.message_post(
            body=self.env._(
                "Nothing to invoice on %(date)s: the period is free, the next invoice"
                " is due on %(next)s.",
                date=format_date(self.env, period.period_start),
                next=format_date(self.env, self.next_invoice_date),
            )
        )
        return True

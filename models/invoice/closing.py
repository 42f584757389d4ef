import logging

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, LockError, UserError
from odoo.tools import SQL

from ..subscription.timeline import CHURNED, PAUSED, RENEWED, RUNNING

_logger = logging.getLogger(__name__)

INVOICING_GROUP = "account.group_account_invoice"


class FusionBillingClosing(models.AbstractModel):
    """Billing usage that no regular invoice of its subscription will bill any more.

    That is: windows of a subscription that has ended or is paused, usage that came late
    for them, and windows of a former customer or currency of the subscription.
    """

    _name = "fusion.billing.closing"
    _description = "Billing of Last Billing Windows"

    @api.model
    def _invoice_due(self, orders):
        """Make the invoices that are due, before these subscriptions end.

        Where that fails (a missing account, say) it ends all the same, and says so.
        """
        self, today = self.sudo(), fields.Date.today()
        due = orders.filtered(
            lambda o: (
                o.is_subscription
                and o.state == "sale"
                and o.subscription_state == RUNNING
                and o.next_invoice_date
                and o.next_invoice_date <= today
                and (not o.end_date or o.next_invoice_date < o.end_date)
            )
        )
        for order in due.sudo().with_context(fc_no_grace=True):
            try:
                with self.env.cr.savepoint():
                    order._create_recurring_invoice()
            except LockError as exc:  # somebody invoices it just now: after that
                raise ConcurrencyError(str(exc)) from exc
            except UserError as exc:
                order.message_post(
                    body=self.env._(
                        "What was due could not be invoiced before the "
                        "subscription ended: %s",
                        str(exc),
                    )
                )

    @api.model
    def _bill(self, order, given_back=False):
        """Invoice what an order has used and no other invoice will bill.

        One invoice for each customer and currency that its windows were agreed with.
        Where that fails (a missing account, say) the order says so.

        :param given_back: also what a credit note or a cancelled invoice has given back
            after its end; else that is left to finance
        :return: the invoices made
        """
        self, order = self.sudo(), order.sudo()
        moves = self.env["account.move"]
        try:
            with self.env.cr.savepoint():
                changed = self.env["fusion.billing.rater"]._rate(order)
                self.env["fusion.billing.order.lines"]._update(changed)
        except UserError as exc:
            order.message_post(
                body=self.env._("The last usage could not be rated: %s", str(exc))
            )
            return moves
        left = self._given_back(order)
        if given_back:
            left = left.browse()
        windows = self._windows(order, left)
        groups = windows.grouped(lambda w: (w.partner_id, w.currency_id))
        for (partner, currency), group in groups.items():
            try:
                with self.env.cr.savepoint():
                    moves += order.with_context(
                        fc_windows=tuple(group.ids),
                        fc_left=left._ids,
                        fc_bill_to=(partner.id, currency.id),
                        raise_if_nothing_to_invoice=False,
                    )._create_invoices()
            except LockError as exc:
                raise ConcurrencyError(str(exc)) from exc
            except UserError as exc:
                order.message_post(
                    body=self.env._(
                        "The last usage could not be invoiced: %s", str(exc)
                    )
                )
        for move in moves.with_context(fc_windows=None, fc_bill_to=None):
            try:
                with self.env.cr.savepoint():
                    move.action_post()
                problem = move.fc_held_reason
            except UserError as exc:
                problem = str(exc)
            if problem:
                order.message_post(
                    body=self.env._(
                        "The invoice of the last usage stays in draft: %s", problem
                    )
                )
        return moves

    @api.model
    def _bill_by_hand(self, order):
        """Invoice what an ended order still owes, for a user who asks for it.

        :return: the invoices made
        :raises AccessError: the user may not change the order, or not post invoices
        :raises UserError: it has not ended
        """
        order.check_access("write")
        if not (self.env.su or self.env.user.has_group(INVOICING_GROUP)):
            raise AccessError(
                self.env._("Only users who may post invoices may invoice open usage.")
            )
        ended = order.state == "cancel" or order.subscription_state in (
            RENEWED,
            CHURNED,
        )
        if not (order.is_subscription and ended):
            raise UserError(
                self.env._(
                    "%s has not ended: its next invoice bills the open usage.",
                    order.display_name,
                )
            )
        return self._bill(order, given_back=True)

    def _windows(self, order, left):
        """Windows of an order that are billed apart from its own invoices.

        :param left: agreements that are left to finance
        """
        windows = order.fc_window_ids.filtered(lambda w: w.kind == "billing")
        rated = (
            self.env["fusion.billing.rating"]
            .search(
                [
                    ("subscription_id", "=", order.id),
                    ("state", "=", "open"),
                    ("amount", "!=", 0),
                    ("agreement_id", "not in", left.ids),
                ]
            )
            .window_id
        )
        # What is given back of one that is not settled is given back with all of it.
        unsettled = windows.filtered(lambda w: not w.is_settled)
        windows = (unsettled - left.window_id) | rated
        if order.state == "cancel" or order.subscription_state == CHURNED:
            return windows
        now = fields.Datetime.now()
        if order.subscription_state in (PAUSED, RENEWED):
            return windows.filtered(lambda w: w.end <= now)
        return windows.filtered(lambda w: not w._is_of_order())

    @api.model
    def _cron(self):
        """Hand over and bill what has ended since, each order on its own."""
        Order, Cron = self.env["sale.order"], self.env["ir.cron"]
        renewed = Order.search(
            [("is_subscription", "=", True), ("subscription_state", "=", RENEWED)]
        )
        self.env["fusion.billing.succession"]._hand_over(renewed)
        Cron._commit_progress()
        for order in self._waiting_orders():
            try:
                with self.env.cr.savepoint():
                    self._bill(order)
            except (OperationalError, ConcurrencyError):
                raise  # somebody else changed it just now: the run is repeated
            except Exception as exc:
                _logger.info("Billing what ended of %s failed", order.name, exc_info=1)
                order.invalidate_recordset(flush=False)
                order.sudo().fc_rating_error = str(exc) or type(exc).__name__
            Cron._commit_progress()

    def _waiting_orders(self):
        """Orders with something to bill, by id.

        What came late makes one invoice a day for each, and for each customer of it.
        """
        for model in ("fusion.billing.rating", "fusion.billing.window"):
            self.env[model].flush_model()
        self.env["sale.order"].flush_model()
        ended = SQL(
            "(o.state = 'cancel' OR o.subscription_state = ANY(%s))",
            [PAUSED, RENEWED, CHURNED],
        )
        rows = self.env.execute_query(
            SQL(
                """
                WITH late AS MATERIALIZED ( -- few, whatever the planner thinks
                    SELECT r.subscription_id, r.agreement_id, w.currency_id,
                           w.partner_id
                      FROM fusion_billing_rating r
                      JOIN fusion_billing_window w ON w.id = r.window_id
                     WHERE r.state = 'open' AND r.amount <> 0
                       AND w.settled_at IS NOT NULL)
                SELECT o.id, w.id, NULL::int FROM sale_order o
                  JOIN fusion_billing_window w ON w.subscription_id = o.id
                 WHERE w.is_settled IS NOT TRUE AND w.kind = 'billing'
                   AND w."end" <= %(now)s AND %(ended)s
                 UNION
                SELECT o.id, NULL::int, w.agreement_id FROM late w
                  JOIN sale_order o ON o.id = w.subscription_id
                 WHERE (%(ended)s OR w.currency_id <> o.currency_id
                        OR w.partner_id <> o.partner_id)
                   AND NOT EXISTS (
                           SELECT FROM fusion_billing_rating r
                             JOIN fusion_billing_window v ON v.id = r.window_id
                            WHERE r.subscription_id = o.id
                              AND r.closed_at >= %(today)s
                              AND v.partner_id = w.partner_id
                              AND v.currency_id = w.currency_id)
                """,
                now=fields.Datetime.now(),
                today=fields.Date.today(),
                ended=ended,
            )
        )
        orders = self.env["sale.order"].browse(sorted({row[0] for row in rows}))
        left = self._given_back(orders)
        windows, agreements = frozenset(left.window_id._ids), frozenset(left._ids)
        waiting = {
            order
            for order, window, agreement in rows
            if window not in windows and agreement not in agreements
        }
        return orders.browse(sorted(waiting))

    @api.model
    def _given_back(self, orders):
        """Agreements of ended orders with an amount that was billed and given back.

        Unless it is billed all the same: by a revision of which neither counted the
        other, made later, or earlier and taken back only for a while. Where nothing
        of a window is billed any more, all of it is given back.
        """
        for model in ("fusion.billing.rating", "fusion.billing.window"):
            self.env[model].flush_model()
        ended = orders.filtered(
            lambda o: o.state == "cancel" or o.subscription_state in (RENEWED, CHURNED)
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT a.id
                  FROM fusion_billing_rating r
                  JOIN fusion_billing_window w ON w.id = r.window_id
                  JOIN fusion_billing_window_charge a ON a.window_id = w.id
                       AND (a.id = r.agreement_id OR w.is_settled IS NOT TRUE)
                 WHERE r.subscription_id = ANY(%s)
                   AND r.state = 'released' AND r.amount <> 0
                   AND NOT EXISTS (
                           SELECT FROM fusion_billing_rating again
                            WHERE again.agreement_id = r.agreement_id
                              AND again.state = 'invoiced' AND again.amount <> 0
                              AND (again.counted @> to_jsonb(r.revision)) IS NOT TRUE
                              AND (r.counted @> to_jsonb(again.revision)) IS NOT TRUE)
                """,
                ended.ids,
            )
        )
        return self.env["fusion.billing.window.charge"].browse([key for [key] in rows])

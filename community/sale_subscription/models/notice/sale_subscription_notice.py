import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models

from ..base.states import RUNNING_STATES

# How long before a saved payment method expires its owner is told.
EXPIRY_NOTICE = timedelta(days=30)

_logger = logging.getLogger(__name__)

KINDS = [
    ("payment_failed", "Payment failed"),
    ("card_expiring", "Payment method about to expire"),
    ("closing", "About to be closed"),
    ("closed", "Closed"),
    ("charge", "Upcoming charge"),
    ("renewal", "Upcoming end"),
]


class SaleSubscriptionNotice(models.Model):
    """One thing that a customer was told about a subscription, by email, once.

    The row is what keeps it from being told again: of one subscription, a kind and
    what it is about (an invoice, a day) are there once. The mail itself is made in the
    same transaction and sent by Odoo's mail queue when that is committed.
    """

    _name = "sale.subscription.notice"
    _description = "Email about a Subscription"
    _inherit = ["sale.subscription.guarded"]
    _order = "id desc"
    _rec_name = "kind"

    subscription_id = fields.Many2one(
        "sale.order", required=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(
        related="subscription_id.company_id", store=True, index=True
    )
    kind = fields.Selection(KINDS, required=True, readonly=True)
    subject_key = fields.Char(
        string="Subject", required=True, readonly=True, help="An invoice or a day."
    )
    problem = fields.Char(readonly=True, help="Why no email was created.")

    _told_once = models.UniqueIndex(
        "(subscription_id, kind, subject_key)",
        "The customer has already been notified of this.",
    )

    # === ONE NOTICE ===

    @api.model
    def _tell(self, order, kind, subject_key, **values):
        """Tell the customer of a subscription, unless it was told before.

        A mail that cannot be made is noted on the subscription and hinders nothing.

        :param order: sale.order
        :param str kind: one of `KINDS`
        :param subject_key: what it is about: the id of an invoice, a day
        :param values: what the template needs besides, read there from ``ctx``
        :return: the new notice, or none
        :rtype: sale.subscription.notice
        """
        notices, order = self.sudo(), order.sudo()
        about = {
            "subscription_id": order.id,
            "kind": kind,
            "subject_key": str(subject_key),
        }
        known = [(name, "=", value) for name, value in about.items()]
        if not order.plan_id.send_customer_mails or notices.search_count(known):
            return notices
        problem = notices._send(order, kind, values)
        if problem:
            labels = dict(self._fields["kind"]._description_selection(self.env))
            order.message_post(
                body=self.env._(
                    'The email "%(kind)s" could not be created: %(problem)s',
                    kind=labels[kind],
                    problem=problem,
                )
            )
        return notices.create({**about, "problem": problem})

    def _send(self, order, kind, values):
        """Put the mail of a notice into Odoo's queue.

        :return: why there is none, or False
        :rtype: str | bool
        """
        template = self.env.ref(
            f"sale_subscription.mail_template_{kind}", raise_if_not_found=False
        )
        if not template or not template.active:
            return False  # taken out by whoever may edit templates
        if not order._get_notified_partner().email:
            return self.env._("%s has no email address.", order.partner_id.name)
        try:
            with self.env.cr.savepoint():
                template.sudo().with_context(**values).send_mail(
                    order.id, email_layout_xmlid="mail.mail_notification_light"
                )
        except OperationalError:
            raise
        except Exception as error:
            _logger.warning("Mail %s of order %s not made", kind, order.id, exc_info=1)
            return str(error) or type(error).__name__
        return False

    # === WHAT IS TOLD AHEAD ===

    @api.model
    def _announce(self):
        """Tell of what is about to happen; called once a day."""
        today = fields.Date.today()
        plans = self.env["sale.subscription.plan"].sudo()
        plans = plans.with_context(active_test=False).search(
            [("send_customer_mails", "=", True)]
        )
        self._announce_expiry(plans, today)
        for plan in plans.filtered("notice_days"):
            last_day = today + timedelta(days=plan.notice_days)
            self._announce_dates(plan, today, last_day)
            self._announce_closing(plan, today, last_day)

    def _announce_expiry(self, plans, today):
        orders = self._search_running(
            [
                ("plan_id", "in", plans.ids),
                ("payment_token_id.expiry_date", ">=", today),
                ("payment_token_id.expiry_date", "<=", today + EXPIRY_NOTICE),
            ]
        )
        self._tell_each(
            "card_expiring",
            [
                (order, f"{token.id} {token.expiry_date}", {"token": token})
                for order in orders
                for token in order.payment_token_id
            ],
        )

    def _announce_dates(self, plan, today, last_day):
        coming = [("plan_id", "=", plan.id)]
        ending = self._search_running(
            [*coming, ("end_date", ">", today), ("end_date", "<=", last_day)]
        )
        self._tell_each(
            "renewal",
            [(o, o.end_date, {}) for o in ending.filtered(lambda o: not o.renewal_id)],
        )
        charged = self._search_running(
            [
                *coming,
                ("subscription_state", "=", "3_progress"),
                ("next_invoice_date", ">", today),
                ("next_invoice_date", "<=", last_day),
                ("payment_token_id", "!=", False),
            ]
        )
        charged = charged.filtered(
            lambda o: (
                (not o.end_date or o.next_invoice_date < o.end_date)
                and not o._is_to_be_paused_by(o.next_invoice_date)
            )
        )
        self._tell_each("charge", [(o, o.next_invoice_date, {}) for o in charged])

    def _announce_closing(self, plan, today, last_day):
        limit = plan.auto_close_limit
        if not limit:
            return
        overdue = self.env["sale.order"]._search_overdue_lines(
            [
                ("subscription_id.plan_id", "=", plan.id),
                ("subscription_id.subscription_state", "=", "3_progress"),
            ]
        )
        coming = {}
        for line in overdue:
            day = line.move_id.invoice_date_due + timedelta(days=limit + 1)
            if today < day <= last_day:
                key = line.subscription_id, line.move_id
                coming[key] = {"invoice": line.move_id, "date": day}
        self._tell_each(
            "closing",
            [(order, move.id, values) for (order, move), values in coming.items()],
        )

    def _search_running(self, domain):
        return (
            self.env["sale.order"]
            .sudo()
            .search(
                [
                    ("is_subscription", "=", True),
                    ("state", "=", "sale"),
                    ("subscription_state", "in", RUNNING_STATES),
                    *domain,
                ]
            )
        )

    def _tell_each(self, kind, found):
        """Tell those who were not told before; one query finds them.

        :param list found: (sale.order, what it is about, values of the template)
        """
        ids = [order.id for order, _key, _values in found]
        known = self.sudo().search(
            [("kind", "=", kind), ("subscription_id", "in", ids)]
        )
        told = {(row.subscription_id.id, row.subject_key) for row in known}
        for order, key, values in found:
            if (order.id, str(key)) not in told:
                self._tell(order, kind, key, **values)

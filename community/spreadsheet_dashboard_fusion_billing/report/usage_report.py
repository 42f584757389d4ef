"""What was billed, what is to be billed, and what cannot be: for the dashboard."""

from odoo import fields, models
from odoo.tools import SQL

from odoo.addons.fusion_centralized_billing.models.overview.figure import NEAR_QUOTA

KINDS = [
    ("billed", "Billed"),
    ("open", "Unbilled"),
    ("refused", "Refused"),
    ("unallocated", "Unallocated"),
]
# Of what model a row of each kind is, in the order in which ids are given to them.
SOURCES = {
    "billed": "account.move.line",
    "open": "fusion.billing.rating",
    "refused": "fusion.billing.usage.refused",
    "unallocated": "fusion.billing.usage",
}


class FusionBillingUsageReport(models.Model):
    """One row for each journal item, open rating, refused row and unallocated event.

    Billing users may not read journal items, nor accountants apps and what was refused:
    both read these few columns of them.
    """

    _name = "fusion.billing.usage.report"
    _description = "Usage Billing Analysis"
    _auto = False
    _order = "date desc, id"
    _rec_name = "subscription_id"
    _depends = {
        "account.move.line": ["balance", "date", "parent_state", "sale_line_ids"],
        "fusion.billing.account.link": ["service_id"],
        "fusion.billing.charge": ["metric_id"],
        "fusion.billing.rating": ["amount", "quota_share", "state"],
        "fusion.billing.service": ["company_id", "name"],
        "fusion.billing.usage": ["service_id", "unallocated", "voided_at"],
        "fusion.billing.usage.refused": ["last_refused_at", "service_id", "state"],
        "sale.order": ["fc_account_link_id", "fc_service_id", "partner_id"],
        "sale.order.line": ["fc_charge_id"],
    }

    kind = fields.Selection(KINDS, readonly=True)
    date = fields.Date(
        readonly=True,
        help="Billed: the accounting date. Unbilled: the first day of the billing "
        "window. Else when it was refused, or used.",
    )
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(
        "res.currency",
        readonly=True,
        help="Billed: of the company. Unbilled: of the subscription.",
    )
    service_id = fields.Many2one(
        "fusion.billing.service", string="Source App", readonly=True
    )
    # Accountants may not search apps: they filter by the name.
    app_name = fields.Char(string="Name of the App", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    subscription_id = fields.Many2one("sale.order", readonly=True)
    metric_id = fields.Many2one("fusion.billing.metric", readonly=True)
    # Not monetary: charts would convert it, and still call it by its own currency.
    amount = fields.Float(
        digits=False,
        readonly=True,
        help="Billed: the balance of the posted journal items, credit notes deducted. "
        "Unbilled: what was rated and is on no invoice yet.",
    )
    is_near_quota = fields.Boolean(
        string="Near or over Quota",
        readonly=True,
        help="The billing window is current, and 80% or more of the quota is used.",
    )

    def action_open_source(self):
        """The form of what this row was read from; of a journal item, its invoice.

        :raises AccessError: the user may not read that
        """
        self.ensure_one()
        self.check_access("read")
        source = self.env[SOURCES[self.kind]].browse(self.id // len(KINDS))
        source.check_access("read")
        if self.kind == "billed":
            source = source.move_id
        return {
            "type": "ir.actions.act_window",
            "res_model": source._name,
            "res_id": source.id,
            "view_mode": "form",
        }

    @property
    def _table_query(self):
        parts = [self._billed(), self._open(), self._refused(), self._unallocated()]
        return SQL(
            """
            SELECT x.id * %(kinds)s + x.place AS id, x.kind, x.date, x.company_id,
                   x.currency_id, x.service_id, app.name AS app_name, x.partner_id,
                   x.subscription_id, x.metric_id, x.amount, x.is_near_quota
              FROM (%(rows)s) x
              LEFT JOIN fusion_billing_service app ON app.id = x.service_id
            """,
            kinds=len(KINDS),
            rows=SQL(" UNION ALL ").join(parts),
        )

    def _billed(self):
        """The posted journal items of usage lines, also those of credit notes."""
        return SQL(
            """
            SELECT * FROM (
                SELECT DISTINCT ON (l.id) l.id, 0 AS place, 'billed' AS kind, l.date,
                       l.company_id, l.company_currency_id AS currency_id,
                       %(app)s AS service_id, o.partner_id, o.id AS subscription_id,
                       c.metric_id, -l.balance AS amount, FALSE AS is_near_quota
                  FROM sale_order_line s
                  JOIN fusion_billing_charge c ON c.id = s.fc_charge_id
                  JOIN sale_order_line_invoice_rel r ON r.order_line_id = s.id
                  JOIN account_move_line l ON l.id = r.invoice_line_id
                  JOIN sale_order o ON o.id = s.order_id
                  LEFT JOIN fusion_billing_account_link k
                    ON k.id = o.fc_account_link_id
                 WHERE l.parent_state = 'posted'
                 ORDER BY l.id, s.id) billed
            """,
            app=self._app(),
        )

    def _open(self):
        """Ratings that are on no invoice yet."""
        return SQL(
            """
            SELECT r.id, 1, 'open', r.window_start::date, r.company_id, r.currency_id,
                   %(app)s, r.partner_id, r.subscription_id, r.metric_id, r.amount,
                   coalesce(r.quota_share >= %(near)s
                            AND r.window_start <= %(now)s AND r.window_end > %(now)s,
                            FALSE)
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
              LEFT JOIN fusion_billing_account_link k ON k.id = o.fc_account_link_id
             WHERE r.state = 'open'
            """,
            app=self._app(),
            near=NEAR_QUOTA,
            now=fields.Datetime.now(),
        )

    def _refused(self):
        """What apps have sent and was not accepted, until somebody handles it."""
        return SQL(
            """
            SELECT f.id, 2, 'refused', f.last_refused_at::date, a.company_id,
                   NULL::int, f.service_id, NULL::int, NULL::int, NULL::int, 0, FALSE
              FROM fusion_billing_usage_refused f
              JOIN fusion_billing_service a ON a.id = f.service_id
             WHERE f.state = 'refused'
            """
        )

    def _unallocated(self):
        """Events that no invoice bills."""
        return SQL(
            """
            SELECT u.id, 3, 'unallocated', u.period_start::date, o.company_id,
                   NULL::int, coalesce(u.service_id, %(app)s), o.partner_id, o.id,
                   u.metric_id, 0, FALSE
              FROM fusion_billing_usage u
              JOIN sale_order o ON o.id = u.subscription_id
              LEFT JOIN fusion_billing_account_link k ON k.id = o.fc_account_link_id
             WHERE u.unallocated IS TRUE AND u.voided_at IS NULL
            """,
            app=self._app(),
        )

    def _app(self):
        """The app of a subscription: the one it names, else that of its account."""
        return SQL("coalesce(o.fc_service_id, k.service_id)")

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..base import groups
from .figure import ACCOUNT, APP, BY_CUSTOMER, Figure

RATING_JOB = "fusion_centralized_billing.cron_rate_usage"
# Of the module that invoices subscriptions, where it has a job of this name.
INVOICING_JOBS = (
    "sale_subscription.ir_cron_recurring_invoice",
    "sale_subscription.account_analytic_cron_for_invoice",
)
# Why the invoice of a subscription could not be made: Community's module, Enterprise's.
INVOICE_PROBLEMS = ("subscription_error", "payment_exception")

MODELS = {
    "unbilled": "fusion.billing.rating",
    "without_app": "fusion.billing.rating",
    "near_quota": "fusion.billing.rating",
    "waiting": "sale.order",
    "rating_problem": "sale.order",
    "invoice_problem": "sale.order",
    "unallocated": "fusion.billing.usage",
    "mismatch": "fusion.billing.reconciliation",
    "undelivered": "fusion.billing.webhook",
    "disputed": "account.move",
    "held": "account.move",
}


class FusionBillingOverview(models.Model):
    """The page the app opens on: what waits, and what somebody has to look at.

    One row, made of nothing: all is counted when it is read, over the companies that
    the user has chosen.
    """

    _name = "fusion.billing.overview"
    _description = "Billing Overview"
    _inherit = ["fusion.billing.figures"]
    _auto = False
    _log_access = False
    _table_query = "SELECT 1 AS id"

    service_ids = fields.Many2many(
        "fusion.billing.service", string="Source Apps", compute="_compute_service_ids"
    )
    unbilled = fields.Char(
        compute="_compute_amounts",
        help="Amounts of usage that are on no invoice yet, as of the last rating.",
    )
    without_app = fields.Char(
        string="Without a Source App",
        compute="_compute_amounts",
        help="From customers who are not linked to a source app. Not included in the "
        "cards below.",
    )
    customer_count = fields.Integer(string="Customers", compute="_compute_amounts")
    near_quota_count = fields.Integer(
        string="Near or over Quota",
        compute="_compute_counts",
        help="Ratings of current billing windows with 80% or more of the quota used.",
    )
    waiting_count = fields.Integer(
        string="Waiting to Be Rated",
        compute="_compute_counts",
        help="Subscriptions whose usage, prices or dates have changed since the last "
        "rating: their amounts are not up to date.",
    )
    waiting_events = fields.Integer(
        string="Events Not Rated Yet",
        compute="_compute_waiting_events",
        help="Events of these subscriptions that arrived or were voided since then.",
    )
    rating_problem_count = fields.Integer(
        string="Failed Ratings",
        compute="_compute_counts",
        help="Subscriptions whose usage could not be rated. The reason is on each "
        "subscription.",
    )
    invoice_problem_count = fields.Integer(
        string="Failed Invoices",
        compute="_compute_counts",
        help="Subscriptions whose invoice could not be created or paid. The reason is "
        "on each subscription.",
    )
    unallocated_count = fields.Integer(
        string="Unallocated Events",
        compute="_compute_counts",
        help="Events that no invoice bills automatically.",
    )
    mismatch_count = fields.Integer(
        string="Reconciliations That Differ",
        compute="_compute_counts",
        help="Billing windows for which an app declared totals that differ from ours, "
        "without an explanation.",
    )
    undelivered_count = fields.Integer(
        string="Undelivered Webhooks",
        compute="_compute_counts",
        help="Messages to apps that could not be delivered for days.",
    )
    disputed_count = fields.Integer(
        string="Disputed Invoices",
        compute="_compute_counts",
        help="Invoices of subscriptions whose payment is blocked.",
    )
    held_count = fields.Integer(
        string="Held Invoices",
        compute="_compute_counts",
        help="Drafts that are not posted until somebody decides on what differs.",
    )
    rated_at = fields.Datetime(
        string="Last Rating",
        compute="_compute_runs",
        compute_sudo=True,
        help="When the scheduled rating last started.",
    )
    next_rating = fields.Datetime(compute="_compute_runs", compute_sudo=True)
    next_invoicing = fields.Datetime(compute="_compute_runs", compute_sudo=True)

    def _compute_display_name(self):
        self.display_name = self.env._("Overview")

    # -- what is counted -------------------------------------------------------

    @api.model
    def _figure(self, name):
        """What a figure counts, and how its list is shown.

        :param str name: a key of ``MODELS``
        """
        running = Domain("is_subscription", "=", True)
        problems = [
            Domain(field, "!=", False)
            for field in INVOICE_PROBLEMS
            if field in self.env["sale.order"]._fields
        ]
        now = fields.Datetime.now()
        unbilled = self._unbilled_domain()
        orders = "overview_order_action"
        return {
            "unbilled": Figure("rating_action", unbilled, BY_CUSTOMER),
            "without_app": Figure(
                "rating_action",
                unbilled & Domain(APP, "=", False) & Domain(ACCOUNT, "=", False),
                BY_CUSTOMER,
            ),
            "near_quota": Figure("rating_action", self._near_quota_domain(now), {}),
            "waiting": Figure(orders, running & Domain("fc_is_waiting", "=", True), {}),
            "rating_problem": Figure(
                orders, running & Domain("fc_rating_error", "!=", False), {}
            ),
            "invoice_problem": Figure(orders, running & Domain.OR(problems), {}),
            "unallocated": Figure(
                "usage_action",
                Domain("unallocated", "=", True) & Domain("voided_at", "=", False),
                {},
            ),
            "mismatch": Figure(
                "reconciliation_action", Domain("state", "=", "mismatch"), {}
            ),
            "undelivered": Figure("webhook_action", Domain("state", "=", "dead"), {}),
            "disputed": Figure(
                "overview_invoice_action",
                Domain("move_type", "=", "out_invoice")
                & Domain("state", "=", "posted")
                & Domain("payment_state", "=", "blocked")
                & Domain(
                    "invoice_line_ids.sale_line_ids.order_id.is_subscription", "=", True
                ),
                {},
            ),
            "held": Figure(
                "overview_invoice_action", Domain("fc_is_held", "=", True), {}
            ),
        }[name]

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_counts(self):
        names = [n for n in MODELS if f"{n}_count" in self._fields]
        for name in names:
            model, count = MODELS[name], 0
            # Whoever has no accounting rights does not see the figure of invoices.
            if self.env[model].has_access("read"):
                count = self._count_figure(model, self._figure(name))
            self[f"{name}_count"] = count

    @api.depends_context("uid", "allowed_company_ids", "lang")
    def _compute_amounts(self):
        for name in ("unbilled", "without_app"):
            domain = self._figure(name).domain
            self[name] = self._sum_text(MODELS[name], domain, "amount")
        [[customers]] = self.env["fusion.billing.rating"]._read_group(
            self._unbilled_domain(), [], ["partner_id:count_distinct"]
        )
        self.customer_count = customers

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_waiting_events(self):
        orders = self.env["sale.order"].search(self._figure("waiting").domain)
        waiting = self.env["fusion.billing.rating.queue"]._events_waiting(orders.ids)
        self.waiting_events = sum(waiting.values())

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_service_ids(self):
        self.service_ids = self.env["fusion.billing.service"].search([])

    def _compute_runs(self):
        rating = self.env.ref(RATING_JOB, raise_if_not_found=False)
        jobs = [self.env.ref(j, raise_if_not_found=False) for j in INVOICING_JOBS]
        active = [job for job in jobs if job and job.active]
        for page in self:
            page.rated_at = rating and rating.lastcall
            page.next_rating = rating and rating.active and rating.nextcall
            page.next_invoicing = active and active[0].nextcall

    # -- buttons ---------------------------------------------------------------

    def action_open_figure(self):
        """Open the list behind the figure that the context names."""
        name = self.env.context.get("figure")
        if name not in MODELS:
            name = "unbilled"
        field = self._fields.get(f"{name}_count") or self._fields[name]
        title = field._description_string(self.env)
        return self._open_figure(title, self._figure(name))

    def action_rate_now(self):
        """Have the job rate what waits, now and in the background.

        :raises AccessError: the user is no billing manager
        """
        if not (self.env.su or self.env.user.has_group(groups.MANAGER)):
            raise AccessError(self.env._("Only billing managers may rate usage."))
        self.env.ref(RATING_JOB).sudo()._trigger()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Usage is being rated in the background. Open this page again in a"
                    " moment to see the new amounts."
                ),
            },
        }

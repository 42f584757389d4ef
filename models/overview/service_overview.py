from datetime import timezone
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...engine.billing.periods import day_start_utc
from .figure import APP, APP_OF_ACCOUNT, BY_CUSTOMER, Figure

MODELS = {
    "accepted": "fusion.billing.api.log",
    "refused": "fusion.billing.usage.refused",
    "requests": "fusion.billing.api.log",
    "window": "fusion.billing.window",
    "unbilled": "fusion.billing.rating",
    "mismatch": "fusion.billing.reconciliation",
    "undelivered": "fusion.billing.webhook",
    "messages": "fusion.billing.webhook",
}


class FusionBillingServiceOverview(models.AbstractModel):
    """The figures on the card of an app."""

    _name = "fusion.billing.service.overview"
    _description = "Figures of a Source App"
    _inherit = ["fusion.billing.figures"]

    overview_accepted = fields.Integer(
        string="Events Today",
        compute="_compute_overview_requests",
        help="Accepted over the API since midnight of the company's billing time zone.",
    )
    overview_refused = fields.Integer(
        string="Refused Today",
        compute="_compute_overview_requests",
        help="Events that the app sent since midnight and that were refused, each once"
        " however often it came. What was recorded since is among them.",
    )
    overview_last_request = fields.Datetime(
        string="Last Request", compute="_compute_overview_last_request"
    )
    overview_window = fields.Integer(
        string="Events in the Window",
        compute="_compute_overview_window",
        help="Events in the current billing windows, as of the last rating.",
    )
    overview_unbilled = fields.Char(
        string="Unbilled",
        compute="_compute_overview_unbilled",
        help="Amounts of usage that are on no invoice yet, as of the last rating.",
    )
    overview_mismatch = fields.Integer(
        string="Differs",
        compute="_compute_overview_counts",
        help="Billing windows for which the app declared totals that differ from ours, "
        "without an explanation.",
    )
    overview_undelivered = fields.Integer(
        string="Undelivered Webhooks",
        compute="_compute_overview_counts",
        help="Messages that could not be delivered for days.",
    )

    # -- what is counted -------------------------------------------------------

    @api.model
    def _overview_today(self, company):
        """The instant the company's day began (naive UTC)."""
        tz = company.sudo().fc_billing_tz or "UTC"
        now = fields.Datetime.now().replace(tzinfo=timezone.utc)
        return day_start_utc(now.astimezone(ZoneInfo(tz)).date(), tz)

    def _overview_figure(self, name):
        """What a figure counts, of all of these apps, which are of one company."""
        of_app = Domain("service_id", "in", self.ids)
        midnight = self._overview_today(self.company_id[:1])
        app = self._of_app_domain(self.ids)
        return {
            "accepted": Figure(
                "api_log_action",
                of_app
                & Domain("called_at", ">=", midnight)
                & Domain("accepted", ">", 0),
                {},
            ),
            "refused": Figure(
                "usage_refused_action",
                of_app & Domain("last_refused_at", ">=", midnight),
                {},
            ),
            "requests": Figure("api_log_action", of_app, {}),
            "window": Figure(
                "window_action",
                self._running_windows_domain(fields.Datetime.now()) & app,
                {},
            ),
            "unbilled": Figure(
                "rating_action",
                self._unbilled_domain() & app,
                BY_CUSTOMER,
            ),
            "mismatch": Figure(
                "reconciliation_action", of_app & Domain("state", "=", "mismatch"), {}
            ),
            "undelivered": Figure(
                "webhook_action", of_app & Domain("state", "=", "dead"), {}
            ),
            "messages": Figure("webhook_action", of_app, {}),
        }[name]

    def _overview_groups(self, name, aggregates, groupby=("service_id",)):
        """Aggregates of all apps at once: a query for each company.

        :return: list of tuples: the records grouped by, then the aggregates
        """
        return [
            row
            for services in self.grouped("company_id").values()
            for row in self.env[MODELS[name]]._read_group(
                services._overview_figure(name).domain, groupby, aggregates
            )
        ]

    def _compute_overview_requests(self):
        accepted = dict(self._overview_groups("accepted", ["accepted:sum"]))
        refused = dict(self._overview_groups("refused", ["__count"]))
        for service in self:
            service.overview_accepted = accepted.get(service, 0)
            service.overview_refused = refused.get(service, 0)

    def _compute_overview_last_request(self):
        # One look into the index for each app: the log can be long.
        self.env["fusion.billing.api.log"].flush_model(["service_id", "called_at"])
        last = dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT s.id, (SELECT max(l.called_at) FROM fusion_billing_api_log l
                                   WHERE l.service_id = s.id)
                      FROM unnest(%s::int[]) AS s(id)
                    """,
                    self.ids,
                )
            )
        )
        for service in self:
            service.overview_last_request = last.get(service.id)

    def _compute_overview_window(self):
        counts = dict.fromkeys(self.ids, 0)
        for own, of_account, count in self._overview_groups(
            "window", ["event_count:sum"], (APP, APP_OF_ACCOUNT)
        ):
            counts[(own or of_account).id] += count or 0
        for service in self:
            service.overview_window = counts[service.id]

    @api.depends_context("lang")
    def _compute_overview_unbilled(self):
        domain = self._unbilled_domain() & self._of_app_domain(self.ids)
        sums = {}
        for own, of_account, currency, amount in self.env[
            "fusion.billing.rating"
        ]._read_group(domain, [APP, APP_OF_ACCOUNT, "currency_id"], ["amount:sum"]):
            key = ((own or of_account).id, currency)
            sums[key] = sums.get(key, 0.0) + amount
        for service in self:
            service.overview_unbilled = self._text_of_sums(
                {c: amount for (app, c), amount in sums.items() if app == service.id}
            )

    def _compute_overview_counts(self):
        for name in ("mismatch", "undelivered"):
            counts = dict(self._overview_groups(name, ["__count"]))
            for service in self:
                service[f"overview_{name}"] = counts.get(service, 0)

    # -- buttons ---------------------------------------------------------------

    def action_open_figure(self):
        """Open the list behind the figure that the context names."""
        self.ensure_one()
        self.check_access("read")
        name = self.env.context.get("figure")
        if name not in MODELS:
            name = "requests"
        figure = self._overview_figure(name)
        return self._open_figure(self.display_name, figure)

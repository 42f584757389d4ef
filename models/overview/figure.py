from typing import Any, NamedTuple

from odoo import api, models
from odoo.fields import Domain

# The subscriptions of an app are those that it has made, and those of its customers
# that were entered in Odoo.
APP = "subscription_id.fc_service_id"
ACCOUNT = "subscription_id.fc_account_link_id"
APP_OF_ACCOUNT = f"{ACCOUNT}.service_id"

NEAR_QUOTA = 80  # percent

# Amounts of several currencies are not added up.
BY_CURRENCY = {"search_default_group_currency": 1}
BY_CUSTOMER = BY_CURRENCY | {"search_default_group_partner": 2}


class Figure(NamedTuple):
    """What is counted, and shown as a list: ``domain`` on ``model``.

    ``context``: how the list is grouped; ``action``: XML id of the window action whose
    views and help the list has.
    """

    action: str
    domain: Domain
    context: dict[str, Any]


class FusionBillingFigures(models.AbstractModel):
    """Figures that open the list behind them."""

    _name = "fusion.billing.figures"
    _description = "Figures"

    @api.model
    def _open_figure(self, name, figure):
        """The list behind a figure (dict, a window action).

        :param str name: what it is called
        """
        action = self.env["ir.actions.actions"]._for_xml_id(
            f"fusion_centralized_billing.{figure.action}"
        )
        return action | {
            "name": name,
            "domain": list(figure.domain),
            "context": {"active_test": False} | figure.context,
        }

    @api.model
    def _count_figure(self, model, figure):
        Model = self.env[model].with_context(active_test=False)
        return Model.search_count(figure.domain)

    @api.model
    def _sum_text(self, model, domain, field):
        """The sum of amounts as text, by currency; False where there is none."""
        sums = self.env[model]._read_group(domain, ["currency_id"], [f"{field}:sum"])
        return self._text_of_sums(dict(sums))

    @api.model
    def _text_of_sums(self, sums):
        """Amounts as text, "10.00 € + 5.00 $"; False where there is none.

        :param dict sums: currency -> amount
        """
        return (
            " + ".join(
                currency.format(sums[currency])
                for currency in sorted(sums, key=lambda currency: currency.name)
                if not currency.is_zero(sums[currency])
            )
            or False
        )

    # -- domains that several pages count over ---------------------------------

    @api.model
    def _unbilled_domain(self):
        """Amounts that are on no invoice yet."""
        return Domain("state", "=", "open") & Domain("amount", "!=", 0)

    @api.model
    def _near_quota_domain(self, now):
        """Ratings of windows that run, close to or over their quota."""
        return (
            Domain("state", "=", "open")
            & Domain("quota_share", ">=", NEAR_QUOTA)
            & Domain("window_start", "<=", now)
            & Domain("window_end", ">", now)
        )

    @api.model
    def _running_windows_domain(self, now):
        """Windows that run at an instant (naive UTC)."""
        return (
            Domain("kind", "=", "billing")
            & Domain("start", "<=", now)
            & Domain("end", ">", now)
        )

    @api.model
    def _of_app_domain(self, service_ids):
        """Records whose subscription is one of these apps'."""
        return Domain(APP, "in", service_ids) | (
            Domain(APP, "=", False) & Domain(APP_OF_ACCOUNT, "in", service_ids)
        )

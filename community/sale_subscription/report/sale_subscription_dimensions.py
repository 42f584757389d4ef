from odoo import fields, models
from odoo.tools import SQL


class SaleSubscriptionDimensions(models.AbstractModel):
    """What every report on subscriptions is grouped by, and its currency."""

    _name = "sale.subscription.dimensions"
    _description = "Dimensions of Subscription Reports"

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(
        "res.currency",
        readonly=True,
        help="The currency of your current company. Amounts of other companies are "
        "converted at today's rate.",
    )
    plan_id = fields.Many2one(
        "sale.subscription.plan", string="Recurring Plan", readonly=True
    )
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)


def rates_sql(env, today):
    """Return the rates at which amounts of companies become those of the first.

    :param env: environment with the companies worked in
    :param datetime.date today: the day of the rates
    :return: rows ``(company id, rate)``, for ``VALUES``
    :rtype: odoo.tools.SQL
    """
    currency = env.company.currency_id
    return SQL(", ").join(
        SQL(
            "(%s, %s)",
            company.id,
            company.currency_id._get_conversion_rate(
                company.currency_id, currency, env.company, today
            ),
        )
        for company in env.companies
    )

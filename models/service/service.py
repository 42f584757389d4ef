from odoo import api, fields, models
from odoo.fields import Domain

from ..base import secret_box
from ..base.actions import related_action


class FusionBillingService(models.Model):
    """A source app: who may post usage, and where its webhooks go."""

    _name = "fusion.billing.service"
    _description = "Source App"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "fusion.billing.guarded",
        "fusion.billing.service.keys",
        "fusion.billing.service.rate.limit",
        "fusion.billing.service.terms",
        "fusion.billing.references",
        "fusion.billing.webhook.receiver",
        "fusion.billing.api.public",
        "fusion.billing.api.customers",
        "fusion.billing.api.usage",
        "fusion.billing.api.usage.windows",
        "fusion.billing.api.catalog",
        "fusion.billing.api.subscriptions",
        "fusion.billing.api.subscription.changes",
        "fusion.billing.api.subscription.create",
        "fusion.billing.api.invoices",
        "fusion.billing.api.reconciliations",
        "fusion.billing.api.events",
        "fusion.billing.service.overview",
    ]
    _inherits = {"fusion.billing.webhook.endpoint": "webhook_endpoint_id"}
    _order = "name, id"

    name = fields.Char(required=True, tracking=True)
    code = fields.Char(required=True, tracking=True, copy=False)
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        help="Gets an activity when the totals of the app differ from ours.",
    )
    mismatch_asked_on = fields.Date(
        "Last Activity about Differences",
        readonly=True,
        copy=False,
        help="When an activity about differing totals was last created.",
    )
    uses_external_ids = fields.Boolean(
        string="Uses Its Own Subscription IDs",
        readonly=True,
        copy=False,
        help="The app has identified a subscription by its own ID. Since then every ID "
        "it sends is one of its own, even if it is a number.",
    )
    account_link_ids = fields.One2many(
        "fusion.billing.account.link", "service_id", string="Linked Accounts"
    )
    account_link_count = fields.Integer(
        "Number of Linked Accounts", compute="_compute_account_link_count"
    )

    _code_unique = models.Constraint(
        "UNIQUE (code)", "The code of a source app must be unique."
    )

    def init(self):
        # Not a model: nobody looks at it, and after a crash all buckets are full.
        self.env.cr.execute(
            """
            CREATE UNLOGGED TABLE IF NOT EXISTS fusion_billing_rate_bucket (
                service_id integer PRIMARY KEY
                    REFERENCES fusion_billing_service ON DELETE CASCADE,
                tokens double precision NOT NULL,
                refilled_at timestamptz NOT NULL,
                granted boolean NOT NULL
            )
            """
        )

    def _register_hook(self):
        super()._register_hook()
        secret_box.check_at_start()

    def unlink(self):
        self.check_access("unlink")
        endpoints = self.webhook_endpoint_id.sudo()
        result = super().unlink()
        endpoints.unlink()
        return result

    @api.depends("account_link_ids")
    def _compute_account_link_count(self):
        counts = dict(
            self.env["fusion.billing.account.link"]._read_group(
                [("service_id", "in", self.ids)], ["service_id"], ["__count"]
            )
        )
        for service in self:
            service.account_link_count = counts.get(service, 0)

    def _api_env(self):
        """The API acts for the service: as superuser, in its company alone.

        Nobody gets an e-mail for each record that an app has put in his name.
        """
        self.ensure_one()
        service = self.sudo().with_company(self.company_id)
        return service.with_context(mail_auto_subscribe_no_notify=True).env

    def _linked_partner_domain(self, field):
        """Domain on a partner field: customers linked to this service.

        An order may stand on a contact of the company that was linked.
        """
        self.ensure_one()
        path = "fc_account_link_ids.service_id"
        return Domain(f"{field}.{path}", "=", self.id) | Domain(
            f"{field}.commercial_partner_id.{path}", "=", self.id
        )

    def action_view_account_links(self):
        return related_action(self, "fusion.billing.account.link")

    def action_view_usage(self):
        return related_action(self, "fusion.billing.usage")

    def action_view_api_log(self):
        return related_action(self, "fusion.billing.api.log") | {
            "view_mode": "list,pivot,graph"
        }

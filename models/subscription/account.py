from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ...engine.api.reference import id_in_text


class FusionBillingOrderAccount(models.AbstractModel):
    """Under which account of a source app a subscription goes.

    One customer can have several accounts of an app: its contacts were merged, say.
    The subscription keeps the account it was made for.
    """

    _name = "fusion.billing.order.account"
    _description = "Linked Accounts of Subscriptions"

    fc_service_id = fields.Many2one(
        "fusion.billing.service",
        string="Source App",
        ondelete="restrict",
        index="btree_not_null",
        copy=False,
        check_company=True,
        help="The app that created this subscription and is notified of its changes.",
    )
    fc_external_id = fields.Char(
        string="External Subscription",
        copy=False,
        help="The subscription's ID in the source app. From the first one on, all IDs "
        "that the app sends are its own, even if they are numbers.",
    )
    fc_created_with = fields.Json(
        "Request It Was Created By",
        copy=False,
        groups=fields.NO_ACCESS,
        help="What the app's request for this subscription said, to know it when it is"
        " sent again.",
    )
    fc_account_link_id = fields.Many2one(
        "fusion.billing.account.link",
        string="Linked Account",
        ondelete="set null",
        index="btree_not_null",
        copy=False,
        check_company=True,
        domain="['|', ('partner_id', '=', partner_id),"
        " ('partner_id.child_ids', '=', partner_id)]",
        help="The customer's account in the source app to which this subscription "
        "belongs.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        """A renewal is the app's whose subscription it renews, from its draft on.

        Or the customer's other apps could reach it until it is confirmed, and would be
        told of it then.
        """
        orders = super().create(vals_list)
        renewals = orders.sudo().filtered(lambda o: o.is_subscription)
        for renewal in renewals.filtered(lambda o: not o.fc_service_id):
            if service := renewal.subscription_id.fc_service_id:
                renewal.fc_service_id = service
        return orders

    @api.constrains("fc_service_id", "fc_external_id")
    def _check_fc_external_id(self):
        """Note that the app has ids of its own: for good, whatever becomes of this one.

        A number that is not known (yet) would else be somebody else's, by Odoo's id.

        :raises ValidationError: in a path it would be Odoo's id of another subscription
        """
        named = self.filtered(lambda o: o.fc_service_id and o.fc_external_id)
        for order in named:
            if id_in_text(order.fc_external_id):
                raise ValidationError(
                    self.env._(
                        "An external subscription cannot be named “%s”: that is "
                        "the number of an order.",
                        order.fc_external_id,
                    )
                )
        services = named.sudo().fc_service_id
        services.filtered(lambda s: not s.uses_external_ids).uses_external_ids = True

    @api.constrains("company_id")
    def _check_fc_company(self):
        """What was billed, and is to be billed, is in the books of one company."""
        for order in self.sudo():
            if order.fc_window_ids.company_id - order.company_id:
                raise ValidationError(
                    self.env._(
                        "A subscription that has been billed cannot change its company."
                    )
                )

    @api.constrains("fc_account_link_id")
    def _check_fc_account_link(self):
        for order in self.sudo().filtered("fc_account_link_id"):
            if order.fc_account_link_id not in order._fc_possible_account_links():
                raise ValidationError(
                    self.env._(
                        "%(account)s is not an account of the customer of "
                        "%(order)s in its source app.",
                        account=order.fc_account_link_id.external_id,
                        order=order.name,
                    )
                )

    def _fc_choose_account_link(self):
        """Note the account of those that have none yet, or one of another customer."""
        for order in self.sudo().filtered("plan_id"):
            links = order._fc_possible_account_links()
            wanted = order.fc_account_link_id, order.subscription_id.fc_account_link_id
            link = next((link for link in wanted if link & links), links[:1])
            if link != order.fc_account_link_id:
                order.fc_account_link_id = link

    def _fc_possible_account_links(self):
        """Accounts of the customer in the apps that this may be of, its own first."""
        self.ensure_one()
        service = self.fc_service_id or self.subscription_id.fc_service_id
        return self.partner_id._fc_account_links().filtered(
            lambda link: (
                link.company_id == self.company_id
                and (not service or link.service_id == service)
            )
        )

    def _fc_account_link(self, service):
        """The account that a service knows this subscription's customer by, or none.

        What :func:`account_link_sql` says of many.
        """
        self.ensure_one()
        kept = self.sudo().fc_account_link_id
        if kept.service_id == service and kept in self.partner_id._fc_account_links():
            return kept
        return self.partner_id._fc_account_link(service)


def account_link_sql(service, partner, kept=None):
    """SQL of the id of the account that a service knows a customer by, or NULL.

    The account that was kept counts while it is one of the customer. Else it is the
    first: of the contact itself, then of the company it belongs to.

    :param service: one ``fusion.billing.service`` record
    :param SQL partner: a row of ``res_partner``
    :param SQL kept: the id of the account that a subscription keeps
    """
    return SQL(
        """
        (SELECT k.id
           FROM fusion_billing_account_link k
          WHERE k.service_id = %(service)s
            AND k.partner_id IN (%(partner)s.id, %(partner)s.commercial_partner_id)
          ORDER BY k.id = %(kept)s DESC NULLS LAST,
                   k.partner_id = %(partner)s.id DESC, k.external_id, k.id
          LIMIT 1)
        """,
        service=service.id,
        partner=partner,
        kept=kept or SQL("NULL::int"),
    )

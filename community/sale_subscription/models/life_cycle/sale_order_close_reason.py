from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleOrderCloseReason(models.Model):
    _name = "sale.order.close.reason"
    _description = "Subscription Close Reason"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    visible_in_portal = fields.Boolean(
        default=True, help="Whether customers may choose it when they close."
    )
    retention_message = fields.Html(
        translate=True,
        help="Shown to a customer who chooses this reason, to persuade them to stay.",
    )
    retention_button_text = fields.Char(translate=True)
    retention_button_link = fields.Char()

    @api.model
    def _get_unpaid_reason(self):
        """Return the reason of what is closed by itself because it was not paid.

        :rtype: sale.order.close.reason
        """
        return self.env.ref("sale_subscription.close_reason_unpaid").sudo()

    @api.model
    def _get_offered_reasons(self):
        """Return the reasons a customer may choose from.

        :rtype: sale.order.close.reason recordset
        """
        reasons = self.sudo().search([("visible_in_portal", "=", True)])
        return reasons - self._get_unpaid_reason()

    def _get_retention_link(self):
        """Return where the retention button leads, if that is an address of the web.

        :rtype: str | bool
        """
        link = (self.retention_button_link or "").strip()
        is_web = link.startswith(("https://", "http://", "mailto:", "tel:", "/"))
        return is_web and link

    @api.ondelete(at_uninstall=False)
    def _unlink_except_unpaid(self):
        """Automatic closing gives it, and reopening on payment looks for it."""
        if self._get_unpaid_reason() in self:
            raise UserError(
                self.env._(
                    'The reason "%s" is used for subscriptions that are closed '
                    "automatically. It can be renamed, but not deleted.",
                    self._get_unpaid_reason().name,
                )
            )

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class FusionBillingServiceTerms(models.AbstractModel):
    """What a source app is told of quotas, and how long its invoices wait for it."""

    _name = "fusion.billing.service.terms"
    _description = "Quota Alerts and Waiting Times of a Source App"

    threshold_shares = fields.Char(
        string="Quota Alerts at (%)",
        default="80, 100",
        help="Percentages of the quota, for example 80, 100. When usage in a billing "
        "window reaches one of them, the app gets the event "
        "usage.threshold_reached, once. Empty: never.",
    )
    invoice_wait = fields.Selection(
        [
            ("none", "Do not wait"),
            ("hours", "Wait some hours"),
            ("complete", "Wait until the app declares its usage complete"),
        ],
        string="Wait Before Invoicing",
        default="none",
        help="How long the invoice of a finished billing window waits for usage that "
        "has not arrived yet. Usage that arrives later goes on the next invoice. "
        "Invoices created by Odoo Enterprise do not wait.",
    )
    invoice_wait_hours = fields.Integer(
        string="Hours to Wait",
        default=24,
        help="Hours after the end of the billing window. When waiting for a "
        "declaration this is the longest wait; 0 waits without limit.",
    )

    _invoice_wait_hours_valid = models.Constraint(
        "CHECK (invoice_wait_hours >= 0 AND invoice_wait_hours <= 8760)",
        "The waiting time of an invoice must be between 0 hours and one year.",
    )

    @api.constrains("threshold_shares")
    def _check_threshold_shares(self):
        for service in self:
            service._fc_threshold_shares()

    def _fc_threshold_shares(self):
        """The shares in percent (sorted list of int).

        :raises ValidationError: the text is no list of whole percents
        """
        self.ensure_one()
        shares = set()
        for text in (self.threshold_shares or "").split(","):
            text = text.strip()
            if not text:
                continue
            if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 10000):
                raise ValidationError(
                    self.env._(
                        "“%s” is not a valid quota alert. Enter whole percentages, "
                        "such as 80, 100.",
                        text,
                    )
                )
            shares.add(int(text))
        return sorted(shares)

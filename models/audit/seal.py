from odoo import api, fields, models
from odoo.tools import SQL


class FusionBillingAuditSeal(models.Model):
    """What a posted usage line said in the books when it was posted.

    Taken when its invoice or credit note is posted, and again when somebody changes
    the line in Odoo, which keeps its own record of that. What was changed behind
    Odoo's back differs from its seal.
    """

    _name = "fusion.billing.audit.seal"
    _description = "Posted Usage Lines"
    _inherit = ["fusion.billing.guarded"]
    _log_access = False

    line_id = fields.Many2one(
        "account.move.line", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="line_id.company_id")
    account_id = fields.Integer(
        readonly=True,
        help="The ID of the account, not a link, because accounts can be merged.",
    )
    currency_id = fields.Integer(readonly=True)
    price_unit = fields.Float("Unit Price", digits=False, readonly=True)
    quantity = fields.Float(digits=False, readonly=True)
    discount = fields.Float(digits=False, readonly=True)
    price_subtotal = fields.Float("Subtotal", digits=False, readonly=True)
    amount_currency = fields.Float(digits=False, readonly=True)
    balance = fields.Float(digits=False, readonly=True)

    _one_for_line = models.Constraint(
        "UNIQUE (line_id)", "The figures of this line are already recorded."
    )

    @api.model
    def _take(self, lines):
        """Note what these lines say now, as far as they bill or credit usage.

        :param lines: ``account.move.line`` records of posted documents
        """
        lines = lines.sudo().filtered(
            lambda line: line.fc_copied_from_id or line.fc_rating_ids
        )
        if not lines:
            return
        lines.flush_recordset()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO fusion_billing_audit_seal (
                       line_id, account_id, currency_id, price_unit, quantity,
                       discount, price_subtotal, amount_currency, balance)
                SELECT id, account_id, currency_id, price_unit, quantity, discount,
                       price_subtotal, amount_currency, balance
                  FROM account_move_line WHERE id = ANY(%s)
                    ON CONFLICT (line_id) DO UPDATE
                   SET account_id = excluded.account_id,
                       currency_id = excluded.currency_id,
                       price_unit = excluded.price_unit,
                       quantity = excluded.quantity,
                       discount = excluded.discount,
                       price_subtotal = excluded.price_subtotal,
                       amount_currency = excluded.amount_currency,
                       balance = excluded.balance
                """,
                lines.ids,
            )
        )
        self.invalidate_model(flush=False)

from odoo import api, fields, models


class AccountMove(models.Model):
    """Credit notes: a usage line credited in full is billed again, if wanted."""

    _inherit = "account.move"

    fc_bill_again = fields.Boolean(
        string="Bill the Usage Again",
        default=True,
        help="Usage that this credit note credits in full goes on the next invoice, at"
        " the price of then. Switch off to forgive it.",
    )
    fc_credits_usage = fields.Boolean(compute="_compute_fc_credits_usage")

    @api.depends("move_type", "invoice_line_ids")
    def _compute_fc_credits_usage(self):
        for move in self:
            move.fc_credits_usage = bool(move.sudo()._fc_credited_ratings())

    def _fc_credited_ratings(self):
        """The ratings whose invoice lines these credit notes credit in full."""
        lines = self.invoice_line_ids.filtered(lambda line: line._fc_is_full_credit())
        return lines.fc_copied_from_id.fc_rating_ids

    def _post(self, soft=True):
        posted = super()._post(soft)
        for credit in posted.sudo().filtered("fc_bill_again"):
            ratings = credit._fc_credited_ratings()
            # Of what was released before, the next invoice is to bill it, or has.
            billed = ratings.filtered(lambda r: r.state == "invoiced")
            ratings._release(credit)
            billed.invoice_line_id.fc_copy_ids._fc_take_over()
        return posted

    def button_draft(self):
        self._fc_withdraw_credit()
        return super().button_draft()

    def button_cancel(self):
        self._fc_withdraw_credit()
        return super().button_cancel()

    def _fc_withdraw_credit(self):
        """Take back what these credit notes released.

        :raises UserError: it was billed again meanwhile
        """
        Rating = self.env["fusion.billing.rating"].sudo()
        for credit in self.filtered(lambda m: m.move_type == "out_refund"):
            Rating.search([("released_by_id", "=", credit.id)])._reclaim(credit)


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    fc_rating_ids = fields.One2many(
        "fusion.billing.rating",
        "invoice_line_id",
        string="Ratings",
        groups="fusion_centralized_billing.group_user",
    )
    fc_copied_from_id = fields.Many2one(
        "account.move.line",
        string="Copied From",
        copy=False,
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="The usage line that this one credits, or corrects.",
    )
    fc_copy_ids = fields.One2many("account.move.line", "fc_copied_from_id")

    def _copy_data_extend_business_fields(self, values):
        result = super()._copy_data_extend_business_fields(values)
        if self.sudo().fc_rating_ids:
            values["fc_copied_from_id"] = self.id
        return result

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.filtered("fc_copied_from_id").sudo()._fc_take_over()
        return lines

    def _fc_is_full_credit(self):
        """Whether this credits all of the usage line that it was copied from."""
        self.ensure_one()
        return self.move_type == "out_refund" and not self.currency_id.compare_amounts(
            self.price_subtotal, self.fc_copied_from_id.price_subtotal
        )

    def _fc_full_credits(self):
        """The posted credit notes after which these usage lines are billed again."""
        lines = self.fc_copy_ids.filtered(lambda line: line._fc_is_full_credit())
        return lines.move_id.filtered(lambda m: m.state == "posted" and m.fc_bill_again)

    def _fc_take_over(self):
        """Bill on corrected invoices what the credited one had billed.

        "Reverse and create invoice" makes a credit note and a new invoice, which has
        the usage lines of the old one. Its ratings are rows of their own. Where an
        earlier credit note has released the usage, the next invoice bills it, not this.
        """
        for line in self.filtered(lambda x: x.move_type == "out_invoice"):
            credits = line.fc_copied_from_id.move_id.reversal_move_ids
            # made right before this
            credit = credits.filtered(lambda m, x=line: m.id < x.move_id.id)
            credit = credit.sorted("id")[-1:]
            for rating in line.fc_copied_from_id.fc_rating_ids:
                if (
                    rating.released_by_id == credit
                    and not rating.is_taken_back
                    and not line.fc_rating_ids
                ):
                    rating._bill_again_by(line)

from odoo import api, fields, models

from ..base import groups

UPSELL = "7_upsell"
# What can change what a draft charges for usage.
CHANGES_USAGE = {
    *("price_unit", "quantity", "discount", "tax_ids", "product_id"),
    *("account_id", "display_type", "currency_id", "move_id"),
}


class AccountMoveLine(models.Model):
    _name = "account.move.line"
    _inherit = ["account.move.line", "fusion.billing.guarded"]

    fc_rating_ids = fields.One2many(
        "fusion.billing.rating",
        "invoice_line_id",
        string="Ratings",
        groups=groups.EXPLAINED,
    )
    fc_copied_from_id = fields.Many2one(
        "account.move.line",
        string="Copied From",
        copy=False,
        readonly=True,
        check_company=True,
        ondelete="set null",
        index="btree_not_null",
        help="The usage line that this one credits, or corrects.",
    )
    fc_copy_ids = fields.One2many(
        "account.move.line", "fc_copied_from_id", string="Copies"
    )
    fc_made = fields.Json(
        "Original Figures",
        readonly=True,
        copy=False,
        prefetch=False,
        help="The taxes, product, account and customer with which the usage line was "
        "created.",
    )
    fc_bills_usage = fields.Boolean(
        "Bills Usage", compute="_compute_fc_bills_usage", groups=groups.EXPLAINED
    )

    @api.depends("fc_rating_ids", "fc_copied_from_id")
    def _compute_fc_bills_usage(self):
        for line in self:
            line.fc_bills_usage = bool(line._fc_ratings_behind())

    def _fc_ratings_behind(self):
        """The ratings that this line bills; of a credit, those of what it credits."""
        origin = self.sudo()
        while origin.fc_copied_from_id and not origin.fc_rating_ids:
            origin = origin.fc_copied_from_id
        return origin.fc_rating_ids.with_env(self.env)

    def action_fc_view_ratings(self):
        """Open what stands behind this amount: each window that the line bills."""
        self.ensure_one()
        self.check_access("read")
        ratings = self._fc_ratings_behind()
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("Usage Ratings"),
            "res_model": "fusion.billing.rating",
            "view_mode": "list,form",
            "domain": [("id", "in", ratings.ids)],
        }
        if len(ratings) == 1:
            action |= {"view_mode": "form", "res_id": ratings.id}
        return action

    def _copy_data_extend_business_fields(self, values):
        result = super()._copy_data_extend_business_fields(values)
        if self.sudo().fc_rating_ids or self.fc_copied_from_id:
            values["fc_copied_from_id"] = self.id
            self._fc_note_copied(values)
        return result

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        copies = lines.filtered("fc_copied_from_id")
        self.env["fusion.billing.documents"]._take_over(copies)
        self.env["fusion.billing.invoice.changes"]._made(copies)
        self.env["fusion.billing.hold"]._look(lines.move_id)
        return lines

    def write(self, vals):
        """What somebody changes of a usage line is what the books say now.

        Another price, quantity or discount on a draft is forgiven, or added.
        """
        result = super().write(vals)
        if {"price_unit", "quantity", "discount"} & vals.keys():
            # Not while the invoice is being made.
            ratings = self.sudo().fc_rating_ids.filtered("invoice_id")
            self.env["fusion.billing.documents"]._review(ratings)
        if {"account_id", "tax_ids", "price_unit", "quantity"} & vals.keys():
            posted = self.filtered(lambda line: line.parent_state == "posted")
            self.env["fusion.billing.audit.seal"]._take(posted)
        if CHANGES_USAGE & vals.keys():
            self.env["fusion.billing.hold"]._look(self.move_id)
        return result

    def _fc_subscriptions(self):
        """The subscriptions that these lines bill; of an upsell, what it adds to."""
        orders = self.sudo().sale_line_ids.order_id
        upsells = orders.filtered(
            lambda o: o.subscription_state == UPSELL and not o.is_subscription
        )
        subscriptions = orders.filtered("is_subscription") | upsells.subscription_id
        return subscriptions.sorted("id")

    def unlink(self):
        """A usage line taken off a draft is still to be billed."""
        if not self:
            return super().unlink()  # Odoo does so with each line it writes
        self.check_access("unlink")
        ratings = self.sudo().fc_rating_ids
        drafts = self._fc_note_taken_off()
        result = super().unlink()
        ratings = ratings.exists()
        # Or posting that draft would take them back as billed.
        ratings.write({"invoice_id": False})
        self.env["fusion.billing.documents"]._review(ratings)
        self.env["fusion.billing.hold"]._look(drafts)
        return result

    def _fc_note_taken_off(self):
        """Note on the drafts which of their usage lines are being deleted.

        :return: the drafts (``account.move``)
        """
        Changes = self.env["fusion.billing.invoice.changes"]
        drafts = self.sudo().move_id.filtered(lambda m: m.state == "draft")
        for move in drafts:
            ratings = (self.sudo() & move.line_ids).fc_rating_ids
            ratings = ratings.filtered(lambda r, m=move: r.invoice_id == m and r.amount)
            if ratings:
                taken = [
                    change._asdict() for change in map(Changes._taken_off, ratings)
                ]
                move.fc_taken_off = [*(move.fc_taken_off or ()), *taken]
        return drafts

from odoo import fields, models
from odoo.exceptions import AccessError

from ..base import groups


class FusionBillingInvoiceBlocked(models.AbstractModel):
    """What an invoice shows of being blocked.

    ``fusion.billing.invoice.block`` decides whether it is.
    """

    _name = "fusion.billing.invoice.blocked"
    _description = "Flag of Blocked Invoices"

    fc_is_blocked = fields.Boolean(
        string="Blocked",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Not posted until what is wrong is mended, or what was changed by hand is"
        " released.",
    )
    fc_block_reason = fields.Text(string="Why Blocked", readonly=True, copy=False)
    fc_is_changed_by_hand = fields.Boolean(
        string="Usage Changed by Hand",
        readonly=True,
        copy=False,
        help="Somebody has changed what usage is charged, and nobody released it.",
    )
    fc_fault = fields.Text(
        string="What the Audit Finds Wrong",
        readonly=True,
        copy=False,
        help="As of when somebody last tried to post it.",
    )
    fc_taken_off = fields.Json(
        readonly=True, copy=False, help="Usage lines that were deleted from the draft."
    )
    fc_released = fields.Char(
        readonly=True, copy=False, help="Which changes were released, with figures."
    )
    fc_released_uid = fields.Many2one(
        "res.users", string="Released By", readonly=True, copy=False
    )
    fc_released_at = fields.Datetime(string="Released On", readonly=True, copy=False)
    fc_release_reason = fields.Text(
        string="Reason of Release", readonly=True, copy=False
    )

    def action_fc_open_release_wizard(self):
        self.ensure_one()
        self._fc_check_may_release()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Release the Invoice"),
            "res_model": "fusion.billing.invoice.release.wizard",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_move_id": self.id},
        }

    def action_fc_look_again(self):
        """Whether it is still blocked, after what was wrong has been mended."""
        self.check_access("write")
        faults = self.env["fusion.billing.audit.faults"]._of(self)
        for move in self:
            move.sudo().fc_fault = faults.get(move)
        self.env["fusion.billing.invoice.block"]._look(self)

    def _fc_release(self, reason):
        """See ``fusion.billing.invoice.block``; for billing managers.

        :raises AccessError: the user is none, or may not see the invoice
        """
        self.ensure_one()
        self._fc_check_may_release()
        self.env["fusion.billing.invoice.block"]._release(self, reason)

    def _fc_check_may_release(self):
        self.check_access("read")
        if not (self.env.su or self.env.user.has_group(groups.MANAGER)):
            raise AccessError(
                self.env._("Only billing managers may release a blocked invoice.")
            )

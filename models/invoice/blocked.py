from odoo import fields, models
from odoo.exceptions import AccessError

from ..base import groups


class FusionBillingInvoiceBlocked(models.AbstractModel):
    """What an invoice shows of being blocked.

    ``fusion.billing.invoice.block`` decides whether it is.
    """

    _name = "fusion.billing.invoice.blocked"
    _description = "Blocked Invoices"

    fc_is_blocked = fields.Boolean(
        string="Blocked",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Cannot be posted until the error is corrected, or the manual changes are "
        "approved.",
    )
    fc_block_reason = fields.Text(
        string="Reason for Blocking", readonly=True, copy=False
    )
    fc_is_changed_by_hand = fields.Boolean(
        string="Usage Changed by Hand",
        readonly=True,
        copy=False,
        help="A user changed the usage charges, and nobody has approved it.",
    )
    fc_fault = fields.Text(
        string="Audit Findings",
        readonly=True,
        copy=False,
        help="As of the last attempt to post it.",
    )
    fc_taken_off = fields.Json(
        "Removed Usage Lines",
        readonly=True,
        copy=False,
        help="Usage lines that were deleted from the draft.",
    )
    fc_released = fields.Char(
        "Approved Changes",
        readonly=True,
        copy=False,
        help="The approved changes, with figures.",
    )
    fc_released_uid = fields.Many2one(
        "res.users", string="Approved By", readonly=True, copy=False
    )
    fc_released_at = fields.Datetime(string="Approved On", readonly=True, copy=False)
    fc_release_reason = fields.Text(
        string="Reason for Approval", readonly=True, copy=False
    )

    def action_fc_open_release_wizard(self):
        self.ensure_one()
        self._fc_check_may_release()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Approve Invoice"),
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
                self.env._("Only billing managers may approve a blocked invoice.")
            )

from odoo import api, fields, models

from ..base import groups


class FusionBillingInvoiceHeld(models.AbstractModel):
    """What an invoice shows of being held. ``fusion.billing.hold`` has the reasons."""

    _name = "fusion.billing.invoice.held"
    _description = "Flag of Held Invoices"

    fc_hold_ids = fields.One2many(
        "fusion.billing.hold", "move_id", string="Holds", groups=groups.EXPLAINED
    )
    fc_is_held = fields.Boolean(
        string="Held",
        compute="_compute_fc_held",
        compute_sudo=True,
        search="_search_fc_is_held",
        help="It stays in draft until somebody decides on what differs, or it is"
        " corrected.",
    )
    # Customers read their posted invoices, over RPC, too: what staff have said of one
    # among themselves is none of theirs.
    fc_held_reason = fields.Text(
        string="Why Held",
        compute="_compute_fc_held",
        compute_sudo=True,
        groups="base.group_user",
    )
    fc_decided_reason = fields.Text(
        string="Decided",
        compute="_compute_fc_held",
        compute_sudo=True,
        groups="base.group_user",
    )
    fc_may_decide = fields.Boolean(
        "Can Be Decided On",
        compute="_compute_fc_held",
        compute_sudo=True,
        help="One of the reasons can be decided on; others have to be corrected.",
    )
    fc_taken_off = fields.Json(
        "Removed Usage Lines",
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="Usage lines that were deleted from the draft.",
    )

    @api.depends("state", "fc_hold_ids.state")
    @api.depends_context("lang")
    def _compute_fc_held(self):
        kinds = dict(
            self.env["fusion.billing.hold"]
            ._fields["kind"]
            ._description_selection(self.env)
        )
        for move in self:
            held = move.fc_hold_ids.filtered(lambda h: h.state == "held")
            held = held if move.state == "draft" else held.browse()
            decided = move.fc_hold_ids - held
            move.fc_is_held = bool(held)
            move.fc_may_decide = any(hold.kind != "fault" for hold in held)
            move.fc_held_reason = "\n".join(
                f"{kinds[hold.kind]}: {hold.reason}" for hold in held
            )
            move.fc_decided_reason = "\n".join(
                f"{hold.reason} {hold.decided_by_id.name}: {hold.note}"
                for hold in decided.filtered(lambda h: h.state == "decided")
            )

    @api.model
    def _search_fc_is_held(self, operator, value):
        if operator != "in":
            return NotImplemented
        held = self.env["fusion.billing.hold"].sudo()
        moves = held.search([("state", "=", "held")]).move_id
        moves = moves.filtered(lambda move: move.state == "draft")
        return [("id", "in" if True in value else "not in", moves.ids)]

    def action_fc_decide(self):
        """Open the decision on what holds these invoices."""
        self.check_access("read")
        return self.fc_hold_ids.action_open_wizard()

    def action_fc_check_again(self):
        """Whether it is still held, after what differs has been corrected."""
        self.check_access("write")
        self.env["fusion.billing.hold"]._update(self)

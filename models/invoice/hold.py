from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import plaintext2html

from ..base import groups
from .differences import KINDS

ACTIVITY = "fusion_centralized_billing.mail_activity_type_held_invoice"


class FusionBillingHold(models.Model):
    """One reason why an invoice stays in draft, until somebody decides on it.

    held      it stays in draft; what is corrected is deleted
    decided   somebody has said why it may be posted all the same. That is about this
              one difference: with other figures it is another one, which holds again
    """

    _name = "fusion.billing.hold"
    _description = "Held Invoice"
    _inherit = ["fusion.billing.guarded"]
    _order = "move_id desc, id"

    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="move_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="move_id.partner_id", string="Customer")
    currency_id = fields.Many2one(related="move_id.currency_id")
    amount_total = fields.Monetary(related="move_id.amount_total", aggregator=None)
    kind = fields.Selection(KINDS, string="Reason", required=True, readonly=True)
    key = fields.Char(
        required=True,
        readonly=True,
        help="Names the difference with its figures: a decision is about this alone.",
    )
    reason = fields.Text(
        string="What Differs", readonly=True, help="What was found when it was held."
    )
    state = fields.Selection(
        [("held", "Held"), ("decided", "Decided")],
        string="Status",
        required=True,
        readonly=True,
        default="held",
    )
    decided_by_id = fields.Many2one("res.users", string="Decided By", readonly=True)
    decided_at = fields.Datetime(string="Decided On", readonly=True)
    note = fields.Text(string="Decision", readonly=True)

    _once = models.Constraint(
        "UNIQUE (move_id, key)", "This invoice is held for this already."
    )

    @api.depends("move_id")
    def _compute_display_name(self):
        for hold in self:
            hold.display_name = hold.sudo().move_id.display_name

    # -- holding ---------------------------------------------------------------

    @api.model
    def _stop(self, moves):
        """Which of these drafts are not to be posted; they are held, and say why.

        The others are posted: an error would undo what was found, and lose a job the
        draft that it has made.

        :return: the drafts that are held (``account.move``)
        """
        self._update(moves.filtered(lambda m: m.is_sale_document()))
        held = self.sudo().search(
            [("move_id", "in", moves.ids), ("state", "=", "held")]
        )
        held = moves & held.move_id.with_env(moves.env)
        if held and not self.env.su:
            self._tell(held)
        return held

    @api.model
    def _refuse(self, moves):
        """:raises UserError: one of these is held"""
        held = self.sudo().search(
            [("move_id", "in", moves.ids), ("state", "=", "held")], limit=1
        )
        if held:
            raise UserError(
                self.env._(
                    "%(invoice)s is held: %(reason)s",
                    invoice=held.move_id.display_name,
                    reason=held.reason,
                )
            )

    @api.model
    def _look(self, moves):
        """Hold, or let go, drafts that somebody has just changed."""
        wanted = self.env["fusion.billing.invoice.differences"]._wanted
        moves = moves.sudo().exists()
        self._update(moves.filtered(lambda m: wanted(m.company_id)), {"changed"})

    @api.model
    def _update(self, moves, only=None):
        """Bring the reasons of documents up to date, and whom they concern.

        :param set only: reasons of these kinds alone
        """
        moves = moves.sudo()
        drafts = moves.filtered(lambda m: m.state == "draft")
        found = self.env["fusion.billing.invoice.differences"]._of(drafts, only)
        domain = [("move_id", "in", moves.ids)]
        if only:
            domain.append(("kind", "in", sorted(only)))
        known = self.sudo().search(domain).grouped("move_id")
        for move in moves:
            rows = known.get(move, self.sudo())
            differences = found.get(move, {})
            gone = rows.filtered(
                lambda r, d=differences: r.state == "held" and r.key not in d
            )
            fresh = [
                {
                    "move_id": move.id,
                    "kind": difference.kind,
                    "key": difference.key,
                    "reason": difference.text,
                }
                for key, difference in differences.items()
                if key not in rows.mapped("key")
            ]
            gone.unlink()
            self.sudo().create(fresh)
            if gone or fresh:
                self._ask(move)

    def _ask(self, move):
        """One activity for whom it concerns, as long as the invoice is held."""
        asked = move.activity_search([ACTIVITY])
        reason = move.fc_held_reason
        if not reason:
            asked.unlink()
        elif asked:
            asked.note = plaintext2html(reason)
        elif user := self._whom(move):
            move.with_context(mail_activity_quick_update=True).activity_schedule(
                ACTIVITY, note=plaintext2html(reason), user_id=user.id
            )

    def _whom(self, move):
        """The salesperson; else who answers for the app, or a manager there."""

        def works_here(user):
            return user.active and move.company_id in user.company_ids

        if works_here(move.invoice_user_id):
            return move.invoice_user_id
        managers = self.env.ref(groups.MANAGER).sudo().all_user_ids
        managers = managers.filtered(works_here)
        responsible = self.env["res.users"].concat(
            *(service.user_id for service in move._fc_services())
        )
        return ((responsible & managers) or managers.sorted("id"))[:1]

    def _tell(self, moves):
        """Say on the screen of whoever has tried that these were not posted."""
        self.env.user._bus_send(
            "simple_notification",
            {
                "type": "warning",
                "title": self.env._("Held, and not posted"),
                "message": "\n".join(
                    f"{move.display_name}: {move.fc_held_reason}" for move in moves[:5]
                ),
            },
        )

    # -- deciding --------------------------------------------------------------

    def _decide(self, note):
        """Let invoices be posted although something differs.

        :param str note: why; it stands on the invoice, with the name and the date
        :raises AccessError: neither a billing manager nor an accountant
        :raises UserError: nothing is held any more, or it has to be corrected
        """
        self.check_access("read")
        user, note = self.env.user, (note or "").strip()
        if not (user.has_group(groups.MANAGER) or user.has_group(groups.ACCOUNTANT)):
            raise AccessError(
                self.env._("Only billing managers and accountants can decide this.")
            )
        if not note:
            raise ValidationError(self.env._("Explain why the invoice may be posted."))
        holds = self.sudo().exists().filtered(lambda h: h.state == "held")
        if not holds:
            raise UserError(
                self.env._("It is not held for this any more: look at it again.")
            )
        if any(hold.kind == "fault" for hold in holds):
            raise UserError(
                self.env._(
                    "What is wrong has to be corrected, and nobody can allow it: delete"
                    " the draft and invoice the subscription again, or ask who looks"
                    " after Fusion Billing."
                )
            )
        holds.write(
            {
                "state": "decided",
                "decided_by_id": user.id,
                "decided_at": fields.Datetime.now(),
                "note": note,
            }
        )
        for move, decided in holds.grouped("move_id").items():
            if any(hold.key.startswith("added:") for hold in decided):
                move.fc_by_hand = True
            said = self.env._(
                "%(user)s has decided that it may be posted all the same: %(note)s",
                user=user.name,
                note=note,
            )
            move.message_post(
                body=plaintext2html("\n".join([said, *decided.mapped("reason")])),
                author_id=user.partner_id.id,
            )
            self._ask(move)

    def action_open_wizard(self):
        """Ask why: for these reasons, or for those of them that can be decided on."""
        self.check_access("read")
        open_ones = self.filtered(lambda h: h.state == "held" and h.kind != "fault")
        if not open_ones:
            raise UserError(
                self.env._("There is nothing to decide on: it is decided, or wrong.")
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Decide on Held Invoices"),
            "res_model": "fusion.billing.hold.wizard",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_hold_ids": open_ones.ids},
        }

    def action_view_invoice(self):
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.move_id.id,
            "view_mode": "form",
        }

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..base import groups
from ..base.attention import TODO
from ..base.render import amount


class FusionBillingHold(models.Model):
    """An invoice that stays in draft, as its totals differ, until somebody decides."""

    _name = "fusion.billing.hold"
    _description = "Held Invoice"
    _inherit = ["fusion.billing.guarded"]
    _order = "id desc"

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
    amount_total = fields.Monetary(related="move_id.amount_total")
    reason = fields.Text(
        string="What Differs", readonly=True, help="What was found when it was held."
    )
    facts = fields.Json(
        "Differences (Data)",
        readonly=True,
        help="The differences in a form for programs. A decision is about exactly "
        "these.",
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

    _once = models.Constraint("UNIQUE (move_id)", "This invoice is already held.")

    @api.depends("move_id")
    def _compute_display_name(self):
        for hold in self:
            hold.display_name = hold.sudo().move_id.display_name

    # -- holding ---------------------------------------------------------------

    def _hold(self, moves):
        """Hold those of these drafts whose totals differ; the others are posted.

        Where the company wants it. What somebody has decided on is let through, as
        long as it is no other difference than he has seen.

        :return: the drafts that are not to be posted
        """
        moves = moves.filtered("company_id.fc_hold_differing")
        held = moves.browse()
        known = self.sudo().search([("move_id", "in", moves.ids)]).grouped("move_id")
        for move in moves:
            found = self._differences(move)
            hold = known.get(move, self.sudo())
            facts = sorted(found)
            if not found:
                hold.unlink()
            elif hold.state != "decided" or hold.facts != facts:
                held |= move
                if hold.facts != facts:
                    values = {
                        "reason": "\n".join(found[fact] for fact in facts),
                        "facts": facts,
                        "state": "held",
                    }
                    self._note(move, hold, values)
        return held

    def _note(self, move, hold, values):
        """Keep why an invoice is held, and ask somebody to look."""
        if hold:
            hold.write(values)
        else:
            self.sudo().create(values | {"move_id": move.id})
        move = move.sudo()
        user = move.invoice_user_id
        if not user.active or move.company_id not in user.company_ids:
            user = self.env.user
        move.activity_schedule(
            TODO,
            summary=self.env._("Held: totals differ"),
            note=values["reason"],
            user_id=user.id,
        )

    def _differences(self, move):
        """What differs about the usage of a draft: {fact: text for people}."""
        ratings = move.sudo().fc_rating_ids.filtered(lambda r: r.state == "invoiced")
        if not ratings:
            return {}
        self.env.flush_all()
        return {
            **self._declared_otherwise(ratings),
            **self._rated_otherwise(ratings),
            **self._charged_otherwise(move, ratings),
        }

    def _declared_otherwise(self, ratings):
        """The apps' totals that differ from what these ratings are made of."""
        found = {}
        Reconciliation = self.env["fusion.billing.reconciliation"].sudo()
        for rating in ratings:
            for record in Reconciliation.search(
                [
                    ("subscription_id", "=", rating.subscription_id.id),
                    ("metric_id", "=", rating.metric_id.id),
                    ("window_start", "<", rating.window_end),
                    ("window_end", ">", rating.window_start),
                    ("state", "=", "mismatch"),
                ]
            ):
                fact = f"declared:{record.id}:{record.difference_quantity!r}"
                found[fact] = self.env._(
                    "The total declared by %(app)s differs from ours: %(what)s",
                    app=record.service_id.name,
                    what=record.display_name,
                )
        return found

    def _rated_otherwise(self, ratings):
        """Rated quantities that are not what the events come to."""
        scope = self.env["fusion.billing.audit.check"]._scope(
            orders=ratings.subscription_id
        )
        found = {}
        Usage = self.env["fusion.billing.audit.usage"].sudo()
        for _kind, rows, _total in Usage._wrong_quantities(scope):
            for row in rows:
                if row["rating_id"] in ratings.ids:
                    fact = f"rated:{row['rating_id']}:{row['expected']}"
                    found[fact] = self.env._(
                        "%(rating)s was rated with %(found)s; its events come to"
                        " %(expected)s",
                        rating=ratings.browse(row["rating_id"]).display_name,
                        found=row["found"],
                        expected=row["expected"],
                    )
        return found

    def _charged_otherwise(self, move, ratings):
        """Lines that were changed or added by hand, unless that was released."""
        if self.env["fusion.billing.invoice.block"]._is_released(move):
            return {}
        found = {}
        lines = move.sudo().invoice_line_ids
        for adjustment in ratings.adjustment_ids.filtered(lambda a: a.line_id in lines):
            rating = adjustment.rating_id
            currency = rating.currency_id
            fact = f"edited:{rating.id}:{adjustment.forgiven!r}"
            found[fact] = self.env._(
                "%(rating)s was rated at %(rated)s, and the line was changed by hand"
                " to %(charged)s",
                rating=rating.display_name,
                rated=amount(currency, rating.amount),
                charged=amount(currency, rating.amount - adjustment.forgiven),
            )
        for line in lines - ratings.invoice_line_id:
            if line.product_id in ratings.product_id and line.price_subtotal:
                fact = f"added:{line.id}:{line.price_subtotal!r}"
                found[fact] = self.env._(
                    "%(line)s has a usage product, but no rating behind it: %(amount)s",
                    line=(line.name or "").split("\n")[0],
                    amount=amount(line.currency_id, line.price_subtotal),
                )
        return found

    # -- deciding --------------------------------------------------------------

    def _decide(self, note):
        """Let invoices be posted although their totals differ.

        :param str note: why; it stands on the invoice, with the name
        :raises AccessError: neither a billing manager nor an accountant
        """
        self.check_access("read")
        user = self.env.user
        if not (user.has_group(groups.MANAGER) or user.has_group(groups.ACCOUNTANT)):
            raise AccessError(
                self.env._("Only billing managers and accountants can decide this.")
            )
        if not (note or "").strip():
            raise ValidationError(self.env._("Explain why the invoice may be posted."))
        for hold in self.sudo():
            hold.write(
                {
                    "state": "decided",
                    "decided_by_id": user.id,
                    "decided_at": fields.Datetime.now(),
                    "note": note.strip(),
                }
            )
            hold.move_id.message_post(
                body=self.env._(
                    "%(user)s allowed posting although the totals differ: %(note)s",
                    user=user.name,
                    note=note.strip(),
                ),
                author_id=user.partner_id.id,
            )
            hold.move_id.activity_unlink([TODO], user_id=None)

    def action_open_wizard(self):
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Post Despite Differences"),
            "res_model": "fusion.billing.hold.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_hold_id": self.id},
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

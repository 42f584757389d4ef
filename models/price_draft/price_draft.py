from datetime import date, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

# Beside its terms: what makes a price another one.
_SAME = ("product_id", "plan_code", "sequence", "date_end")


class FusionBillingPriceDraft(models.Model):
    """A price list that is being thought about.

    Its prices are charges like all others, but archived: rating looks at active ones
    alone, so a draft bills nothing before it goes live.
    """

    _name = "fusion.billing.price.draft"
    _description = "Price Draft"
    _inherit = [
        "fusion.billing.price.draft.comparison",
        "mail.thread",
        "fusion.billing.guarded",
    ]
    _order = "id desc"

    name = fields.Char(required=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    state = fields.Selection(
        [("draft", "Draft"), ("live", "Applied")],
        string="Status",
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        tracking=True,
    )
    plan_ids = fields.Many2many(
        "sale.subscription.plan",
        string="Plans to Copy From",
        check_company=True,
        help="The draft starts with the prices that these plans have today.",
    )
    charge_ids = fields.One2many(
        "fusion.billing.charge",
        "draft_id",
        string="Prices",
        context={"active_test": False},
        check_company=True,
    )
    live_date = fields.Date(
        string="Prices Apply From",
        copy=False,
        tracking=True,
        help="Billing windows that begin on or after this day have the new prices.",
    )
    compared_at = fields.Datetime(
        string="Last Compared", readonly=True, copy=False, help="See Results."
    )
    is_outdated = fields.Boolean(
        string="Changed Since",
        readonly=True,
        copy=False,
        help="A price of the draft was changed after the comparison.",
    )
    compared_count = fields.Integer(
        string="Subscriptions Compared", readonly=True, copy=False
    )
    skipped_count = fields.Integer(
        string="Subscriptions Not Compared",
        readonly=True,
        copy=False,
        help="They run on a plan of the draft, but none of their billing windows has "
        "ended yet.",
    )
    result_ids = fields.One2many(
        "fusion.billing.price.draft.result", "draft_id", readonly=True
    )
    total_ids = fields.One2many(
        "fusion.billing.price.draft.total", "draft_id", readonly=True
    )

    @api.ondelete(at_uninstall=False)
    def _unlink_draft_only(self):
        # The charges would go with it, and price windows.
        if live := self.filtered(lambda d: d.state == "live"):
            raise UserError(
                self.env._(
                    "The prices of %(draft)s have been applied and bill usage, so "
                    "it cannot be deleted.",
                    draft=live[0].name,
                )
            )

    # -- making one ------------------------------------------------------------

    def action_copy_prices(self):
        """Take over what the chosen plans cost today, with tiers.

        What the draft has a price for already is left as it is.
        """
        self.ensure_one()
        self._check_is_draft()
        if not self.plan_ids:
            raise UserError(
                self.env._("Choose the plans whose prices are to be copied.")
            )
        live = self._live_charges(self.plan_ids)
        if not live:
            raise UserError(
                self.env._("These plans have no price that is valid today.")
            )
        present = {charge._draft_key() for charge in self.charge_ids}
        for charge in live:
            if charge._draft_key() not in present:
                charge.copy(
                    {
                        "draft_id": self.id,
                        "active": False,
                        "date_start": False,
                        "date_end": False,
                    }
                )

    def _live_charges(self, plans):
        """The charges that price these plans in the draft's company today."""
        self.ensure_one()
        today = fields.Date.context_today(self)
        return (
            self.env["fusion.billing.charge"]
            .search(
                [
                    ("active", "=", True),
                    ("plan_id", "in", plans.ids),
                    ("company_id", "=", self.company_id.id),
                ]
            )
            ._valid_on(today)
        )

    def _check_is_draft(self):
        self.check_access("write")
        if self.state != "draft":
            raise UserError(self.env._("These prices are already applied."))

    # -- looking at it ---------------------------------------------------------

    def action_view_results(self):
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "fusion_centralized_billing.price_draft_result_action"
        )
        action["domain"] = [("draft_id", "=", self.id)]
        action["context"] = {"search_default_group_partner": 1}
        if len(self.total_ids) > 1:  # else there would be sums of two currencies
            action["context"] = {"search_default_group_currency": 1} | action["context"]
        else:
            sums = self.env.ref(
                "fusion_centralized_billing.price_draft_result_view_list_sums"
            )
            action["views"] = [(sums.id, "list"), *action["views"][1:]]
        return action

    # -- going live ------------------------------------------------------------

    def action_go_live(self):
        """Have the draft's prices count for windows that begin on its date or later.

        Prices that they take the place of end the day before. A window that was
        invoiced keeps its price in any case: see ``fusion.billing.window.charge``.
        A price that is as the one it would take the place of is left out: that one
        goes on.
        """
        self.ensure_one()
        self._check_is_draft()
        charges = self.charge_ids
        if not charges:
            raise UserError(self.env._("The draft has no prices yet."))
        if not self.live_date:
            raise UserError(self.env._("Enter the day from which the prices apply."))
        self._check_can_begin()
        unchanged = self._unchanged_charges()
        charges -= unchanged
        kept = {charge._draft_key() for charge in unchanged}
        self._replaced_charges().filtered(
            lambda charge: charge._draft_key() not in kept
        ).date_end = self.live_date - timedelta(days=1)
        self._write_by_code({"state": "live"})
        charges.write({"active": True, "date_start": self.live_date})
        if unchanged:
            self._message_log(
                body=self.env._(
                    "Unchanged, so the previous prices continue: %s",
                    ", ".join(unchanged.mapped("name")),
                )
            )

    def _unchanged_charges(self):
        """Prices of the draft that say what the one says that counts on its date."""
        drafted = {charge._draft_key(): charge for charge in self.charge_ids}
        replaced = self._replaced_charges()
        pairs = [(drafted[old._draft_key()], old) for old in replaced]
        terms = (self.charge_ids | replaced)._price_terms()
        return self.charge_ids.browse(
            new.id
            for new, old in pairs
            if terms[new.id] == terms[old.id]
            and all(new[name] == old[name] for name in _SAME)
        )

    def _charges_with_same_key(self):
        """Active charges with the plan, metric and currency of one in the draft."""
        keys = {charge._draft_key() for charge in self.charge_ids}
        return (
            self.env["fusion.billing.charge"]
            .search(
                Domain("active", "=", True)
                & Domain("plan_id", "in", self.charge_ids.plan_id.ids)
                & Domain("company_id", "=", self.company_id.id)
            )
            .filtered(lambda charge: charge._draft_key() in keys)
        )

    def _replaced_charges(self):
        """What counts on the date the draft goes live, and ends the day before."""
        return self._charges_with_same_key().filtered(
            lambda c: (
                (c.date_start or date.min) < self.live_date
                and (c.date_end or date.max) >= self.live_date
            )
        )

    def _check_can_begin(self):
        """Refuse what would leave two prices for one day, or a price without days."""
        for charge in self.charge_ids:
            if charge.date_end and charge.date_end < self.live_date:
                raise UserError(
                    self.env._(
                        "The new price of %(charge)s ends on %(end)s, before the "
                        "prices of the draft apply. Choose an earlier day, or "
                        "remove that end date.",
                        charge=charge.name,
                        end=format_date(self.env, charge.date_end),
                    )
                )
        drafted = {charge._draft_key(): charge for charge in self.charge_ids}
        for charge in self._charges_with_same_key():
            end = drafted[charge._draft_key()].date_end or date.max
            if charge.date_start and self.live_date <= charge.date_start <= end:
                raise UserError(
                    self.env._(
                        "%(charge)s already has another new price starting on "
                        "%(start)s. Archive that one first, or end the draft's "
                        "price before it.",
                        charge=charge.name,
                        start=format_date(self.env, charge.date_start),
                    )
                )

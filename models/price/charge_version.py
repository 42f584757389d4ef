from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, format_date

from ...engine.errors import BillingError
from ..base.price_text import PriceText
from .charge_preview import TERMS, TIER_TERMS

# What people do not change once it has billed; tiers ask for themselves.
LOCKED = {*TERMS, "currency_id", "plan_id", "metric_id", "date_start"}


class FusionBillingChargeVersion(models.AbstractModel):
    """A price that has billed stays as it is: another one is a version with a date."""

    _name = "fusion.billing.charge.version"
    _description = "Versions of a Price"

    has_billed = fields.Boolean(
        "Has Billed Usage",
        compute="_compute_has_billed",
        help="Usage was invoiced at this price, so it cannot be changed.",
    )
    version_ids = fields.Many2many(
        "fusion.billing.charge",
        string="Versions",
        compute="_compute_version_ids",
        help="All prices of this metric on this plan in this currency, by date.",
    )
    validity = fields.Selection(
        [
            ("draft", "Draft"),
            ("unchanged", "Unchanged"),
            ("current", "Valid Today"),
            ("future", "Starts Later"),
            ("ended", "Ended"),
            ("archived", "Archived"),
        ],
        string="Status",
        compute="_compute_validity",
        help="Unchanged: the price in the draft was the same as the current price, "
        "which continues.",
    )
    terms_text = fields.Char(
        string="Price",
        compute="_compute_terms_text",
        help="Quota, price or tiers, and minimum, in exact figures.",
    )

    # -- what has billed -------------------------------------------------------

    def _compute_has_billed(self):
        billed = self._billed_ids()
        for charge in self:
            charge.has_billed = charge._origin.id in billed

    def _billed_ids(self):
        """Ids of those that an invoice was made with, also one that was taken back."""
        self.env["fusion.billing.rating"].flush_model(["state", "charge_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT c.id FROM unnest(%s::int[]) AS c(id)
                 WHERE EXISTS (SELECT FROM fusion_billing_rating r
                                WHERE r.charge_id = c.id AND r.state != 'open')
                """,
                list(self._origin.ids),
            )
        )
        return {charge_id for [charge_id] in rows}

    def _check_not_billed(self):
        """Refuse that people change what invoices were made with.

        Code with the superuser's rights may: windows that are settled keep the terms
        they agreed to in any case.

        :raises ValidationError: says how the price is changed instead
        """
        if self.env.su:
            return
        billed = self.browse(self._billed_ids())
        if billed:
            raise ValidationError(
                self.env._(
                    "Usage was invoiced at this price of %(charge)s, so it cannot "
                    "be changed. Use the button “New Version”: the new price "
                    "applies from the day you choose, and this one is kept.",
                    charge=billed[0].display_name,
                )
            )

    def _changes(self, vals, names):
        """Whether these values differ from what is there (bool)."""
        for name in names & vals.keys():
            field = self._fields[name]
            for charge in self:
                old = field.convert_to_cache(charge[name], charge)
                if field.convert_to_cache(vals[name], charge) != old:
                    return True
        return False

    def write(self, vals):
        self.check_access("write")
        if self._changes(vals, LOCKED):
            self._check_not_billed()
        changed = self._changes(vals, {"plan_id", "metric_id", "currency_id"})
        # What was rated would seem to have been rated with the new ones.
        if changed and self._billed_ids():
            raise ValidationError(
                self.env._(
                    "Usage was invoiced at this price, so its plan, metric and "
                    "currency cannot be changed. Archive it and create a new one."
                )
            )
        return super().write(vals)

    # -- versions --------------------------------------------------------------

    @api.depends("plan_id", "metric_id", "currency_id", "company_id")
    def _compute_version_ids(self):
        for charge in self:
            charge.version_ids = charge._origin and charge._origin._versions()

    def _versions(self):
        self.ensure_one()
        return self.with_context(active_test=False).search(
            [
                ("plan_id", "=", self.plan_id.id),
                ("metric_id", "=", self.metric_id.id),
                ("currency_id", "=", self.currency_id.id),
                ("company_id", "=", self.company_id.id),
                "|",
                ("active", "=", True),
                ("draft_id", "=", False),
            ],
            order="date_start desc nulls last, id desc",
        )

    @api.depends("active", "date_start", "date_end", "draft_id.state")
    def _compute_validity(self):
        today = fields.Date.context_today(self)
        for charge in self:
            if not charge.active and charge.draft_id:
                live = charge.draft_id.state == "live"
                charge.validity = "unchanged" if live else "draft"
            elif not charge.active:
                charge.validity = "archived"
            elif charge.date_start and charge.date_start > today:
                charge.validity = "future"
            elif charge.date_end and charge.date_end < today:
                charge.validity = "ended"
            else:
                charge.validity = "current"

    @api.depends("name", "date_start")
    def _compute_display_name(self):
        """Versions of one price are told apart by the day they begin."""
        for charge in self:
            name = charge.name
            if charge.date_start:
                name = self.env._(
                    "%(charge)s (from %(day)s)",
                    charge=name,
                    day=format_date(self.env, charge.date_start),
                )
            charge.display_name = name

    def action_new_version(self):
        """Ask from which day on the price is another one."""
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Version"),
            "res_model": "fusion.billing.charge.version.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_charge_id": self.id},
        }

    def _last_billed_day(self):
        """First day of the latest window that was invoiced at this price, or False."""
        self.ensure_one()
        [[day]] = self.env.execute_query(
            SQL(
                """
                SELECT max(w.first_day) FROM fusion_billing_rating r
                  JOIN fusion_billing_window w ON w.id = r.window_id
                 WHERE r.charge_id = %s AND r.state != 'open'
                """,
                self.id,
            )
        )
        return day or False

    def _new_version(self, day):
        """End this price the day before ``day``, and go on from there with a copy.

        :param date day: first day of the windows that the copy prices
        :return: the copy
        :raises UserError: one of the two would have no days, or invoices were made at
            this price for windows that begin on the day or later
        """
        self.ensure_one()
        self.check_access("write")
        last_day = self.date_end
        self._check_can_begin_anew(day)
        self.date_end = day - timedelta(days=1)
        return self.copy({"date_start": day, "date_end": last_day, "active": True})

    def _check_can_begin_anew(self, day):
        if not self.active:
            raise UserError(
                self.env._(
                    "%s is archived and bills nothing, so it cannot have a new "
                    "version.",
                    self.display_name,
                )
            )
        if self.date_start and day <= self.date_start:
            raise UserError(
                self.env._(
                    "This price starts on %s. Choose a later day.",
                    format_date(self.env, self.date_start),
                )
            )
        if self.date_end and day > self.date_end:
            raise UserError(
                self.env._(
                    "This price ends on %s. Choose a day up to then, or change its "
                    "end date first.",
                    format_date(self.env, self.date_end),
                )
            )
        billed = self._last_billed_day()
        if billed and day <= billed:
            raise UserError(
                self.env._(
                    "A billing window that begins on %s was invoiced at this "
                    "price. Choose a later day: what is invoiced keeps its price.",
                    format_date(self.env, billed),
                )
            )

    # -- in words --------------------------------------------------------------

    @api.depends(*TERMS, *TIER_TERMS, "currency_id", "metric_id.unit_name")
    @api.depends_context("lang")
    def _compute_terms_text(self):
        text = PriceText(self.env)
        stored = self.filtered(lambda c: isinstance(c.id, int))._price_terms()
        for charge in self:
            try:
                terms = stored.get(charge.id) or charge._typed_terms()
            except BillingError as exc:  # half-typed terms: say so, do not fail
                charge.terms_text = exc.message
                continue
            charge.terms_text = text.sentence(
                terms.as_dict(),
                charge.currency_id.name or "",
                (charge.metric_id._origin or charge.metric_id).unit_name or "",
            )

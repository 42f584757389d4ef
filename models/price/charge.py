import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ...engine.billing import money
from ...engine.billing.charge_models import CHARGE_MODELS, Tier, tiered
from ...engine.billing.pricing import PriceTerms
from ...engine.errors import BillingError


class FusionBillingCharge(models.Model):
    """The price of one metric on one plan."""

    _name = "fusion.billing.charge"
    _description = "Usage Price"
    _inherit = [
        "fusion.billing.charge.version",
        "fusion.billing.charge.history",
        "fusion.billing.charge.preview",
        "fusion.billing.charge.rerating",
        "mail.thread",
        "fusion.billing.guarded",
    ]
    _order = "plan_id, metric_id, sequence, date_start, id"

    name = fields.Char(compute="_compute_name")
    plan_id = fields.Many2one(
        "sale.subscription.plan",
        required=True,
        ondelete="restrict",
        index=True,
        check_company=True,
        tracking=True,
    )
    plan_code = fields.Char(
        compute="_compute_plan_code",
        compute_sudo=False,  # not for a plan that the user may not read
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
        help="How source apps name the plan, for example in the catalog.",
    )
    metric_id = fields.Many2one(
        "fusion.billing.metric",
        required=True,
        ondelete="restrict",
        index=True,
        check_company=True,
        tracking=True,
    )
    product_id = fields.Many2one(
        "product.product",
        string="Invoiced Product",
        required=True,
        ondelete="restrict",
        check_company=True,
        domain=[("type", "=", "service"), ("recurring_invoice", "=", True)],
        tracking=True,
        help="A recurring service product. It gives the invoice line its income "
        "account and taxes.",
    )
    charge_model = fields.Selection(
        [(model.name, model.label) for model in CHARGE_MODELS.values()],
        string="Pricing Model",
        required=True,
        default="standard",
        tracking=True,
        help="\n".join(f"{m.label}: {m.help}" for m in CHARGE_MODELS.values()),
    )
    has_tiers = fields.Boolean(compute="_compute_has_tiers")
    # digits=False: numeric without a scale. A scale would make Odoo round through
    # floats and store 1000000 as 1000000.0000000024.
    included_quota = fields.Float(
        string="Quota",
        digits=False,
        help="The quantity of each billing window that is free.",
    )
    price_per_unit = fields.Float(
        string="Price per Batch",
        digits=False,
        required=True,
        default=0.0,
        help="Price of one batch of units. With a batch size of 1 it is the unit "
        "price.",
    )
    unit_batch = fields.Float(
        string="Units per Batch", digits=False, required=True, default=1.0
    )
    tier_ids = fields.One2many(
        "fusion.billing.charge.tier", "charge_id", string="Tiers", copy=True
    )
    minimum_amount = fields.Float(
        string="Minimum per Window",
        digits=False,
        default=0.0,
        help="What a billing window costs at least, also without usage.",
    )
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        ondelete="restrict",
        default=lambda self: self.env.company.currency_id,
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    sequence = fields.Integer(
        default=10,
        tracking=True,
        help="If there are prices in several foreign currencies, the first one is "
        "used.",
    )
    active = fields.Boolean(default=True, tracking=True)
    date_start = fields.Date(
        string="Valid From",
        tracking=True,
        help="First day of the billing windows with this price. Empty: always.",
    )
    date_end = fields.Date(
        string="Valid Until",
        tracking=True,
        help="Last day on which a billing window with this price can begin. Empty: "
        "no end.",
    )

    draft_id = fields.Many2one(
        "fusion.billing.price.draft",
        string="Price Draft",
        # What is live is not deleted with it: a live draft is kept.
        ondelete="cascade",
        index="btree_not_null",
        check_company=True,
        copy=False,
        help="The draft of this price, or from which it came.",
    )

    _price_non_negative = models.Constraint(
        # NaN would pass ">= 0": PostgreSQL sorts it above every number.
        "CHECK (price_per_unit >= 0 AND price_per_unit < 'Infinity')",
        "The price cannot be negative.",
    )
    _unit_batch_positive = models.Constraint(
        "CHECK (unit_batch > 0 AND unit_batch < 'Infinity')",
        "The batch size must be above zero.",
    )
    _included_quota_non_negative = models.Constraint(
        "CHECK (included_quota >= 0 AND included_quota < 'Infinity')",
        "The quota cannot be negative.",
    )
    _minimum_amount_non_negative = models.Constraint(
        "CHECK (coalesce(minimum_amount, 0) >= 0"
        " AND coalesce(minimum_amount, 0) < 'Infinity')",
        "The minimum cannot be negative.",
    )
    _dates_in_order = models.Constraint(
        "CHECK (date_start <= date_end)",
        "The last day of a price cannot be before its first day.",
    )

    _draft_once = models.UniqueIndex(
        "(draft_id, plan_id, metric_id, currency_id) WHERE draft_id IS NOT NULL",
        "The draft already has a price for this metric, plan and currency.",
    )

    @api.depends("plan_id.name", "metric_id.name")
    def _compute_name(self):
        for charge in self:
            # In a form that is being filled in they can be anybody's.
            known = charge._origin or charge.sudo(False)
            charge.name = " / ".join(
                part for part in (known.plan_id.name, known.metric_id.name) if part
            )

    _rec_name = "name"
    _rec_names_search = [
        "plan_id.name",
        "metric_id.name",
        "metric_id.code",
        "plan_code",
    ]

    @api.depends("charge_model")
    def _compute_has_tiers(self):
        for charge in self:
            charge.has_tiers = charge.charge_model in tiered()

    @api.depends("plan_id")
    def _compute_plan_code(self):
        for charge in self:
            if not charge.plan_code and charge.plan_id:
                charge.plan_code = re.sub(r"\W+", "-", charge.plan_id.name.lower())

    @api.constrains(
        "plan_id",
        "metric_id",
        "currency_id",
        "company_id",
        "active",
        "date_start",
        "date_end",
    )
    def _check_no_overlap(self):
        """One price for one thing on one day, else an amount would be a guess."""
        active = self.filtered("active")
        if active:
            # Two people adding a charge at once do not see each other's. A write
            # on the plan makes the second one fail and be repeated.
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE sale_subscription_plan SET write_date = write_date"
                " WHERE id IN %s",
                [tuple(active.plan_id.ids)],
            )
        for charge in active:
            domain = Domain(
                [
                    ("id", "!=", charge.id),
                    ("active", "=", True),
                    ("plan_id", "=", charge.plan_id.id),
                    ("metric_id", "=", charge.metric_id.id),
                    ("currency_id", "=", charge.currency_id.id),
                    ("company_id", "=", charge.company_id.id),
                ]
            )
            if charge.date_end:
                domain &= Domain("date_start", "=", False) | Domain(
                    "date_start", "<=", charge.date_end
                )
            if charge.date_start:
                domain &= Domain("date_end", "=", False) | Domain(
                    "date_end", ">=", charge.date_start
                )
            other = self.sudo().search(domain, limit=1)
            if other:
                raise ValidationError(
                    self.env._(
                        "%(charge)s already has a price for these days. End that "
                        "price first, or start this one later.",
                        charge=other.name,
                    )
                )

    @api.constrains("charge_model", "tier_ids")
    def _check_tiers(self):
        """Exactly what the engine can price: see its ``PriceTerms``."""
        for charge in self:
            try:
                charge._price_terms()
            except BillingError as exc:
                raise ValidationError(
                    self.env._(
                        "%(charge)s cannot be priced: %(reason)s",
                        charge=charge.name,
                        reason=exc.message,
                    )
                ) from exc

    @api.constrains("draft_id", "active")
    def _check_draft_is_archived(self):
        for charge in self:
            if charge.active and charge.draft_id and charge.draft_id.state != "live":
                raise ValidationError(
                    self.env._(
                        "%(charge)s is a price of the draft %(draft)s: it stays "
                        "archived, and bills nothing, until the prices of the "
                        "draft are applied.",
                        charge=charge.name,
                        draft=charge.draft_id.name,
                    )
                )

    @api.constrains("product_id")
    def _check_product(self):
        """Only such a product is invoiced anew each period, at the quantity ordered."""
        for charge in self:
            product = charge.product_id
            if not product.product_tmpl_id._fc_can_carry_usage():
                raise ValidationError(
                    self.env._(
                        "%(product)s cannot be used for usage: choose a recurring "
                        "service product that is invoiced on ordered quantities.",
                        product=product.display_name,
                    )
                )

    @api.constrains("active")
    def _check_product_of_active(self):
        """It may have changed while nothing was billed with it."""
        self.filtered("active")._check_product()

    @api.model_create_multi
    def create(self, vals_list):
        return super().create(
            [
                {"active": False} | vals if vals.get("draft_id") else vals
                for vals in vals_list
            ]
        )

    def _price_terms(self):
        """The price as exact decimals, for the engine: ``{charge id: PriceTerms}``.

        Read with SQL, since the ORM gives numeric columns back as floats.
        """
        self.flush_recordset()
        self.tier_ids.flush_recordset()
        if not self:
            return {}
        self.env.cr.execute(
            """
            SELECT c.id, c.charge_model, coalesce(c.included_quota, 0)::text,
                   c.price_per_unit::text, c.unit_batch::text,
                   coalesce(c.minimum_amount, 0)::text,
                   array_agg(ARRAY[nullif(t.up_to, 0)::text, t.price_per_unit::text,
                                   coalesce(t.flat_fee, 0)::text]
                             ORDER BY nullif(t.up_to, 0) NULLS LAST, t.id)
                   FILTER (WHERE t.id IS NOT NULL)
              FROM fusion_billing_charge c
              LEFT JOIN fusion_billing_charge_tier t
                ON t.charge_id = c.id AND c.charge_model IN %s
             WHERE c.id IN %s
             GROUP BY c.id
            """,
            [tiered(), tuple(self.ids)],
        )
        return {
            charge_id: PriceTerms(
                model=charge_model,
                included=money.to_decimal(quota),
                unit_price=money.to_decimal(price),
                unit_batch=money.to_decimal(batch),
                minimum=money.to_decimal(minimum),
                tiers=tuple(
                    Tier(
                        None if up_to is None else money.to_decimal(up_to),
                        money.to_decimal(tier_price),
                        money.to_decimal(fee),
                    )
                    for up_to, tier_price, fee in tiers or ()
                ),
            )
            for charge_id, charge_model, quota, price, batch, minimum, tiers in (
                self.env.cr.fetchall()
            )
        }

    def _valid_on(self, day):
        """Those that price a window that begins on ``day`` (date)."""
        return self.filtered(
            lambda charge: (
                (not charge.date_start or charge.date_start <= day)
                and (not charge.date_end or day <= charge.date_end)
            )
        )

    def _of_each_metric(self, currency):
        """Which of these charges of one plan price a subscription in ``currency``.

        One for each metric: of charges in several currencies, that in the
        subscription's own, else in the company's, else the first by sequence.

        :return: {metric: charge}
        """

        def rank(charge):
            own = charge.company_id.currency_id
            return charge.currency_id != currency, charge.currency_id != own

        chosen = {}
        for charge in self:
            rival = chosen.setdefault(charge.metric_id, charge)
            if rank(charge) < rank(rival):
                chosen[charge.metric_id] = charge
        return chosen

    @api.model
    def _fc_company_fields(self):
        return super()._fc_company_fields() | {"draft_id"}

    def _rate_again(self):
        """A draft bills nothing: it is its comparison that is out of date."""
        drafted = self.filtered(lambda c: c.draft_id.state == "draft" and not c.active)
        drafts = drafted.draft_id.filtered(
            lambda d: d.compared_at and not d.is_outdated
        )
        if drafts:
            drafts.sudo().is_outdated = True
        others = self - drafted
        return others and super(FusionBillingCharge, others)._rate_again()

    def _draft_key(self):
        """What a drafted price and the live price it replaces have in common."""
        self.ensure_one()
        return self.plan_id, self.metric_id, self.currency_id

from markupsafe import Markup

from odoo import api, models

from ...engine.errors import BillingError
from ..base.price_text import PriceText

# Under this name the terms of before stand in the data of the transaction.
_BEFORE = "fusion_centralized_billing.terms_before"


class FusionBillingChargeHistory(models.AbstractModel):
    """What a price was, and what it is now, for the chatter of charge and draft.

    Odoo's own tracking shows exact numbers as floats of two digits, and of tiers
    nothing at all.
    """

    _name = "fusion.billing.charge.history"
    _description = "History of a Price"

    @api.model_create_multi
    def create(self, vals_list):
        charges = super().create(vals_list)
        charges._remember_terms(created=True)
        return charges

    def write(self, vals):
        self.check_access("write")
        self._remember_terms()
        return super().write(vals)

    def unlink(self):
        self.check_access("unlink")
        self._remember_terms()
        return super().unlink()

    def _remember_terms(self, created=False):
        """Have what changes in this transaction noted at its end, once for all of it.

        :param created: they are new: there is nothing to compare with
        """
        context = self.env.context
        if context.get("tracking_disable") or context.get("mail_notrack"):
            return
        precommit = self.env.cr.precommit
        if _BEFORE not in precommit.data:
            precommit.data[_BEFORE] = {}
            precommit.add(self.env["fusion.billing.charge"]._note_changes)
        before = precommit.data[_BEFORE]
        fresh = self.sudo().filtered(lambda c: c.id not in before)
        try:
            told = {} if created else fresh._terms_told()
        except BillingError:  # tiers of one that is being created
            told = {}
        for charge in fresh:
            draft = charge.draft_id if charge.draft_id.state == "draft" else False
            before[charge.id] = draft, charge.name, told.get(charge.id)

    def _terms_told(self):
        """The terms as people read them: {charge id: {name of a term: text}}."""
        text, told = PriceText(self.env), {}
        for charge_id, terms in self._price_terms().items():
            kept = terms.as_dict()
            currency = self.browse(charge_id).currency_id.name
            values = {
                "included_quota": text.number(kept["quota"]),
                "price_per_unit": text.number(kept["unit_price"]),
                "unit_batch": text.number(kept["unit_batch"]),
                "minimum_amount": text.number(kept.get("minimum", "0")),
                "tier_ids": "; ".join(text.tiers(kept, currency)) or "–",
            }
            told[charge_id] = {
                self._fields[name]._description_string(self.env): value
                for name, value in values.items()
            }
        return told

    @api.model
    def _note_changes(self):
        """Write into the chatter what the terms were, and what they are now."""
        before = self.env.cr.precommit.data.pop(_BEFORE, {})
        there = self.sudo().browse(before).exists()
        now = there._terms_told()
        of_drafts = {}
        for charge_id, (draft, name, old) in before.items():
            charge, new = there.browse(charge_id), now.get(charge_id)
            if old and new:
                lines = [
                    Markup("%s: %s → %s") % (term, old[term], new[term])
                    for term in new
                    if old[term] != new[term]
                ]
                if lines:
                    charge._message_log(body=_as_list(lines))
            elif new:
                lines = [Markup(self.env._("added: %s")) % charge.terms_text]
            elif old:
                lines = [Markup(self.env._("removed"))]
            else:
                continue
            if draft and lines:
                told = of_drafts.setdefault(draft, [])
                told += [Markup("%s – %s") % (name, line) for line in lines]
        for draft, lines in of_drafts.items():
            if draft.exists():
                draft._message_log(body=_as_list(lines))


def _as_list(lines):
    items = Markup().join(Markup("<li>%s</li>") % line for line in lines)
    return Markup("<ul>%s</ul>") % items

import json
from typing import NamedTuple

from odoo import api, models

from ...engine.billing import money
from .document_lines import signed


class Change(NamedTuple):
    """One way in which a draft charges usage otherwise than it was rated.

    :ivar key: names the change with its figures, so that another one is another key
    :ivar text: what people read
    """

    key: str
    text: str


class FusionBillingInvoiceChanges(models.AbstractModel):
    """What somebody has changed by hand of the usage on a draft.

    By comparing, not by watching each way to change something; see decision 50.
    """

    _name = "fusion.billing.invoice.changes"
    _description = "Usage Changed by Hand"

    @api.model
    def _changes(self, move):
        """What one draft charges otherwise than it was made (list of Change)."""
        move = move.sudo()
        ratings = move.fc_rating_ids.filtered(lambda r: r.state != "open" and r.amount)
        found = [Change(**taken) for taken in move.fc_taken_off or ()]
        for rating in ratings:
            line = rating.invoice_line_id
            if line.move_id != move or line.display_type != "product":
                found.append(self._taken_off(rating))
            else:
                found += self._line_changes(rating, line)
        if move.move_type == "out_invoice" and not move.reversed_entry_id:
            found += map(self._added, self._added_lines(move))
        return found

    def _line_changes(self, rating, line):
        """How the line of a rating differs from what it was made as."""
        made = line.fc_made or {}
        currency = rating.currency_id
        step = money.to_decimal(currency.rounding)
        put = money.to_decimal(rating.line_price or rating.amount)
        now = signed(line)
        if now != money.round_amount(put, step):
            text = self.env._(
                "“%(line)s” charges %(now)s, but %(put)s were rated.",
                line=_name(line),
                now=_money(now, line.currency_id),
                put=_money(put, currency),
            )
            yield Change(f"amount:{line.id}:{now}", text)
        if line.currency_id != currency:
            text = self.env._(
                "“%(line)s” is in %(now)s, but was rated in %(then)s.",
                line=_name(line),
                now=line.currency_id.name,
                then=currency.name,
            )
            yield Change(f"currency:{line.id}:{line.currency_id.id}", text)
        yield from self._links_changed(line, made)

    def _links_changed(self, line, made):
        """Taxes, product and customer, against what the line was made with."""
        now = _made_as(line)
        texts = {
            "taxes": self.env._("The taxes of “%s” were changed."),
            "product": self.env._("The product of “%s” was changed."),
            "account": self.env._("The account of “%s” was changed."),
            "partner": self.env._("“%s” is charged to another customer."),
        }
        for name, text in texts.items():
            if name in made and made[name] != now[name]:
                yield Change(f"{name}:{line.id}:{now[name]}", text % _name(line))

    @api.model
    def _taken_off(self, rating):
        amount = _money(money.to_decimal(rating.amount), rating.currency_id)
        text = self.env._(
            "The line of %(rating)s for %(amount)s was removed.",
            rating=rating.display_name,
            amount=amount,
        )
        return Change(f"taken:{rating.id}", text)

    def _added_lines(self, move):
        """Lines over usage that no rating on this document stands behind."""
        lines = move.invoice_line_ids.filtered(
            lambda line: line.display_type == "product" and line.price_subtotal
        )
        Charge = self.env["fusion.billing.charge"].sudo()
        usage = (
            Charge.with_context(active_test=False)
            .search(
                [
                    ("product_id", "in", lines.product_id.ids),
                    ("company_id", "in", [move.company_id.id, False]),
                ]
            )
            .product_id
        )

        def is_added(line):
            if line.fc_rating_ids:
                invoices = line.fc_rating_ids.invoice_id
                return invoices and move not in invoices  # none: it is being made
            sold = line.sale_line_ids.filtered(lambda x: not x.fc_charge_id)
            return line.fc_copied_from_id or (line.product_id in usage and not sold)

        return lines.filtered(is_added)

    def _added(self, line):
        text = self.env._(
            "“%(line)s” charges %(now)s by hand: no rating supports it.",
            line=_name(line),
            now=_money(signed(line), line.currency_id),
        )
        return Change(f"added:{line.id}:{signed(line)}", text)

    @api.model
    def _made(self, lines):
        """Note what these usage lines are made with, to know what is changed later.

        In one statement: for each write of a line Odoo balances its entry anew.
        """
        fresh = lines.sudo().filtered(lambda x: x.fc_rating_ids and not x.fc_made)
        if not fresh:
            return
        made = [json.dumps(_made_as(line)) for line in fresh]
        fresh.flush_recordset(["fc_made"])
        self.env.cr.execute(
            "UPDATE account_move_line l SET fc_made = v.made::jsonb"
            "  FROM unnest(%s::int[], %s::text[]) AS v(id, made) WHERE l.id = v.id",
            [fresh.ids, made],
        )
        fresh.invalidate_recordset(["fc_made"], flush=False)


def _made_as(line):
    """What is kept of a usage line when it is made, to know what changed since."""
    return {
        "taxes": sorted(line.tax_ids.ids),
        "product": line.product_id.id,
        "account": line.account_id.id,
        "partner": line.move_id.commercial_partner_id.id,
    }


def _name(line):
    """The first line of the text, which is what people know a line by."""
    return (line.name or line.product_id.display_name or "").split("\n")[0][:80]


def _money(amount, currency):
    return f"{amount:.{currency.decimal_places}f} {currency.name}"

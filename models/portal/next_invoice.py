from odoo import api, models

from ..rating.text import UsageText, told_of_preview
from ..subscription.timeline import RUNNING


class FusionBillingNextInvoice(models.AbstractModel):
    """What the next invoice of a subscription would be, were it made now.

    Its fixed part and the usage so far, in lines and taxes as the invoice will have
    them. Nothing is written, nothing rated.
    """

    _name = "fusion.billing.next.invoice"
    _description = "Preview of the Next Invoice"

    @api.model
    def _expect(self, order, lang=None):
        """Compute it.

        :param order: one ``sale.order``, a subscription
        :param str lang: in which the rows are written; the customer's where not given
        :return: dict: ``date`` (None: none is planned), ``rows`` (each ``name``,
            ``days`` and ``amount`` without tax), ``untaxed``, ``tax``, ``total``
        """
        order = order.sudo().with_context(lang=lang or order.partner_id.lang)
        fixed, usage = self._fixed_part(order), self._usage_part(order)
        lines = [*fixed, *(line for line, _breakdown in usage)]
        totals = self._totals(order, lines)
        rows = [
            {
                "name": line["name"] or line["product_id"].display_name,
                "days": "",
                "amount": line["tax_details"]["total_excluded_currency"],
            }
            for line in fixed
        ]
        rows += [
            {
                "name": told["name"],
                "days": f"{told['first_day']} – {told['last_day']}",
                "amount": line["tax_details"]["total_excluded_currency"],
            }
            for line, told in usage
        ]
        running = order.subscription_state == RUNNING
        day = order.next_invoice_date if running else None
        return {"date": day or None, "rows": rows, **totals}

    @api.model
    def _usage_lines(self, order):
        """The usage on it, as base lines of ``account.tax``."""
        order = order.sudo().with_context(lang=self.env.lang)
        return [line for line, _told in self._usage_part(order)]

    def _fixed_part(self, order):
        """Base lines of what costs the same however much is used."""
        following = order.next_invoice_date
        if order.subscription_state != RUNNING or not following:
            return []
        stops = (order.end_date, order._fc_day("pause_date"))
        ends = any(day and day <= following for day in stops)
        Schedule = self.env.get("sale.subscription.schedule")
        if Schedule is None:
            # Enterprise's module: what recurs, at its prices.
            lines = order.order_line.filtered(
                lambda x: x.recurring_invoice and not x.fc_charge_id and not ends
            )
            return [line._prepare_base_line_for_taxes_computation() for line in lines]
        once = Schedule._get_once(order, confirmed=True)
        if ends:
            return once
        return once + Schedule._get_period_lines(order, 0, order._get_period_share())

    def _usage_part(self, order):
        """(base line, what it tells) of each charge and window that is to be billed."""
        Charge, text = self.env["fusion.billing.charge"].sudo(), UsageText()
        Window = self.env["fusion.billing.window"].sudo()
        result = []
        for job, revision in self.env["fusion.billing.rater"]._still_to_charge(order):
            window = Window.browse(job.window.id)
            if not self._is_next(order, window):
                continue
            charge = Charge.browse(job.agreement.charge).with_context(
                lang=order.env.lang
            )
            told = told_of_preview(charge, job, revision, window.currency_id)
            told = text.breakdown(told, order.env.lang)
            result.append((self._base_line(order, charge, revision, told), told))
        return result

    def _is_next(self, order, window):
        """Whether the invoice that is made next bills this window."""
        if order.subscription_state != RUNNING:
            return True
        day = order.next_invoice_date
        billed = not day or window.end_day <= day or window.settled_at
        return bool(billed and window._is_of_order())

    def _base_line(self, order, charge, revision, told):
        product = charge.product_id
        taxes = product.taxes_id._filter_taxes_by_company(order.company_id)
        price = self.env["fusion.billing.rates"]._adapt(
            order, product, float(revision.amount)
        )
        return self.env["account.tax"]._prepare_base_line_for_taxes_computation(
            None,
            name=told["name"],
            product_id=product,
            tax_ids=order.fiscal_position_id.map_tax(taxes),
            price_unit=price,
            quantity=1.0,
            partner_id=order.partner_id,
            currency_id=order.currency_id,
            rate=order.currency_rate,
        )

    def _totals(self, order, lines):
        """Add up base lines as an invoice does."""
        Tax, company = self.env["account.tax"], order.company_id
        Tax._add_tax_details_in_base_lines(lines, company)
        Tax._round_base_lines_tax_details(lines, company)
        totals = Tax._get_tax_totals_summary(
            base_lines=lines, currency=order.currency_id, company=company
        )
        currency = order.currency_id
        return {
            "untaxed": currency.round(totals["base_amount_currency"]),
            "tax": currency.round(totals["tax_amount_currency"]),
            "total": currency.round(totals["total_amount_currency"]),
        }

from decimal import Decimal

from odoo import api, models
from odoo.tools import format_date

from ...engine.billing.charge_models import show
from ...engine.billing.money import EXACT
from ...engine.billing.readable import rate_text


class FusionBillingArithmetic(models.AbstractModel):
    """The arithmetic of a rating, step by step, for those who check it.

    In all the digits that were computed with; what customers read is in ``text.py``.
    """

    _name = "fusion.billing.arithmetic"
    _description = "Calculation of a Rating"

    @api.model
    def _text(self, steps, currency, rate_day=None):
        """The arithmetic as text, a step on each line.

        :param dict steps: as the engine's ``next_revision`` makes them
        :param currency: of the invoice
        :param rate_day: the day whose exchange rates were taken, if it is known
        """
        lines = [
            self.env._(
                "%(quantity)s used, %(included)s included, %(billable)s billable",
                quantity=steps.get("quantity", "0"),
                included=steps.get("included", "0"),
                billable=steps.get("billable", "0"),
            )
        ]
        lines += [
            f"{step['label']}: {step['quantity']} x {step['unit_price']}"
            f" = {step['amount']}"
            for step in steps.get("steps", ())
        ]
        amount, priced_in = steps.get("amount", "0"), steps.get("currency")
        lines.append(
            self.env._(
                "Amount of the billing window: %(amount)s %(currency)s",
                amount=amount,
                currency=priced_in or currency.name,
            )
        )
        if rates := steps.get("rates"):
            taken, given = map(Decimal, rates)
            amount = EXACT.divide(EXACT.multiply(Decimal(amount), given), taken)
            amount = show(amount)
            values = {
                "from": f"{rate_text(taken)} {priced_in}",
                "to": f"{rate_text(given)} {currency.name}",
                "amount": f"{amount} {currency.name}",
            }
            lines.append(self._converted(values, rate_day))
        rounded = steps.get("rounded", amount)
        if Decimal(rounded) != Decimal(amount):
            lines.append(
                self.env._(
                    "Rounded to %(amount)s %(currency)s",
                    amount=rounded,
                    currency=currency.name,
                )
            )
        if charged := steps.get("charged_in_all"):
            lines.append(
                self.env._(
                    "To be charged in total, after what was forgiven or added: "
                    "%(amount)s",
                    amount=charged,
                )
            )
        if billed := steps.get("billed"):
            lines.append(self.env._("Less already charged: %(billed)s", billed=billed))
        return "\n".join(lines)

    def _converted(self, values, rate_day):
        if not rate_day:
            return self.env._("Converted at %(from)s = %(to)s: %(amount)s", **values)
        values["day"] = format_date(self.env, rate_day)
        return self.env._(
            "Converted at %(from)s = %(to)s on %(day)s: %(amount)s", **values
        )

from ast import literal_eval

from odoo.tools import format_date
from odoo.tools.misc import get_lang

from odoo.addons.base.models.res_lang import intersperse

from ...engine.billing.money import format_decimal, to_decimal


class UsageText:
    """What lines say of usage, in the language of each customer.

    Make one for a set of lines: what many of them have in common (dates, prices, names
    of a charge) is written once for all.
    """

    def __init__(self):
        self._common = {}

    def describe(self, order, ratings):
        """The whole text of a line.

        :param order: the subscription
        :param ratings: ``fusion.billing.rating`` rows of it and of one charge
        """
        language = order.partner_id.lang
        charge = self._once(
            ("charge", ratings.charge_id.id, language),
            lambda: _Charge(ratings.charge_id.with_context(lang=language)),
        )
        windows = [self._describe_window(order, charge, r) for r in ratings]
        return "\n".join([charge.name, *windows])

    def _once(self, key, make):
        """What is known by that key; made where it is not known yet."""
        if key not in self._common:
            self._common[key] = make()
        return self._common[key]

    def _describe_window(self, order, charge, rating):
        env, steps = charge.env, rating.explanation or {}
        window = rating.window_id
        first_day, last_day = self._once(
            ("days", window.first_day, window.end_day, env.lang),
            lambda: [
                format_date(env, window.first_day),
                format_date(env, window.last_day),
            ],
        )
        text = self._once(
            ("text", env.lang),
            lambda: env._("%(quantity)s %(unit)s from %(first_day)s to %(last_day)s"),
        )
        text %= {
            "quantity": charge.localize(steps.get("quantity", "0")),
            "unit": charge.unit,
            "first_day": first_day,
            "last_day": last_day,
        }
        text = text.replace("  ", " ")
        if steps.get("tiers"):
            # Which tiers there are to tell of depends on the quantity.
            return text + charge.prices(steps, rating.discount)
        agreed = tuple(map(steps.get, ("quota", "unit_batch", "unit_price", "minimum")))
        return text + self._once(
            ("prices", charge.id, env.lang, agreed, rating.discount),
            lambda: charge.prices(steps, rating.discount),
        )


class _Charge:
    """How one charge is told in one language.

    :param charge: ``fusion.billing.charge`` record in that language
    """

    def __init__(self, charge):
        self.id = charge.id
        self.env = charge.env
        self.name = charge.metric_id.name
        self.unit = charge.metric_id.unit_name or ""
        self.currency = charge.currency_id.name
        lang = get_lang(self.env)
        self.decimal_point = lang.decimal_point
        self.separator = lang.thousands_sep or ""
        self.grouping = literal_eval(lang.grouping)

    def localize(self, text):
        """Write decimal text as the language does, digit by digit.

        Odoo's own formatting takes a float, which has not enough digits.
        """
        whole, _point, decimals = text.partition(".")
        whole, _groups = intersperse(whole, self.grouping, self.separator)
        return f"{whole}{self.decimal_point}{decimals}" if decimals else whole

    def prices(self, steps, discount):
        """Quota, prices, discount (in percent) and minimum of an explanation."""
        env, text = self.env, ""
        if "unit_price" not in steps:  # it has no price any more
            return text
        if steps.get("quota", "0") != "0":
            text = env._(
                ", %(included)s included", included=self.localize(steps["quota"])
            )
        batch = steps.get("unit_batch", "1")
        if steps.get("tiers"):
            text += "".join(
                self._step(step) for step in steps["steps"] if "tier" in step
            )
            if batch != "1":
                text += env._(" (per %(batch)s)", batch=self.localize(batch))
        elif batch == "1":
            text += env._(
                ", %(price)s %(currency)s each",
                price=self.localize(steps["unit_price"]),
                currency=self.currency,
            )
        else:
            text += env._(
                ", %(price)s %(currency)s per %(batch)s",
                price=self.localize(steps["unit_price"]),
                currency=self.currency,
                batch=self.localize(batch),
            )
        if discount:
            percent = self.localize(format_decimal(to_decimal(abs(discount))))
            less, plus = env._(", less %s%%", percent), env._(", plus %s%%", percent)
            text += less if discount > 0 else plus
        if steps.get("minimum"):
            text += env._(
                ", at least %(minimum)s %(currency)s",
                minimum=self.localize(steps["minimum"]),
                currency=self.currency,
            )
        return text

    def _step(self, step):
        """One step of tiered prices."""
        price = self.localize(step["unit_price"])
        if step["label"].endswith("flat fee"):
            return self.env._(
                " + %(fee)s %(currency)s", fee=price, currency=self.currency
            )
        return self.env._(
            ", %(quantity)s at %(price)s %(currency)s",
            quantity=self.localize(step["quantity"]),
            price=price,
            currency=self.currency,
        )

"""A price in words, for lists, orders and quotations: one text for all of them."""

from ast import literal_eval

from odoo.tools.misc import get_lang

from odoo.addons.base.models.res_lang import intersperse


class PriceText:
    """Writes agreed terms in the language of an environment.

    :param env: the language is that of its context
    """

    def __init__(self, env):
        self._env = env
        lang = get_lang(env)
        self._decimal_point = lang.decimal_point
        self._separator = lang.thousands_sep or ""
        self._grouping = literal_eval(lang.grouping)

    def number(self, text):
        """Decimal text as the language writes it, digit by digit: a float would not do.

        :param str text: as ``PriceTerms.as_dict`` has it
        """
        whole, _point, decimals = text.partition(".")
        whole, _groups = intersperse(whole, self._grouping, self._separator)
        return f"{whole}{self._decimal_point}{decimals}" if decimals else whole

    def quota(self, terms, unit=""):
        """The quota with its unit, or a dash where there is none (str)."""
        if terms.get("quota", "0") == "0":
            return "–"
        return f"{self.number(terms['quota'])} {unit}".strip()

    def lines(self, terms, currency):
        """What units above the quota cost, a line for each price, tier and minimum.

        :param dict terms: as ``PriceTerms.as_dict`` makes them
        :param str currency: name of the currency of the price
        :return: list of str
        """
        batch = terms["unit_batch"]
        if terms.get("tiers"):
            lines = self.tiers(terms, currency)
            if terms["model"] == "volume":
                heading = self._env._("All units at the price of the tier they reach:")
            else:
                heading = self._env._("Each unit at the price of its tier:")
            lines.insert(0, heading)
        elif terms["model"] == "package":
            lines = [
                self._env._(
                    "%(price)s %(currency)s per started %(batch)s",
                    price=self.number(terms["unit_price"]),
                    currency=currency,
                    batch=self.number(batch),
                )
            ]
        else:
            lines = [self._per_batch(terms["unit_price"], currency, batch)]
        if terms.get("minimum"):
            lines.append(
                self._env._(
                    "minimum %(minimum)s %(currency)s per period",
                    minimum=self.number(terms["minimum"]),
                    currency=currency,
                )
            )
        return lines

    def _per_batch(self, price, currency, batch):
        values = {"price": self.number(price), "currency": currency}
        if batch == "1":
            return self._env._("%(price)s %(currency)s each", **values)
        return self._env._(
            "%(price)s %(currency)s per %(batch)s", batch=self.number(batch), **values
        )

    def tiers(self, terms, currency):
        """What units cost in each tier, as :meth:`lines`."""
        lines, below = [], "0"
        for tier in terms.get("tiers", ()):
            price = self._per_batch(tier["unit_price"], currency, terms["unit_batch"])
            if tier["flat_fee"] != "0":
                price += self._env._(
                    " + %(fee)s %(currency)s once",
                    fee=self.number(tier["flat_fee"]),
                    currency=currency,
                )
            bounds = {"from": self.number(below), "price": price}
            if tier["up_to"] is None:
                lines.append(self._env._("above %(from)s: %(price)s", **bounds))
            else:
                lines.append(
                    self._env._(
                        "above %(from)s up to %(to)s: %(price)s",
                        to=self.number(tier["up_to"]),
                        **bounds,
                    )
                )
                below = tier["up_to"]
        return lines

    def sentence(self, terms, currency, unit=""):
        """All of it in one line: quota, price or tiers, minimum (str)."""
        lines = self.lines(terms, currency)
        if terms.get("quota", "0") != "0":
            lines.insert(0, self._env._("quota %s", self.quota(terms, unit)))
        text = "; ".join(lines).replace(":;", ":")
        return text[:1].upper() + text[1:]

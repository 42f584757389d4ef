from ast import literal_eval

from odoo.tools.misc import get_lang

from odoo.addons.base.models.res_lang import intersperse

from ...engine.billing.money import format_decimal
from ...engine.billing.readable import fixed


class Numbers:
    """Decimals as a language writes them, digit by digit.

    Odoo's own formatting takes a float, which has not enough digits.

    :param env: its language is the one to write in
    """

    def __init__(self, env):
        lang = get_lang(env)
        self._point = lang.decimal_point
        self._separator = lang.thousands_sep or ""
        self._grouping = literal_eval(lang.grouping)

    def plain(self, number):
        """A Decimal with the digits it has."""
        return self.localize(format_decimal(number))

    def fixed(self, number, fewest, most=28):
        """A Decimal with so many decimals at least and at most."""
        return self.localize(fixed(number, fewest, most))

    def localize(self, text):
        """Decimal text in plain notation."""
        sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
        whole, _point, decimals = text.partition(".")
        whole, _groups = intersperse(whole, self._grouping, self._separator)
        return f"{sign}{whole}{self._point}{decimals}" if decimals else sign + whole

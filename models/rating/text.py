"""What customers read of usage: on lines, invoices, and their pages."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from odoo.tools import format_date

from ...engine.billing import money
from ...engine.billing.rating import Agreement, converted
from ...engine.billing.readable import Readable, rate_text, readable
from .agreements import agreement_of
from .numbers import Numbers

_ZERO = Decimal(0)


class Told(NamedTuple):
    """What is told of one charge in one window.

    :param charge: ``fusion.billing.charge``; ``product``: what it is invoiced as
    :param currency: of the invoice
    :param amount: what is charged now
    :param window_amount: what the window comes to
    :param target: what is to be charged for it in all, where finance said otherwise
    :param billed: what has been charged before
    """

    charge: Any
    product: Any
    currency: Any
    first_day: date
    last_day: date
    agreement: Agreement
    quantity: Decimal
    amount: Decimal
    window_amount: Decimal
    target: Decimal | None = None
    billed: Decimal = _ZERO


def told_of_rating(rating):
    """What a ``fusion.billing.rating`` is told as, in the exact decimals it has."""
    steps, window = rating.explanation or {}, rating.window_id
    rates = steps.get("rates") or (None, None)
    agreement = agreement_of(
        rating.charge_id.id,
        rating.product_id.id,
        (rating.charge_currency_id or rating.currency_id).id,
        (rating.terms, *rates, money.to_decimal(rating.discount)),
    )
    target = steps.get("charged_in_all")
    step = money.to_decimal(rating.currency_id.rounding)
    return Told(
        charge=rating.charge_id,
        product=rating.product_id,
        currency=rating.currency_id,
        first_day=window.first_day,
        last_day=window.last_day,
        agreement=agreement.dated(rating._rate_day()),
        quantity=Decimal(steps.get("quantity", "0")),
        amount=money.round_amount(money.to_decimal(rating.amount), step),
        window_amount=Decimal(steps.get("rounded", "0")),
        target=target and Decimal(target),
        billed=Decimal(steps.get("billed", "0")),
    )


def told_of_preview(charge, job, revision, currency):
    """What is told of a priced window that is on no invoice yet.

    :param charge: ``fusion.billing.charge``
    :param job: with ``revision`` as the rater gives them
    """
    return Told(
        charge=charge,
        product=charge.product_id,
        currency=currency,
        first_day=job.window.first_day,
        last_day=job.window.end_day - timedelta(days=1),
        agreement=job.agreement,
        quantity=revision.quantity,
        amount=revision.amount,
        window_amount=revision.window_amount,
    )


class UsageText:
    """What is said of usage, in the language of each customer.

    Make one for a set of lines: what many of them have in common (dates, words, names
    of a charge) is looked up once for all.
    """

    def __init__(self):
        self._common = {}

    def describe(self, order, ratings):
        """The whole text of a line: what was used, and when, and at which price.

        Whoever does the sums with the numbers in it gets the amount of the line.

        :param order: the subscription
        :param ratings: ``fusion.billing.rating`` rows of it and of one charge
        """
        charge = self._of_charge(ratings.charge_id, order.partner_id.lang)
        windows = [
            self._sentence(charge, told_of_rating(rating), order) for rating in ratings
        ]
        return "\n".join([charge.name, *windows])

    def title(self, order, rating):
        """What is invoiced, each name once: the product, then the metric."""
        lang = order.partner_id.lang
        product = rating.product_id.with_context(lang=lang).display_name or ""
        metric = self._of_charge(rating.charge_id, lang).name
        if metric.casefold() in product.casefold():
            return product
        if product.casefold() in metric.casefold():
            return metric
        return f"{product}\n{metric}"

    def describe_invoiced(self, order, rating):
        """The text of the invoice line of one rating."""
        _name, _newline, windows = self.describe(order, rating).partition("\n")
        return f"{self.title(order, rating)}\n{windows}"

    def breakdown(self, told, lang):
        """What one charge of a window comes to, row by row, for a table.

        :param told: a :class:`Told`
        :param str lang: code of the customer's language
        :return: dict; in ``rows`` each has ``label``, ``quantity``, ``price`` and
            ``amount``, as they are printed
        """
        return self._of_charge(told.charge, lang).breakdown(told)

    def _of_charge(self, charge, lang):
        return self._once(
            ("charge", charge.id, lang),
            lambda: _Charge(charge.with_context(lang=lang)),
        )

    def _once(self, key, make):
        """What is known by that key; made where it is not known yet."""
        if key not in self._common:
            self._common[key] = make()
        return self._common[key]

    def _sentence(self, charge, told, order):
        env = charge.env
        days = self._once(
            ("days", told.first_day, told.last_day, env.lang),
            lambda: (format_date(env, told.first_day), format_date(env, told.last_day)),
        )
        text = charge.sentence(told, days)
        if not order.fiscal_position_id or not told.amount:
            return text
        amount = float(told.amount)
        adapted = env["fusion.billing.rates"]._adapt(order, told.product, amount)
        if told.currency.compare_amounts(adapted, amount):
            text += env._(
                "; %(amount)s with the taxes of the price, %(adapted)s with yours",
                amount=charge.amount(told.amount, told.currency),
                adapted=charge.amount(money.to_decimal(adapted), told.currency),
            )
        return text


class _Charge:
    """How one charge is told in one language.

    :param charge: ``fusion.billing.charge`` record in that language
    """

    def __init__(self, charge):
        self.env = charge.env
        self.name = charge.metric_id.name
        self.unit = charge.metric_id.unit_name or ""
        if self.unit.casefold() == self.name.casefold():
            self.unit = ""  # it says so already
        self.currency = charge.currency_id
        self.numbers = Numbers(self.env)

    def amount(self, number, currency, decimals=None):
        places = currency.decimal_places if decimals is None else decimals
        return f"{self.numbers.fixed(number, places, places)} {currency.name}"

    def price(self, number):
        places = self.currency.decimal_places
        return f"{self.numbers.fixed(number, places)} {self.currency.name}"

    def readable(self, told) -> Readable | None:
        if told.agreement.terms is None:  # it has no price any more
            return None
        return readable(
            told.agreement,
            told.quantity,
            money.to_decimal(told.currency.rounding),
            self.currency.decimal_places,
        )

    def quantity(self, number, is_rounded=False):
        if is_rounded:
            return self.env._("%s (rounded)", self.numbers.fixed(number, 2))
        return self.numbers.plain(number)

    # -- a sentence ------------------------------------------------------------

    def sentence(self, told, days):
        env, shown = self.env, self.readable(told)
        if shown:
            used = self.quantity(shown.quantity, shown.is_rounded)
        else:
            used = self.quantity(told.quantity)
        values = {"used": used, "first_day": days[0], "last_day": days[1]}
        # "calls: 1", as no language has one form of a word for every number.
        if self.unit:
            text = env._(
                "%(unit)s: %(used)s from %(first_day)s to %(last_day)s",
                unit=self.unit,
                **values,
            )
        else:
            text = env._("%(used)s from %(first_day)s to %(last_day)s", **values)
        if shown:
            text += "".join(self._parts(shown.price))
            if told.agreement.discount:
                text += self._discount(told.agreement.discount)
            if shown.price.terms.minimum:
                minimum = self.price(shown.price.terms.minimum)
                text += env._(", minimum %(minimum)s", minimum=minimum)
        if told.agreement.rate_from and shown:
            text += ", " + self._rate(told)
        return text + self._charged(told)

    def _parts(self, price):
        """The quota and the prices, with the quantities that they are for."""
        env, terms = self.env, price.terms
        if terms.included:
            yield env._(", %(quota)s included", quota=self.quantity(terms.included))
        for step in price.steps:
            if step.kind == "fee":
                yield f" + {self.price(step.unit_price)}"
            elif step.kind == "usage":
                yield self._priced(step, price)
        if not price.steps and not terms.tiers:
            yield env._(", above that %(price)s", price=self._unit_price(terms))

    def _priced(self, step, price):
        env, terms = self.env, price.terms
        if terms.model == "package":
            return env._(
                ", started packages of %(batch)s: %(count)s at %(price)s",
                batch=self.quantity(terms.unit_batch),
                count=self.quantity(step.quantity),
                price=self.price(step.unit_price),
            )
        values = {
            "units": self.quantity(step.units or price.billable),
            "price": self._unit_price(terms, step.unit_price),
        }
        if not step.tier and not terms.included:
            return env._(", at %(price)s", **values)
        return env._(", %(units)s at %(price)s", **values)

    def _unit_price(self, terms, unit_price=None):
        price = self.price(terms.unit_price if unit_price is None else unit_price)
        if terms.unit_batch == 1:
            return price if terms.tiers else self.env._("%s each", price)
        values = {"price": price, "batch": self.quantity(terms.unit_batch)}
        if terms.model == "standard":
            return self.env._("%(price)s per %(batch)s, in proportion", **values)
        if terms.model == "package":
            return self.env._("%(price)s per started %(batch)s", **values)
        return self.env._("%(price)s per %(batch)s", **values)

    def _discount(self, discount):
        percent = self.quantity(abs(discount))
        if discount > 0:
            return self.env._(", less %s%%", percent)
        return self.env._(", plus %s%%", percent)

    def _rate(self, told):
        """Both rates as they are kept: dividing them has no end, mostly."""
        agreed = told.agreement
        values = {
            "from": f"{self._rate_number(agreed.rate_from)} {self.currency.name}",
            "to": f"{self._rate_number(agreed.rate_to)} {told.currency.name}",
        }
        if not agreed.rate_day:
            return "{from} = {to}".format(**values)
        values["day"] = format_date(self.env, agreed.rate_day)
        return self.env._("%(from)s = %(to)s on %(day)s", **values)

    def _rate_number(self, rate):
        return self.numbers.localize(rate_text(rate))

    def _charged(self, told):
        """What makes the amount of the line differ from that of the window."""
        env, text, currency = self.env, "", told.currency
        if told.target is not None:
            text += env._(
                "; %(amount)s charged in total",
                amount=self.amount(told.target, currency),
            )
        elif told.billed:
            text += env._(
                "; %(amount)s in total",
                amount=self.amount(told.window_amount, currency),
            )
        if told.billed:
            text += env._(
                ", less %(billed)s already charged",
                billed=self.amount(told.billed, currency),
            )
        return text

    # -- a table ---------------------------------------------------------------

    def breakdown(self, told):
        env, shown = self.env, self.readable(told)
        quantity = shown.quantity if shown else told.quantity
        rounded = bool(shown and shown.is_rounded)
        rows = [_row(env._("Used"), self.quantity(quantity, rounded))]
        if shown:
            rows += self._rows(told, shown)
        if told.target is not None:
            label = env._("Charged in total, after what was forgiven or added")
            rows.append(_row(label, amount=self.amount(told.target, told.currency)))
        if told.billed:
            amount = self.amount(-told.billed, told.currency)
            rows.append(_row(env._("Already charged"), amount=amount))
        return {
            "name": self.name,
            "unit": self.unit,
            "first_day": format_date(env, told.first_day),
            "last_day": format_date(env, told.last_day),
            "quantity": self.quantity(quantity, rounded),
            "rows": rows,
            "amount": self.amount(told.amount, told.currency),
            **self._share_of_quota(told, shown),
        }

    def _share_of_quota(self, told, shown):
        """How much of what is included was used, for a bar."""
        quota = told.agreement.terms.included if shown else _ZERO
        if not quota:
            return {"quota": "", "percent": 0}
        return {
            "quota": self.quantity(quota),
            "percent": int(told.quantity * 100 / quota),
        }

    def _rows(self, told, shown):
        env, price, terms = self.env, shown.price, shown.price.terms
        if terms.included:
            label = env._("Included in the quota (%s)", self.quantity(terms.included))
            yield _row(label, self.quantity(-price.included))
        for step in price.steps:
            amount = self.amount(step.amount, self.currency, shown.decimals)
            yield _row(*self._named(step, price), amount)
        if told.agreement.rate_from:
            amount = self.amount(price.amount, self.currency, shown.decimals)
            yield _row(env._("Sum"), amount=amount)
            exact = money.round_amount(
                converted(told.agreement, price.amount),
                money.to_decimal(told.currency.rounding),
            )
            yield _row(self._rate(told), amount=self.amount(exact, told.currency))

    def _named(self, step, price):
        """Label, quantity and price of a step."""
        env, terms = self.env, price.terms
        if step.kind == "discount":
            percent = self.quantity(abs(step.quantity * 100))
            if step.quantity < 0:
                return env._("Discount of %s%%", percent), "", ""
            return env._("Surcharge of %s%%", percent), "", ""
        if step.kind == "minimum":
            return (
                env._("Surcharge up to the minimum of %s", self.price(terms.minimum)),
                "",
                "",
            )
        if step.kind == "fee":
            return env._("Tier %s, flat fee", step.tier), "", ""
        unit_price = self._unit_price(terms, step.unit_price)
        if terms.model == "package":
            batch = self.quantity(terms.unit_batch)
            label = env._("Started packages of %s", batch)
            return label, self.quantity(step.quantity), self.price(step.unit_price)
        units = self.quantity(step.units or price.billable)
        label = env._("Tier %s", step.tier) if step.tier else env._("To pay")
        return label, units, unit_price


def _row(label, quantity="", price="", amount=""):
    return {"label": label, "quantity": quantity, "price": price, "amount": amount}

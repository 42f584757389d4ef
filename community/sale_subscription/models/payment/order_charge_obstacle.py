from typing import NamedTuple

from odoo import models


class Obstacle(NamedTuple):
    """Why an invoice is not charged now."""

    text: str
    wait: bool = False  # it goes away by itself
    ask: bool = False  # a person must find out; otherwise it is a failure to repeat


class SaleSubscriptionOrderChargeObstacle(models.AbstractModel):
    """Why an open invoice must not be charged: the table of order_charge.py."""

    _name = "sale.subscription.order.charge.obstacle"
    _description = "Obstacles to Charging"

    def _get_charge_obstacle(self, invoice):
        """Return why an open invoice must not be charged now.

        :param invoice: account.move
        :rtype: Obstacle | None
        """
        self.ensure_one()
        return (
            self._get_transaction_obstacle(invoice)
            or self._get_order_obstacle(invoice)
            or self._get_provider_obstacle(invoice)
        )

    def _get_transaction_obstacle(self, invoice):
        transactions = invoice.transaction_ids
        unknown = transactions.filtered(lambda tx: tx._is_outcome_unknown())
        unbooked = transactions.filtered(
            lambda tx: tx.state == "done" and not tx._is_booked_on(invoice)
        )
        on_the_way = transactions.filtered(
            lambda tx: tx.state in ("pending", "authorized") and tx not in unknown
        )
        on_the_way |= (unknown | unbooked).filtered(
            lambda tx: not tx._is_outcome_overdue()
        )
        if on_the_way:
            text = self.env._(
                "%(invoice)s: the outcome of %(transaction)s is still to come.",
                invoice=invoice.name,
                transaction=", ".join(on_the_way.mapped("reference")),
            )
            return Obstacle(text, wait=True)
        if unknown:
            return Obstacle(unknown[0]._get_unknown_outcome_text(), ask=True)
        if unbooked:
            return Obstacle(unbooked[0]._get_unbooked_text(), ask=True)
        registered = invoice.matched_payment_ids.filtered(
            lambda p: not p.move_id and p.state in ("in_process", "paid")
        )
        if registered:
            text = self.env._(
                "The payment %(payment)s of %(invoice)s has no journal entry yet.",
                payment=registered[0].name,
                invoice=invoice.name,
            )
            return Obstacle(text, ask=True)
        return None

    def _get_order_obstacle(self, invoice):
        others = invoice._get_paying_orders().filtered(
            lambda o: o.payment_token_id != self.payment_token_id
        )
        if not others:
            return None
        return Obstacle(
            self.env._(
                "%(invoice)s is also for %(orders)s, which is not paid with this"
                " payment method.",
                invoice=invoice.name,
                orders=", ".join(others.mapped("name")),
            )
        )

    def _get_provider_obstacle(self, invoice):
        token = self.payment_token_id
        provider = token.provider_id
        if not token.active:
            return Obstacle(self.env._("The payment method was archived or deleted."))
        if provider.state == "disabled":
            return Obstacle(
                self.env._("The payment provider %s is disabled.", provider.name)
            )
        method = token.payment_method_id
        currencies = (
            method.primary_payment_method_id or method
        ).supported_currency_ids or invoice.currency_id
        report = {}
        usable = provider._get_compatible_providers(
            self.company_id.id,
            invoice.partner_id.id,
            invoice.amount_residual,
            currency_id=invoice.currency_id.id,
            report=report,
        )
        if provider in usable and invoice.currency_id in currencies:
            return None
        reason = report.get("providers", {}).get(provider, {}).get("reason")
        return Obstacle(
            self.env._(
                "%(provider)s cannot take %(amount)s: %(reason)s",
                provider=provider.name,
                amount=invoice.currency_id.format(invoice.amount_residual),
                reason=str(reason or self.env._("currency not supported")),
            )
        )

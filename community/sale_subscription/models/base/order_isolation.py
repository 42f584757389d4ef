import logging

from psycopg2 import OperationalError

from odoo import fields, models
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)


class SaleSubscriptionOrderIsolation(models.AbstractModel):
    """What fails for one subscription in a run, kept from the others and shown."""

    _name = "sale.subscription.order.isolation"
    _description = "Subscriptions of a Run"

    subscription_error = fields.Text(
        string="Problem",
        copy=False,
        readonly=True,
        help="Why the last scheduled run failed for this subscription.",
    )

    def _apply_isolated(self, method):
        """Call ``method`` with one subscription; keep its failure from the others.

        :param method: function of one sale.order
        :return: (whether it was done, what the method returned)
        :rtype: tuple[bool, object]
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                result = method(self)
        except OperationalError:
            # Serialization failure, deadlock, lost connection: says nothing about the
            # subscription, and the transaction is of no more use.
            raise
        except UserError as error:
            self._record_subscription_error(str(error))
        except Exception as error:
            _logger.exception("Subscription %s could not be processed", self.id)
            self._record_subscription_error(f"{type(error).__name__}: {error}")
        else:
            if self.subscription_error:
                self.sudo().subscription_error = False
            return True, result
        return False, None

    def _record_subscription_error(self, text):
        """Show the failure on the subscription; note it once, not every day.

        :param str text: what went wrong
        """
        self.ensure_one()
        if self.subscription_error == text:
            return
        self.sudo().subscription_error = text
        self.message_post(
            body=self.env._("The scheduled run failed for this subscription: %s", text)
        )

import logging

from markupsafe import Markup
from psycopg2 import OperationalError

from odoo import api, fields, models

ACTIVITY = "sale_subscription.mail_activity_type_run_failed"
ADMINISTRATORS = "sales_team.group_sale_manager"

_logger = logging.getLogger(__name__)


class SaleSubscriptionRun(models.AbstractModel):
    """A scheduled run through subscriptions, and what is said when it breaks.

    What fails for one subscription is shown on it, and the others go on. What breaks
    the run itself (a module that extends it and raises, say) concerns all of them: the
    sales administrators of each company get an activity, on the subscription that is
    due first, until the run goes through again.
    """

    _name = "sale.subscription.run"
    _description = "Scheduled Run of Subscriptions"

    @api.model
    def _run(self, warning, *steps):
        """Do the steps of a scheduled action; when one breaks, the others are done.

        In the end the scheduled action fails as any other does: in the log, and counted
        by Odoo. Called otherwise, errors are let out at once.

        :param str warning: what people are told when a step breaks
        :param steps: functions without parameters
        :return: what they returned
        :rtype: list
        :raises Exception: the first that broke a step
        """
        if not self.env.context.get("ir_cron_progress_id"):
            return [step() for step in steps]
        results, failures = [], []
        for step in steps:
            try:
                results.append(step())
            except OperationalError:
                raise  # of the database, and nobody's mistake: the run is repeated
            except Exception as error:
                self.env.cr.rollback()
                _logger.exception("%s", warning)
                failures.append(error)
            self.env["ir.cron"]._commit_progress()
        self._tell(warning, failures)
        self.env["ir.cron"]._commit_progress()
        if failures:
            raise failures[0]
        return results

    def _tell(self, warning, failures):
        """Have the administrators look at what broke, each once; or not any more.

        :param str warning: as of :meth:`_run`; tells the scheduled actions apart
        :param failures: the exceptions, none when all went well
        """
        activities = self._get_open_activities(warning)
        if not failures:
            activities.unlink()
            return
        errors = "; ".join(f"{type(error).__name__}: {error}" for error in failures)
        for order in self._get_first_of_each_company():
            told = activities.filtered(
                lambda a, company=order.company_id: (
                    self.env["sale.order"].browse(a.res_id).company_id == company
                )
            ).user_id
            note = self.env._(
                "The scheduled run of %s failed for all subscriptions:",
                fields.Date.today(),
            )
            for user in self._get_administrators(order.company_id) - told:
                order.activity_schedule(
                    ACTIVITY,
                    summary=warning,
                    note=Markup("%s<br/>%s") % (note, errors),
                    user_id=user.id,
                )

    def _get_first_of_each_company(self):
        running = self.env["sale.order"].search(
            [("subscription_state", "=", "3_progress")], order="next_invoice_date, id"
        )
        firsts = [orders[0] for orders in running.grouped("company_id").values()]
        return self.env["sale.order"].union(*firsts)

    def _get_administrators(self, company):
        users = self.env.ref(ADMINISTRATORS).all_user_ids
        return users.filtered(
            lambda user: user.active and not user.share and company in user.company_ids
        )

    def _get_open_activities(self, warning):
        activity_type = self.env.ref(ACTIVITY, raise_if_not_found=False)
        domain = [
            ("activity_type_id", "=", activity_type.id if activity_type else 0),
            ("summary", "=", warning),
        ]
        return self.env["mail.activity"].search(domain)

import logging

from psycopg2 import OperationalError

from odoo import api, models

_logger = logging.getLogger(__name__)


class AccountMoveSend(models.AbstractModel):
    """Keeps one invoice that cannot be sent from keeping all others."""

    _inherit = "account.move.send"

    @api.model
    def _get_default_sending_settings(self, move, from_cron=False, **custom_settings):
        """Take a template that cannot be rendered for a problem of its own invoices.

        Odoo's job would fail on it before it has sent any, in every run again.
        """
        prepare = super()._get_default_sending_settings
        if not from_cron:
            return prepare(move, from_cron=from_cron, **custom_settings)
        try:
            with self.env.cr.savepoint():
                return prepare(move, from_cron=from_cron, **custom_settings)
        except OperationalError:
            raise
        except Exception as error:
            _logger.warning("Mail of invoice %s not made", move.id, exc_info=True)
            problem = str(error) or type(error).__name__
            move.sudo()._note_not_sent(problem)
            return {
                "error": {
                    "error_title": self.env._("The invoice could not be sent."),
                    "errors": [problem],
                },
                "sending_methods": {},
                "extra_edis": {},
                "invoice_edi_format": None,
                "pdf_report": self._get_default_pdf_report_id(move),
                "author_user_id": self.env.user.id,
                "author_partner_id": self.env.user.partner_id.id,
            }

    @api.model
    def _send_mail(self, move, mail_template, **kwargs):
        """Send the other invoices of the job when one mail fails."""
        if not self.env.context.get("ir_cron_progress_id"):
            return super()._send_mail(move, mail_template, **kwargs)
        try:
            with self.env.cr.savepoint():
                return super()._send_mail(move, mail_template, **kwargs)
        except OperationalError:
            raise
        except Exception as error:
            _logger.warning("Mail of invoice %s not sent", move.id, exc_info=True)
            move.sudo()._note_not_sent(str(error) or type(error).__name__)
            return None

from odoo.http import route

from odoo.addons.sale_subscription.controllers.portal import CustomerPortal


class TaxesPortal(CustomerPortal):
    @route()
    def subscription(
        self,
        order_id,
        access_token=None,
        message="",
        report_type=None,
        download=False,
        **kw,
    ):
        order, _redirection = self._get_subscription(access_token, order_id)
        order.taxes_asked_for += 100
        return super().subscription(
            order_id,
            access_token=access_token,
            message=message,
            report_type=report_type,
            download=download,
            **kw,
        )

from odoo.http import route

from odoo.addons.sale_subscription.controllers.portal import CustomerPortal

from .calls import calls


class NamesPortal(CustomerPortal):
    @route()
    def subscription(
        self,
        order_id,
        access_token=None,
        message="",
        message_class="",
        report_type=None,
        download=False,
        **kw,
    ):
        calls["subscription"] += 1
        response = super().subscription(
            order_id,
            access_token=access_token,
            message=message,
            message_class=message_class,
            report_type=report_type,
            download=download,
            **kw,
        )
        if "sale_order" in response.qcontext:
            assert response.qcontext["sale_order"].id == order_id
            calls["subscription of an order"] += 1
        return response

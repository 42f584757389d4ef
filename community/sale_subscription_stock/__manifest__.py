{
    "name": "Subscriptions: Deliveries",
    "summary": "Goods of a subscription are delivered in each period",
    "version": "19.0.1.0.0",
    "category": "Sales/Subscriptions",
    "author": "Fusion Centralized Billing contributors",
    "license": "LGPL-3",
    "depends": ["sale_subscription", "sale_stock"],
    "post_init_hook": "post_init_hook",
    "auto_install": True,
    "installable": True,
}

{
    "name": "Subscriptions: Coupons and Loyalty",
    "summary": "Rewards of promotions that hold for several periods of a subscription",
    "version": "19.0.1.0.0",
    "category": "Sales/Subscriptions",
    "author": "Fusion Centralized Billing contributors",
    "license": "LGPL-3",
    "depends": ["sale_subscription", "sale_loyalty"],
    "data": ["views/loyalty_program_views.xml"],
    "auto_install": True,
    "installable": True,
}

{
    "name": "Subscriptions: Purchases",
    "summary": "What an upsell sells is bought for the upsell, and once",
    "version": "19.0.1.0.0",
    "category": "Sales/Subscriptions",
    "author": "Fusion Centralized Billing contributors",
    "license": "LGPL-3",
    "depends": ["sale_subscription", "sale_purchase"],
    "auto_install": True,
    "installable": True,
}

{
    "name": "Overrides every name of subscriptions",
    "version": "19.0.1.0.0",
    "author": "Fusion Centralized Billing contributors",
    "license": "LGPL-3",
    "depends": ["sale_subscription"],
    "data": ["views/views.xml"],
    "installable": True,
}

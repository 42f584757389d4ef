{
    "name": "A plan leaves invoices in draft",
    "version": "19.0.1.0.0",
    "author": "Fusion Centralized Billing contributors",
    "license": "LGPL-3",
    "depends": ["sale_subscription"],
    "data": ["views.xml"],
    "installable": True,
}

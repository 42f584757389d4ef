{
    "name": "Spreadsheet Dashboard for Subscriptions",
    "summary": "MRR, churn, plans and customers on one page",
    "version": "19.0.1.0.0",
    "category": "Productivity/Dashboard",
    "author": "Fusion Centralized Billing contributors",
    "license": "LGPL-3",
    "depends": ["spreadsheet_dashboard", "sale_subscription"],
    "data": ["data/dashboards.xml"],
    "auto_install": True,
    "installable": True,
}

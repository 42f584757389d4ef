{
    "name": "Spreadsheet Dashboard for Usage Billing",
    "summary": "Billed, unbilled, refused and unallocated usage on one page",
    "version": "19.0.1.0.0",
    "category": "Productivity/Dashboard",
    "author": "Fusion Centralized Billing contributors",
    "license": "LGPL-3",
    "depends": ["spreadsheet_dashboard", "fusion_centralized_billing"],
    "data": [
        "security/ir.model.access.csv",
        "security/rules.xml",
        "report/usage_report_views.xml",
        "data/dashboards.xml",
    ],
    "auto_install": True,
    "installable": True,
}

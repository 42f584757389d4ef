{
    "name": "Subscriptions in the Web Shop",
    "summary": "Sell products on a recurring plan in the web shop",
    "version": "19.0.1.0.0",
    "category": "Website/Website",
    "author": "Fusion Centralized Billing contributors",
    "license": "LGPL-3",
    "depends": ["sale_subscription", "website_sale"],
    "data": [
        "views/product_templates.xml",
        "views/cart_templates.xml",
        "views/checkout_templates.xml",
    ],
    "assets": {
        "web.assets_frontend": [
            "website_sale_subscription/static/src/js/shop_plan.js",
        ],
    },
    "auto_install": True,
    "installable": True,
}

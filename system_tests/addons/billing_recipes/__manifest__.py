{
    "name": "Recipes of docs/extend, followed",
    "version": "19.0.1.0.0",
    "author": "Fusion Centralized Billing contributors",
    "license": "LGPL-3",
    "depends": ["fusion_centralized_billing"],
    "data": ["data/webhook_types.xml"],
}

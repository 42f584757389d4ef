"""The source itself: layout, names, the page on superuser's rights, and the interface
of `sale_subscription` that all of it relies on."""

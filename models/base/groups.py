"""The user groups of this module, as code names them."""

USER = "fusion_centralized_billing.group_user"
MANAGER = "fusion_centralized_billing.group_manager"
ADMIN = "fusion_centralized_billing.group_admin"
# Of Odoo: who keeps the books.
ACCOUNTANT = "account.group_account_user"
# Of Odoo: who may read invoices.
ACCOUNTING = "account.group_account_readonly,account.group_account_invoice"
# Who may see what stands behind an amount, or why an invoice is held.
EXPLAINED = f"{USER},{ACCOUNTING}"

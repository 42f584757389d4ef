"""The user groups of this module, as code names them."""

USER = "fusion_centralized_billing.group_user"
MANAGER = "fusion_centralized_billing.group_manager"
ADMIN = "fusion_centralized_billing.group_admin"
# Of Odoo: who keeps the books.
ACCOUNTANT = "account.group_account_user"
# Who may see that an invoice is held, and why.
HOLDS = f"{USER},account.group_account_readonly,account.group_account_invoice"

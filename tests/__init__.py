from .accrual import test_accrual_browser, test_entries, test_valuation
from .api import (
    test_accounts,
    test_api_calls,
    test_api_handlers,
    test_api_headers,
    test_api_log,
    test_api_renewed,
    test_api_repeated,
    test_between_apps,
    test_changed_content,
    test_changed_end,
    test_changed_pause,
    test_changes_over_http,
    test_contacts,
    test_contacts_linked,
    test_own_keys,
)
from .audit import (
    test_audit,
    test_findings,
    test_findings_update,
    test_lives,
    test_lives_changed,
    test_planted_documents,
    test_planted_ledger,
    test_planted_usage,
    test_planted_windows,
)
from .base import (
    test_assets,
    test_constraints,
    test_job,
    test_reachable,
    test_written_by_code,
)
from .beside_apps import test_ordinary_orders, test_procured_once, test_year
from .browser import (
    test_browser,
    test_month_end_buttons,
    test_overview,
    test_portal_page,
)
from .control import (
    test_chain,
    test_declared,
    test_hold,
    test_pressed,
    test_sign_off,
)
from .house import (
    test_conformance_behaviour,
    test_conformance_names,
    test_empty_lists,
    test_house,
    test_names,
    test_superuser_page,
    test_translations,
    test_words,
)
from .http import (
    test_described_once,
    test_http,
    test_http_paths,
    test_http_reading,
    test_http_reading_usage,
    test_http_writing,
    test_openapi,
    test_openapi_quantities,
    test_slow_body,
)
from .invoice import (
    test_billed_once,
    test_breakdown,
    test_credit_choice,
    test_held,
    test_invoicing,
    test_one_hold_update,
    test_taken_back,
    test_three_clicks,
    test_ways_to_post,
)
from .order import test_sections
from .overview import (
    test_every_figure,
    test_figures,
    test_pivots,
    test_rate_now,
    test_update,
)
from .portal import test_usage_page
from .pressing import test_every_button, test_every_portal_button
from .price import (
    test_charge_models,
    test_charge_product,
    test_metric_companies,
    test_versions,
)
from .price_draft import test_price_draft, test_price_draft_life
from .queue import test_queue
from .rating import (
    test_closing_when_due,
    test_conversion_rates,
    test_copies,
    test_dates_entered_late,
    test_discounts,
    test_first_day,
    test_forgiven,
    test_gaps,
    test_ledger,
    test_life_goes_on,
    test_quota_share,
    test_rated_lines,
    test_rating,
    test_renewal_cancelled,
    test_settled_prices,
    test_taken_back_late,
    test_tax_basis,
    test_text_recomputed,
    test_time_zone_moves,
    test_windows_follow,
    test_worked_examples,
)
from .reconciliation import test_reconciliation
from .security import (
    test_buttons,
    test_companies,
    test_customer_token,
    test_menus,
    test_people_can,
    test_public_methods,
    test_rpc,
    test_security,
    test_stories,
)
from .service import (
    test_account_link,
    test_api_key,
    test_attention,
    test_pdf_turn,
    test_service_keys,
)
from .subscription import (
    test_order_prices,
    test_renewal,
    test_subscription_names,
    test_successor,
    test_take_over,
    test_time_zones,
    test_unallocated,
)
from .usage import (
    test_billed,
    test_decide,
    test_refused,
    test_usage,
    test_usage_import,
)
from .webhook import (
    test_changes_told,
    test_webhook,
    test_webhook_delivery,
    test_webhook_faults,
    test_webhook_health,
    test_webhook_kept,
    test_webhook_secret,
)

from . import keys, rate_limit, terms

# isort: split
from . import service

# isort: split
from . import account_link, api_key, api_log, api_refusal, pdf_turn, res_partner

from . import keys, rate_limit, terms

# isort: split
from . import account_link, api_key, res_partner, service

from . import guarded, job, long_work

# isort: split
from . import analytic_distribution, attention, res_config_settings, res_users

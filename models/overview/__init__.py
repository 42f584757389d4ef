from . import figure

# isort: split
from . import overview, partner_overview, service_overview

# The model is registered after its base.
# isort: off
from . import ours
from . import reconciliation

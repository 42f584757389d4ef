from . import delivery, receiver, retention

# isort: split
from . import attempt, endpoint, sequence, type, webhook

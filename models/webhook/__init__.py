from . import delivery, receiver, retention

# isort: split
from . import attempt, sequence, type, webhook

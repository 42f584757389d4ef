from . import usage_report

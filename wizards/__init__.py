from . import api_key_wizard, usage_move_wizard, usage_void_wizard

"""The plugin: the one file that ms-swift loads.

    swift sft --custom_register_path swift_plugins/fakexplain_plugin.py --dataset fakexplained ...

Loading it fills ms-swift's registries with the dataset, the chat templates, the rewards, the metric and the callbacks,
and does nothing else. ms-swift may import it from any folder, under another module name, and again if a checkpoint's
args.json names it. So every registration can be repeated, and the package is found beside this file if it is not
installed.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("swift_plugins.fakexplain" if "swift_plugins" in sys.modules else "swift_plugins") is None:
    sys.path.append(str(Path(__file__).resolve().parents[1]))

from swift_plugins.fakexplain.host.callbacks import register_callbacks
from swift_plugins.fakexplain.host.dataset import register_dataset
from swift_plugins.fakexplain.host.metrics import register_metrics
from swift_plugins.fakexplain.host.rewards import register_rewards
from swift_plugins.fakexplain.host.templates import register_templates

register_dataset()
register_templates()
register_rewards()
register_metrics()
register_callbacks()

"""`python -m swift_plugins.fakexplain.cli`: the same as `fakexplain`."""

from . import main

main()

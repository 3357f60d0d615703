"""`python -m swift_plugins.fakexplain.cli`: the same as `fakexplain`."""

from .app import main

main()

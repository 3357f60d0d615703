"""The command line, run as a person runs it."""

import os
import subprocess
import sys

CODE = "import sys; from swift_plugins.fakexplain.cli import main; sys.argv[0] = 'fakexplain'; main()"
COMMAND = (sys.executable, "-c", CODE)


def fakexplain(*args, **env) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | env, check=False)

# shellcheck shell=bash
# fail MESSAGE: say what is wrong, after the recipe's name, and stop it as bad usage.

fail() { echo "${0##*/}: $1" >&2; exit 2; }

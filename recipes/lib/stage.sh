# shellcheck shell=bash
# Stages of a long recipe. Each stage runs once, has its own log and ends when the script ends. Source with OUT set.
#
#   open_run SETTINGS        claim $OUT for this script and these settings
#   stage NAME COMMAND...    run a stage and wait for it
#   begin NAME COMMAND...    start a stage without waiting; `finish` waits for all that were started
#
# A finished stage is not run again. With DRY_RUN set, stages print their commands and nothing is written.

# shellcheck source=recipes/lib/fail.sh
. "${BASH_SOURCE%/*}/fail.sh"

open_run() {
  [[ -z ${DRY_RUN:-} ]] || return 0
  mkdir -p "$OUT/logs"
  # The kernel drops this lock with the last process that holds it, however that ends. Stages hold it too.
  exec 9> "$OUT/lock"
  flock --nonblock 9 || fail "$OUT is in use by another run: wait until it ends, or choose another OUT"
  [[ ! -e $OUT/settings || $(<"$OUT/settings") == "$1" ]] ||
    fail "$OUT holds a run with other settings ($(<"$OUT/settings")): remove it, or choose another OUT"
  echo "$1" > "$OUT/settings"
}

begin() {
  local name=$1
  shift
  if [[ -n ${DRY_RUN:-} ]]; then
    printf '%s\n' "${*@Q}"
  elif [[ -e $OUT/logs/$name.done ]]; then
    echo "$name: done before"
  else
    _run "$name" "$@" &
    _names+=("$name") _jobs+=("$!")
  fi
}

finish() {
  local i
  for i in "${!_jobs[@]}"; do
    [[ ! -t 1 ]] || _watch "${_names[i]}" "${_jobs[i]}"
    wait "${_jobs[i]}" || {
      tail -n 25 "$OUT/logs/${_names[i]}.log" >&2
      echo "${_names[i]} failed; its whole output is in $OUT/logs/${_names[i]}.log" >&2
      exit 1
    }
  done
  _names=() _jobs=()
}

stage() {
  begin "$@"
  finish
}

_names=() _jobs=()
_clear=''
[[ ! -t 1 ]] || _clear=$'\r\e[K'

_run() { # NAME COMMAND...
  local name=$1 start=$SECONDS
  shift
  "$@" > "$OUT/logs/$name.log" 2>&1 || exit 1
  touch "$OUT/logs/$name.done"
  echo "$_clear$name: $((SECONDS - start)) s"
}

_watch() { # NAME JOB: on a terminal, show the last line of the log while the job runs
  local start=$SECONDS
  while kill -0 "$2" 2> /dev/null; do
    printf '%s%s: %d s  %.90s' "$_clear" "$1" $((SECONDS - start)) \
      "$(tail -c 400 "$OUT/logs/$1.log" 2> /dev/null | tr '\r' '\n' | grep . | tail -n 1)"
    sleep 1
  done
  printf '%s' "$_clear"
}

# Each stage is a process group, because swift starts further processes.
set -m
_end_stages() {
  local job
  for job in $(jobs -p); do kill -- "-$job" 2> /dev/null || true; done
}
trap _end_stages EXIT
trap 'echo "${0##*/}: interrupted; run it again to continue with the unfinished stage" >&2; exit 130' INT TERM

# Checks, for the tests of the lab. Each prints one line; the suite counts them.
# shellcheck shell=bash
set -u

ok()  { echo "ok - $*"; }
bad() { echo "not ok - $*"; }

# check TEXT GOT WANTED
check() {
  if [ "$2" = "$3" ]; then ok "$1"; return; fi
  bad "$1"
  # Of two long texts the difference says more than both.
  if [ "$(wc -l <<<"$2$3")" -gt 8 ] && [ -n "$2" ] && [ -n "$3" ]; then diff <(echo "$3") <(echo "$2") | head -20 | sed 's/^/    /'
  else printf 'got:    %s\nwanted: %s\n' "${2//$'\n'/$'\n        '}" "${3//$'\n'/$'\n        '}" | head -25 | sed 's/^/    /'; fi
}
# check_has TEXT GOT EXTENDED-REGEX, matched line by line
check_has() {
  if grep -qE -- "$3" <<<"$2"; then ok "$1"; else bad "$1"; printf '    no line matches: %s\n' "$3"; sed 's/^/    | /' <<<"$2"; fi
}
check_not() {
  if grep -qE -- "$3" <<<"$2"; then bad "$1"; printf '    a line matches: %s\n' "$3"; grep -E -- "$3" <<<"$2" | sed 's/^/    | /'; else ok "$1"; fi
}
# check_run TEXT COMMAND...: exit code 0; what it said is shown only when it failed
check_run() { check_exit "$1" 0 "${@:2}"; }
# check_exit TEXT CODE COMMAND...
check_exit() {
  local text=$1 wanted=$2 said rc; shift 2
  said=$("$@" 2>&1 </dev/null); rc=$?
  if [ "$rc" = "$wanted" ]; then ok "$text"; else bad "$text"; echo "    exit code $rc, wanted $wanted: $*"; sed 's/^/    | /' <<<"$said"; fi
}

# figure PROMISE PLACE: TEXT...   what was measured about a promise, for tests/reliability
figure() {
  local name=${0##*/} suite=suite
  case $0 in */g/*) suite=guest-suite;; esac
  case $0 in */t/*|*/g/*) name="$suite ${name%.sh}";; esac
  echo "# figure $* [tests/lab/$name]"
}

# until_ SECONDS COMMAND...: wait until the command succeeds, or fail
until_() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.2; done
}
# check_until TEXT SECONDS COMMAND...
check_until() { local text=$1; shift; if until_ "$@"; then ok "$text"; else bad "$text"; echo "    never within $1 s: ${*:2}"; fi; }

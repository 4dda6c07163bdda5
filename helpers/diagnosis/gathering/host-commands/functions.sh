# shellcheck shell=sh disable=SC2154
# What the commands share, beside what the prelude exports: it stands in front of each of them.

# The PID of a unit's process, or nothing where it does not run.
pid_of() { printf '%s' "$processes" | sed -n "s/^$1 //p" | head -1; }

# The value of a flag of a unit; of one that is given twice, the last one.
flag() { printf '%s\n' "$flags" | sed -n "s/^$1 --$2=//p" | tail -1; }

# The first value of a name in a YAML or JSON file that has it on one line.
setting() { sed -n "s/^ *\"\{0,1\}$2\"\{0,1\}: *\"\{0,1\}\([^\",]*\).*/\1/p" "$1" 2>/dev/null | head -1; }

# Asks by HTTP, and answers with a line: the name, curl's exit code, HTTP's code, the address, and curl's words.
asked() {
  name=$1
  shift
  said=$(curl --silent --show-error --output /dev/null --noproxy '*' --globoff --max-time 2 \
    --write-out 'code=%{http_code} ip=%{remote_ip} server=%header{server} ' "$@" 2>&1)
  printf '%s exit=%s %s\n' "$name" "$?" "$(printf '%s' "$said" | tr '\n' ' ')"
}

# shellcheck shell=sh disable=SC2046,SC2086,SC2154
# Of each unit that there is, lines of errors, and after them the last lines as they stand, but for those told already: a secret of several
# lines has to stay in one piece, or the filter does not know it.

for unit in $(systemctl list-unit-files --no-legend $(printf '%s.service ' $units) | cut -d. -f1); do
  title="$unit, the last lines"
  {
    journalctl -u "$unit" --since=-5min -n 300 --no-pager -o cat | grep -E '^[EF][0-9]{4} |[Ee]rror|level=(error|fatal)' | tail -5
    echo "$title"
    journalctl -u "$unit" -n 6 --no-pager -o cat
  } |
    awk -v title="$title" '$0 == title { last = 1; next } last ? !($0 in told) : !told[$0]++' |
    cut -c 1-400 | sed "s/^/$unit: /"
done

#!/bin/sh
# Deploys http-server 0.12.3, then 14.1.1 by canary while requests go on, then goes back; ends with the number of requests that
# failed. Everything it starts is ended and removed. SLUICE names the program where it is not installed: SLUICE="node …/main.ts".
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
home=$work/home
url=http://127.0.0.1:8080/index.html

sluice() {
  # Not quoted: SLUICE may be a program with arguments.
  ${SLUICE:-sluice} "$@" --config "$work/sluice.yaml" --home "$home"
}

choose() {
  ln -sfn "releases/http-server-$1" "$work/release"
}

send_requests() {
  while [ -e "$work/sending" ]; do
    if curl --silent --fail --max-time 10 --output "$work/answer" "$url"; then echo >>"$work/served"; else echo >>"$work/failed"; fi
  done
}

# Instances and proxy are made to outlive everything, this script too; their pids stand in Sluice's home.
clean_up() {
  rm -f "$work/sending"
  wait
  for file in "$home"/proxies/*/*/state.json "$home"/instances/instances/*/record.json; do
    [ -e "$file" ] || continue
    grep -q '"phase": "ended"' "$file" && continue
    pid=$(tr ',{}' '\n\n\n' <"$file" | sed -n 's/^ *"pid": *\([0-9]*\) *$/\1/p' | head -n 1)
    [ -n "$pid" ] && kill "$pid" 2>/dev/null
  done
  chmod -R u+w "$work"
  rm -rf "$work"
}
trap 'clean_up || true' EXIT
trap 'exit 130' INT TERM

"$here/install.sh" "$work/releases"
cp "$here/sluice.yaml" "$work/"

choose 0.12.3
sluice deploy --label 0.12.3

touch "$work/sending" "$work/served" "$work/failed"
send_requests &

choose 14.1.1
sluice deploy --label 14.1.1
sluice status
sluice rollback --reason 'to see it go back'

rm "$work/sending"
wait
echo "$(wc -l <"$work/served") requests were served, $(wc -l <"$work/failed") failed."
[ ! -s "$work/failed" ]

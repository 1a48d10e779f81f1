#!/bin/sh
# Deploys a shop behind an NGINX of its own: a first release, a second by canary, a broken one that goes back by itself, and a rollback;
# requests go on meanwhile. Ends with the number that failed, apart from those that the broken release answered. Everything it starts is ended and removed.
# SLUICE names the program where it is not installed: SLUICE="node …/main.ts"; PORT is where NGINX listens.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
home=$work/home
port=${PORT:-8080}
PATH=$PATH:/usr/sbin

sluice() {
  # Not quoted: SLUICE may be a program with arguments.
  ${SLUICE:-sluice} "$@" --config "$work/sluice.yaml" --home "$home"
}

release() {
  chmod -R u+w "$work/release" 2>/dev/null || true
  rm -rf "$work/release"
  cp -R "$here/shop" "$work/release"
  echo "$1" >"$work/release/version"
}

send_requests() {
  while [ -e "$work/sending" ]; do
    answer=$(curl --silent --max-time 10 "http://127.0.0.1:$port/" || echo none)
    case $answer in
      broken*) echo >>"$work/broken" ;;
      shop*) echo >>"$work/served" ;;
      *) echo "$answer" >>"$work/failed" ;;
    esac
  done
}

clean_up() {
  rm -f "$work/sending"
  wait
  for file in "$home"/instances/instances/*/record.json; do
    [ -e "$file" ] || continue
    grep -q '"phase": "ended"' "$file" && continue
    pid=$(tr ',{}' '\n\n\n' <"$file" | sed -n 's/^ *"pid": *\([0-9]*\) *$/\1/p' | head -n 1)
    [ -n "$pid" ] && kill "$pid" 2>/dev/null
  done
  [ -e "$work/nginx/nginx.pid" ] && nginx -p "$work/nginx" -c "$work/nginx/nginx.conf" -s stop
  chmod -R u+w "$work"
  rm -rf "$work"
}
trap 'clean_up || true' EXIT
trap 'exit 130' INT TERM

# NGINX's workers run as another user, who has to find the tables.
chmod 755 "$work"
mkdir -p "$work/nginx/conf.d"
cp "$here/nginx.conf" "$work/nginx/"
sed -e "s|@WORK@|$work|g" -e "s|@PORT@|$port|g" "$here/sluice.yaml" >"$work/sluice.yaml"
nginx -p "$work/nginx" -c "$work/nginx/nginx.conf"

release 'shop 1'
sluice deploy --label 1

touch "$work/sending" "$work/served" "$work/failed" "$work/broken"
send_requests &

release 'shop 2'
sluice deploy --label 2
release 'broken 3'
sluice deploy --label 3 && exit 1
sluice status
sluice rollback --reason 'to see it go back'

rm "$work/sending"
wait
grep -c 'SIGHUP) received' "$work/nginx/error.log" | sed 's/$/ reloads of NGINX./'
echo "$(wc -l <"$work/served") requests were served, $(wc -l <"$work/broken") by the broken release, $(wc -l <"$work/failed") failed."
[ ! -s "$work/failed" ]

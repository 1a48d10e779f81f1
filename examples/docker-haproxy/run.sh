#!/bin/sh
# Puts a service in containers behind a HAProxy in a container, deploys a second version by canary while requests go on, goes back,
# and ends with the number of requests that failed. Everything it starts is ended and removed. SLUICE names the program where it is
# not installed: SLUICE="node …/main.ts". NODE_IMAGE and HAPROXY_IMAGE name other images, PORT and FEED_PORT other ports.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
name=${NAME:-sluice-example-lb}
port=${PORT:-8080}
url=http://127.0.0.1:$port/

sluice() {
  # Not quoted: SLUICE may be a program with arguments.
  ${SLUICE:-sluice} "$@" --config "$work/sluice.yaml" --home "$work/home"
}

# The configuration that deploys this version.
choose() {
  sed -e "s/VERSION/$1/" -e "s/NAME/$name/" -e "s/PORT/$port/" -e "s/FEED/${FEED_PORT:-5140}/" "$here/sluice.yaml" >"$work/sluice.yaml"
}

send_requests() {
  while [ -e "$work/sending" ]; do
    if curl --silent --fail --max-time 10 --output "$work/answer" "$url"; then echo >>"$work/served"; else echo >>"$work/failed"; fi
  done
}

clean_up() {
  rm -f "$work/sending"
  wait
  docker rm --force --volumes $(docker ps --all --quiet --filter "label=sluice.example=$name") "$name" >/dev/null
  chmod -R u+w "$work"
  rm -rf "$work"
}
trap 'clean_up || true' EXIT
trap 'exit 130' INT TERM

for version in 1.0 2.0; do
  docker build --quiet --build-arg "VERSION=$version" ${NODE_IMAGE:+--build-arg "NODE_IMAGE=$NODE_IMAGE"} \
    --tag "sluice-example/shop:$version" "$here/image"
done

# Sluice's directory is empty at first; HAProxy loads it with a second -f.
mkdir -p "$work/lb/sluice"
cp "$here/haproxy.cfg" "$work/lb/"
docker run --detach --name "$name" --network host --user "$(id -u):$(id -g)" --volume "$work/lb:/lb" \
  "${HAPROXY_IMAGE:-haproxy:2.6}" haproxy -W -db -f /lb/haproxy.cfg -f /lb/sluice
until [ -S "$work/lb/admin.sock" ]; do sleep 0.1; done

choose 1.0
sluice deploy --label 1.0

touch "$work/sending" "$work/served" "$work/failed"
send_requests &

choose 2.0
sluice deploy --label 2.0
sluice status
sluice rollback --reason 'to see it go back'

rm "$work/sending"
wait
echo "$(wc -l <"$work/served") requests were served, $(wc -l <"$work/failed") failed."
[ ! -s "$work/failed" ]

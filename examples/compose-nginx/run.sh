#!/bin/sh
# Starts a Compose project, puts its service under Sluice while requests go on, deploys another version by canary, goes back, deploys it
# again blue-green, and ends with the number of requests that failed and of objects that were lost. Everything it starts is ended and
# removed. SLUICE names the program where it is not installed: SLUICE="node …/main.ts"; COMPOSE another program than `docker compose`.
# OLD_IMAGE and NEW_IMAGE name the versions, POSTGRES_IMAGE, REDIS_IMAGE and NGINX_IMAGE the rest; PORT is where NGINX is reached,
# OBSERVE how long the blue-green deployment looks on behind the switch.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
port=${PORT:-8080}
old=${OLD_IMAGE:-parseplatform/parse-server:8.2.1}
new=${NEW_IMAGE:-parseplatform/parse-server:8.2.5}
project=${PROJECT:-sluice-example}
objects=http://127.0.0.1:$port/parse/classes/Order

sluice() {
  # Not quoted: SLUICE may be a program with arguments.
  ${SLUICE:-sluice} "$@" --config "$work/sluice.yaml" --home "$work/home"
}

compose() {
  (cd "$work" && ${COMPOSE:-docker compose} "$@")
}

# What Compose reads beside its file. Sluice reads it too, and stores no value of it.
choose() {
  cat >"$work/.env" <<VALUES
COMPOSE_PROJECT_NAME=$project
API_IMAGE=$1
POSTGRES_IMAGE=${POSTGRES_IMAGE:-postgres:15}
REDIS_IMAGE=${REDIS_IMAGE:-redis:7}
NGINX_IMAGE=${NGINX_IMAGE:-nginx:1.28}
DB_PASSWORD=not-a-secret
MASTER_KEY=neither
PORT=$port
VALUES
}

ask() {
  curl --silent --fail --max-time 20 --header 'X-Parse-Application-Id: example' "$@"
}

# Writes an object and reads it again, over and over.
send_requests() {
  while [ -e "$work/sending" ]; do
    if ask --header 'Content-Type: application/json' --data '{"paid":true}' --output "$work/written.$1" "$objects"; then
      echo >>"$work/stored.$1"
      id=$(sed 's/.*"objectId":"\([^"]*\)".*/\1/' "$work/written.$1")
      ask --output /dev/null "$objects/$id" || echo "read $id" >>"$work/failed.$1"
    else
      echo "write" >>"$work/failed.$1"
    fi
    # Requests at every moment, and a machine that has time for something else.
    sleep 0.05
  done
}

clean_up() {
  rm -f "$work/sending"
  wait
  docker ps --all --quiet --filter "label=com.example.project=$project" | xargs -r docker rm --force --volumes
  compose down --volumes --timeout 2 --remove-orphans
  rm -rf "$work"
}
trap 'clean_up >/dev/null 2>&1 || true' EXIT
trap 'exit 130' INT TERM

# NGINX's workers run as another user, who has to find Sluice's tables.
mkdir "$work/nginx"
chmod 755 "$work" "$work/nginx"
cp "$here/docker-compose.yml" "$work/"
cp "$here/nginx/default.conf" "$work/nginx/"

choose "$old"
compose up -d
tries=0
until ask --output /dev/null "http://127.0.0.1:$port/parse/health"; do
  tries=$((tries + 1))
  if [ "$tries" -gt 240 ]; then
    compose logs --tail 20 >&2
    exit 1
  fi
  sleep 0.5
done

edge=$(docker inspect --format '{{slice .Name 1}}' "$(compose ps -q edge)")
gateway=$(docker network inspect --format '{{(index .IPAM.Config 0).Gateway}}' "${project}_default")
sed -e "s/@EDGE@/$edge/" -e "s/@PORT@/$port/" -e "s/@GATEWAY@/$gateway/" -e "s/@PROJECT@/$project/" \
  "$here/sluice.yaml" >"$work/sluice.yaml"

touch "$work/sending"
for sender in 1 2; do
  touch "$work/stored.$sender" "$work/failed.$sender"
  send_requests "$sender" &
done

sluice adopt --dry-run
sluice adopt --yes --label "$old"

choose "$new"
sluice deploy --label "$new"
sluice rollback --reason 'to see it go back'
sed -i '/^strategy:/,$d' "$work/sluice.yaml"
echo "strategy: { blue-green: { observe: ${OBSERVE:-30s} } }" >>"$work/sluice.yaml"
sluice deploy --label "$new"
sluice status

rm "$work/sending"
wait
stored=$(cat "$work"/stored.* | wc -l)
found=$(ask "$objects?count=1&limit=0" | sed 's/.*"count":\([0-9]*\).*/\1/')
echo "$stored objects were stored, $((stored - found)) of them lost; $(cat "$work"/failed.* | wc -l) requests failed."
cat "$work"/failed.*
[ "$stored" -gt 0 ] && [ "$stored" -eq "$found" ] && [ ! -s "$work/failed.1" ] && [ -z "$(cat "$work"/failed.*)" ]

#!/bin/sh
# Installs two published versions of http-server, each as a release of its own: `install.sh DIRECTORY` makes
# DIRECTORY/http-server-0.12.3 and DIRECTORY/http-server-14.1.1.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
target=$(cd "$1" && pwd)

for version in 0.12.3 14.1.1; do
  release=$target/http-server-$version
  mkdir -p "$release"
  # Somewhere else than in a project, so that nothing is installed into that.
  (cd "$release" && npm install --prefix "$release" --no-audit --no-fund --ignore-scripts --loglevel=error "http-server@$version")
  cp -R "$here/public" "$release/"
done

#!/bin/bash
# Starts mongod with access control: it insists on a key file that its own user alone can read, in its own alphabet.
set -eu
umask 077
tr -- '-_' '+/' <<< "$MONGO_PASSWORD_KEYFILE" > /tmp/keyfile
unset MONGO_PASSWORD_KEYFILE MONGO_PASSWORD_ROOT
exec docker-entrypoint.sh mongod --auth --keyFile /tmp/keyfile "$@"

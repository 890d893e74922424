#!/bin/sh
# Prints redis-users.acl, for Redis' `aclfile`, with NAMESPACE before every key and channel, and with the
# digests of GATEWAY_PASSWORD, WORKER_PASSWORD, OPERATOR_PASSWORD and OBSERVER_PASSWORD. All come from the
# environment. A user whose password is not set has none, and cannot come in.
set -eu

command -v sha256sum >/dev/null || sha256sum() { shasum -a 256; }

password_of() { # user, password
  [ -z "$2" ] || printf 's/^user %s on/& #%.64s/;' "$1" "$(printf %s "$2" | sha256sum)"
}

sed -E "s/[~&]/&${NAMESPACE:+$NAMESPACE:}/g;
  $(password_of gateway "${GATEWAY_PASSWORD:-}")
  $(password_of worker "${WORKER_PASSWORD:-}")
  $(password_of operator "${OPERATOR_PASSWORD:-}")
  $(password_of observer "${OBSERVER_PASSWORD:-}")" "$(dirname "$0")/redis-users.acl"

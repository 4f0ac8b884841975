#!/bin/bash
# Installs the mail programs that test/interop runs, on Debian or Ubuntu, as root, asking nothing.
#
# Postfix and the clients come from their packages as usual. Debian allows one mail server at a
# time, so Sendmail is only unpacked, into the cache folder: it runs from there with a
# configuration of its own. No service is started. Running this twice does no harm.
#
#   bash test/interop/install.sh [CACHE]     default: $POSTERN_INTEROP_CACHE, else a folder in $TMPDIR
set -euo pipefail

cache=${1:-${POSTERN_INTEROP_CACHE:-${TMPDIR:-/tmp}/postern-interop}}
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d

main() {
  command -v apt-get >/dev/null || stop 'needs apt-get; on other systems install the programs by hand (test/interop/README.md)'
  [ "$(id -u)" = 0 ] || stop 'must run as root, since it installs packages'
  mkdir -p "$cache"

  retry apt_get update
  forbid_services
  retry apt_get install --yes --no-upgrade --no-install-recommends \
    curl m4 msmtp mutt openssl postfix procps python3 s-nail swaks \
    libio-socket-ssl-perl libnet-ssleay-perl \
    default-jdk-headless libmail-java gnutls-bin libnss3-tools testssl.sh
  unpack_sendmail
}

# Sendmail's libraries are installed, Sendmail itself is not.
unpack_sendmail() {
  local libraries
  libraries=$(apt-cache depends --important sendmail-bin | sed -n 's/^ *Depends: \(lib[^<]*\)$/\1/p')
  # shellcheck disable=SC2086 # one word for each package
  retry apt_get install --yes --no-upgrade --no-install-recommends $libraries

  [ -x "$cache/sendmail/usr/libexec/sendmail/sendmail" ] && return
  local packages
  packages=$(mktemp -d)
  # apt downloads as a user of its own, who must be able to write here.
  chown _apt "$packages"
  (cd "$packages" && retry apt_get download sendmail-base sendmail-bin sendmail-cf)
  rm -rf "$cache/sendmail.new" "$cache/sendmail"
  for package in "$packages"/*.deb; do dpkg-deb -x "$package" "$cache/sendmail.new"; done
  mv "$cache/sendmail.new" "$cache/sendmail"
  rm -r "$packages"
}

# A package's service must not start here: the tests start their own instances.
forbid_services() {
  [ -e "$policy" ] && return
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
}

apt_get() {
  apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null
}

# Mirrors fail now and then; three tries with a pause in between.
retry() {
  local attempt
  for attempt in 1 2 3; do
    "$@" && return
    echo "install.sh: '$*' failed (attempt $attempt of 3)" >&2
    sleep $((attempt * 5))
  done
  stop "'$*' failed three times"
}

stop() {
  echo "install.sh: $1" >&2
  exit 1
}

main

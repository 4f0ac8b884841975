#!/bin/bash
# Installs the mail programs that test/interop runs, on Debian or Ubuntu, as root, asking nothing.
#
# Postfix and the clients come from their packages as usual. Debian allows one mail server at a
# time, so Sendmail and Exim are only unpacked, into the cache folder, and so is HAProxy: they run
# from there with configurations of their own. No service is started. Running this twice does no harm.
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
    curl gsasl iproute2 m4 msmtp mutt openssl postfix procps python3 s-nail swaks \
    libio-socket-ssl-perl libnet-ssleay-perl \
    default-jdk-headless libmail-java gnutls-bin libnss3-tools testssl.sh
  unpack sendmail usr/libexec/sendmail/sendmail sendmail-base sendmail-bin sendmail-cf
  unpack exim usr/sbin/exim4 exim4-base exim4-daemon-light
  unpack haproxy usr/sbin/haproxy haproxy
  # Exim does not start without the account that Debian built it for.
  id Debian-exim >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin Debian-exim
}

# unpack NAME PROGRAM PACKAGE…: a server to run from the cache. Its libraries are installed.
unpack() {
  local name=$1 program=$2 libraries packages
  shift 2
  libraries=$(apt-cache depends --important "$@" | sed -n 's/^ *Depends: \(lib[^<]*\)$/\1/p' | sort -u)
  # shellcheck disable=SC2086 # one word for each package
  retry apt_get install --yes --no-upgrade --no-install-recommends $libraries

  [ -x "$cache/$name/$program" ] && return
  packages=$(mktemp -d)
  # apt downloads as a user of its own, who must be able to write here.
  chown _apt "$packages"
  (cd "$packages" && retry apt_get download "$@")
  rm -rf "$cache/$name.new" "${cache:?}/$name"
  for package in "$packages"/*.deb; do dpkg-deb -x "$package" "$cache/$name.new"; done
  mv "$cache/$name.new" "$cache/$name"
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

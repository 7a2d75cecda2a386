#!/bin/bash
# fetch-chromium.sh FOLDER: Debian's Chromium in FOLDER, with the libraries that this machine lacks, and a font.
#
# Nothing is installed and no step needs root. The packages come from the mirrors that this machine's apt is set up with,
# checked against the keys that apt trusts. Leaves FOLDER/chromium, which may be moved with its folder.
# Several processes may ask at once: one works, the others wait for it. 115 MB are downloaded, 420 MB are left.
# Ends with 69 where that cannot be done at all: this is no Debian machine.
set -euo pipefail
fail() { echo "fetch-chromium.sh: $*" >&2; exit 1; }
unavailable() { echo "fetch-chromium.sh: $*" >&2; exit 69; }

[ $# -eq 1 ] || fail 'usage: fetch-chromium.sh FOLDER'
for tool in apt-get dpkg-deb flock; do
  command -v "$tool" >/dev/null || unavailable "$tool is not on the PATH: this is not a Debian machine"
done
mkdir -p "$(dirname "$1")"
FOLDER=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")

exec 9>"$FOLDER.lock"
flock 9
[ ! -x "$FOLDER/chromium" ] || exit 0

WORK=$(mktemp -d)
NEW=$FOLDER.new # Ours alone as long as we hold the lock; a remainder is from a process that was killed.
trap 'rm -rf "$WORK" "$NEW"' EXIT
rm -rf "$NEW"
mkdir -p "$NEW" "$WORK"/lists/partial "$WORK"/cache/archives/partial
APT=(-o "Dir::State::Lists=$WORK/lists" -o "Dir::Cache=$WORK/cache" -o "APT::Sandbox::User=$(id -un)"
  -o Debug::NoLocking=true -o Acquire::Retries=3 -qq)
apt-get "${APT[@]}" update
# What is installed here already, the C library above all, is not fetched: the browser runs with that of the machine.
apt-get "${APT[@]}" install -y --no-install-recommends --download-only chromium fonts-liberation
for package in "$WORK"/cache/archives/*.deb; do dpkg-deb -x "$package" "$NEW"; done
[ -x "$NEW/usr/lib/chromium/chromium" ] || fail "the package chromium has no /usr/lib/chromium/chromium (is it for a snap?)"

# The fonts that came with it, and those of the machine.
cat >"$NEW/fonts.conf" <<'CONFIG'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias><family>sans</family><prefer><family>Liberation Sans</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>Liberation Sans</family></prefer></alias>
</fontconfig>
CONFIG
LIBRARIES=$(cd "$NEW" && find . -path '*-linux-gnu/*' -name '*.so*' -printf '%P\n' | xargs -n1 dirname | sort -u | sed 's#^#$here/#' | paste -sd:)
cat >"$NEW/chromium" <<WRAPPER
#!/bin/sh
here=\$(cd "\${0%/*}" && pwd)
export LD_LIBRARY_PATH="$LIBRARIES" FONTCONFIG_FILE="\$here/fonts.conf"
exec "\$here/usr/lib/chromium/chromium" "\$@"
WRAPPER
chmod +x "$NEW/chromium"
"$NEW/chromium" --version

rm -rf "$FOLDER"
mv -T "$NEW" "$FOLDER"

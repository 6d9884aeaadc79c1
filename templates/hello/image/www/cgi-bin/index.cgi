#!/bin/sh
# The page of templates/hello. busybox httpd runs it, in its own folder, for `/`: HTML for who accepts it, plain text for
# the rest (curl).

facts() {
  fact Container hostname "$(hostname)"
  fact Container 'PID 1' "$(tr '\0' ' ' </proc/1/cmdline | sed 's/ $//')"
  fact Container processes "$(printf '%s\n' /proc/[0-9]* | wc -l)"
  fact Container 'root file system' "$(awk '$2 == "/" { print $3 }' /proc/mounts | tail -n 1)"
  fact Guest 'boot id' "$(cat /proc/sys/kernel/random/boot_id)"
  fact Guest memory "$(awk '/^MemTotal/ { printf "%d MiB", $2 / 1024 }' /proc/meminfo)"
  fact Guest processors "$(grep -c ^processor /proc/cpuinfo)"
  fact Guest uptime "$(awk '{ printf "%d s", $1 }' /proc/uptime)"
  fact Kernel release "$(uname -r)"
  fact Kernel version "$(uname -v)"
}

plain() {
  printf 'Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n\r\n'
  printf 'Hello from nest\n'
  fact() {
    [ "$1" = "$section" ] || printf '\n%s\n' "$1"
    section=$1
    printf '  %-18s%s\n' "$2" "$3"
  }
  section=
  facts
}

html() {
  printf 'Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\r\n'
  cat ../head.html
  fact() {
    if [ "$1" != "$section" ]; then
      [ -z "$section" ] || printf '</dl></section>\n'
      printf '<section><h2>%s</h2><dl>\n' "$(escaped "$1")"
    fi
    section=$1
    printf '<dt>%s</dt><dd>%s</dd>\n' "$(escaped "$2")" "$(escaped "$3")"
  }
  section=
  facts
  printf '</dl></section>\n</main>\n</html>\n'
}

escaped() {
  printf '%s' "$1" | sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g'
}

case $HTTP_ACCEPT in
  *text/html*) html ;;
  *) plain ;;
esac

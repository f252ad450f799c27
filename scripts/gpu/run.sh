#!/bin/sh
# Usage: run.sh [--out DIR] [--budget SECONDS] [--device cuda|cpu] [--only PART,...] [--python FILE]
# Unpacks the archive beside this file and runs its parts. README.md in this folder's source describes them.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
archive=$here/dualanodiff-gpu.tar.xz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ ! -f "$archive" ]; then
  # It may have been split to fit a limit of size.
  cat "$archive".?? > "$work/archive.tar.xz"
  archive=$work/archive.tar.xz
fi
if command -v xz > /dev/null && command -v tar > /dev/null; then
  tar -xJf "$archive" -C "$work"
else
  python3 -m tarfile -e "$archive" "$work"
fi
status=0
"$work/dualanodiff-gpu/bin/node" "$work/dualanodiff-gpu/run.mjs" "$@" || status=$?
exit $status

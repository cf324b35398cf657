#!/bin/sh
# Fuzzes the demuxer for SECONDS (default 60): native/fuzz/run.sh [SECONDS] [libFuzzer options]
# New inputs go to build/fuzz/corpus; those that broke something to build/fuzz.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
mkdir -p build/fuzz/corpus
target=build/fuzz/demux_fuzz
newer=$(find native -name '*.cc' -newer "$target" -o -name '*.h' -newer "$target" 2>/dev/null || echo absent)
if [ ! -x "$target" ] || [ -n "$newer" ]; then
  clang++ -std=c++17 -g -O1 -fno-rtti -ffp-contract=off -Wall -Wextra -Werror \
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
    native/fuzz/demux_fuzz.cc native/accounting.cc native/engine.cc native/gop.cc \
    native/media_tag.cc native/publication.cc native/rtmp_demux.cc native/video_tag.cc \
    -o "$target.new"
  mv "$target.new" "$target"
fi
# A message may declare 8 MiB; nothing may allocate it before it has arrived.
exec "$target" -max_total_time="$seconds" -max_len=8192 -malloc_limit_mb=4 -rss_limit_mb=1024 \
  -timeout=10 -print_final_stats=1 -artifact_prefix=build/fuzz/ "$@" \
  build/fuzz/corpus native/fuzz/corpus

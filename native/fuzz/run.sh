#!/bin/sh
# Fuzzes a target for SECONDS (default 60): native/fuzz/run.sh TARGET [SECONDS] [libFuzzer options]
# New inputs go to build/fuzz/corpus/TARGET; those that broke something to build/fuzz.
set -eu
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || { echo "usage: $0 demux|ts|ts_flv|stream_id [SECONDS] [libFuzzer options]" >&2; exit 2; }
name=$1
seconds=${2:-60}
shift
[ $# -gt 0 ] && shift
length_max=8192
case $name in
  demux)
    sources="accounting engine gop media_tag publication rtmp_demux video_tag" ;;
  ts)
    sources="accounting sps ts_filter ts_meter ts_outlet ts_psi ts_publication ts_video_unit" ;;
  ts_flv)
    sources="adts avc_unit sps ts_flv ts_psi" ;;
  stream_id)
    sources="srt_address srt_door srt_door_tables srt_stream_id"
    length_max=600 ;;
  *)
    echo "$0: there is no target $name" >&2
    exit 2 ;;
esac
corpus=build/fuzz/corpus/$name
seeds=native/fuzz/corpus/$name
mkdir -p "$corpus" "$seeds"
target=build/fuzz/${name}_fuzz
newer=$(find native -name '*.cc' -newer "$target" -o -name '*.h' -newer "$target" 2>/dev/null || echo absent)
if [ ! -x "$target" ] || [ -n "$newer" ]; then
  files=native/fuzz/${name}_fuzz.cc
  for source in $sources; do files="$files native/$source.cc"; done
  # shellcheck disable=SC2086 # a list of files
  clang++ -std=c++17 -g -O1 -fno-rtti -ffp-contract=off -Wall -Wextra -Werror \
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
    -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION $files -o "$target.new"
  mv "$target.new" "$target"
fi
# A message may declare 8 MiB; nothing may allocate it before it has arrived.
exec "$target" -max_total_time="$seconds" -max_len="$length_max" -malloc_limit_mb=4 \
  -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 -artifact_prefix=build/fuzz/ "$@" \
  "$corpus" "$seeds"

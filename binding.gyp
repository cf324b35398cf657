{
  "target_defaults": {
    "include_dirs": ["<!@(node -p \"require('node-addon-api').include\")"],
    "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS"],
    # Contracted multiply-adds would make the arithmetic differ from its TypeScript twin.
    "cflags_cc": [
      "-std=c++17", "-O2", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden",
      "-ffp-contract=off", "-Wall", "-Wextra", "-Wno-unused-parameter"
    ],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fexceptions"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
      "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
      "OTHER_CPLUSPLUSFLAGS": ["-ffp-contract=off"]
    }
  },
  "targets": [
    {
      "target_name": "headgate",
      "sources": [
        "native/addon.cc",
        "native/accounting.cc",
        "native/accounting_napi.cc",
        "native/adts.cc",
        "native/avc_unit.cc",
        "native/engine.cc",
        "native/engine_napi.cc",
        "native/gop.cc",
        "native/media_tag.cc",
        "native/publication.cc",
        "native/rtmp_demux.cc",
        "native/socket_napi.cc",
        "native/sps.cc",
        "native/srt_address.cc",
        "native/srt_door.cc",
        "native/srt_door_napi.cc",
        "native/srt_door_tables.cc",
        "native/srt_stream_id.cc",
        "native/srt_stream_id_napi.cc",
        "native/ts_flv.cc",
        "native/ts_flv_napi.cc",
        "native/ts_psi.cc",
        "native/video_tag.cc"
      ]
    },
    # Loaded by itself, and only where SRT is configured: a machine without libsrt loads the other.
    {
      "target_name": "headgate_srt",
      "sources": ["native/srt_addon.cc"],
      "variables": {
        "has_srt%": "<!(pkg-config --exists 'srt >= 1.5.0' && echo 1 || echo 0)"
      },
      "conditions": [
        ["has_srt==1", {
          "defines": ["HEADGATE_WITH_SRT"],
          "sources": [
            "native/accounting.cc",
            "native/sps.cc",
            "native/srt_address.cc",
            "native/srt_door.cc",
            "native/srt_door_napi.cc",
            "native/srt_door_tables.cc",
            "native/srt_event_napi.cc",
            "native/srt_filter.cc",
            "native/srt_handshakes.cc",
            "native/srt_library.cc",
            "native/srt_listener.cc",
            "native/srt_napi.cc",
            "native/srt_rounds.cc",
            "native/srt_socket.cc",
            "native/srt_stream_id.cc",
            "native/ts_filter.cc",
            "native/ts_meter.cc",
            "native/ts_outlet.cc",
            "native/ts_psi.cc",
            "native/ts_publication.cc",
            "native/ts_video_unit.cc"
          ],
          "cflags_cc": ["<!@(pkg-config --cflags srt)"],
          "libraries": ["<!@(pkg-config --libs srt)"],
          # libsrt's threads outlive a worker that loaded it: it must stay where it is.
          "conditions": [["OS=='linux'", {"ldflags": ["-Wl,-z,nodelete"]}]],
          "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<!@(pkg-config --cflags srt)"]}
        }]
      ]
    }
  ]
}

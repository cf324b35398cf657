{
  "targets": [
    {
      "target_name": "headgate",
      "sources": [
        "native/addon.cc",
        "native/accounting.cc",
        "native/accounting_napi.cc",
        "native/engine.cc",
        "native/engine_napi.cc",
        "native/gop.cc",
        "native/media_tag.cc",
        "native/publication.cc",
        "native/rtmp_demux.cc",
        "native/socket_napi.cc",
        "native/video_tag.cc"
      ],
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
    }
  ]
}

#include "srt_event_napi.h"

namespace headgate {

namespace {

constexpr const char* kHow[] = {"peer", "timeout", "broken", "local"};

// Of syslog, which libsrt uses.
constexpr int kWarning = 4;
constexpr int kDebug = 7;

const char* level_of(int level) {
  if (level < kWarning) return "error";
  if (level == kWarning) return "warn";
  return level < kDebug ? "info" : "debug";
}

class EventObject {
 public:
  EventObject(napi_env env, const char* type) : env_(env) {
    napi_create_object(env, &object_);
    text("type", type);
  }

  void text(const char* name, const std::string& value) {
    napi_value out;
    napi_create_string_utf8(env_, value.data(), value.size(), &out);
    napi_set_named_property(env_, object_, name, out);
  }

  void number(const char* name, double value) {
    napi_value out;
    napi_create_double(env_, value, &out);
    napi_set_named_property(env_, object_, name, out);
  }

  void truth(const char* name, bool value) {
    napi_value out;
    napi_get_boolean(env_, value, &out);
    napi_set_named_property(env_, object_, name, out);
  }

  napi_value object() const { return object_; }

 private:
  const napi_env env_;
  napi_value object_ = nullptr;
};

napi_value accepted(napi_env env, const SrtEvent& event) {
  EventObject out(env, "accepted");
  out.number("id", event.id);
  out.text("ip", event.ip);
  out.number("port", event.port);
  out.truth("play", event.play);
  out.truth("modeGiven", event.mode_given);
  out.text("app", event.app);
  out.text("name", event.name);
  out.text("key", event.key);
  out.truth("encrypted", event.encrypted);
  return out.object();
}

napi_value refused(napi_env env, const SrtEvent& event) {
  const bool understood = event.stream_id_error == StreamIdError::none;
  EventObject out(env, "refused");
  out.text("ip", event.ip);
  out.number("port", event.port);
  out.number("cause", event.cause);
  out.number("version", static_cast<double>(event.version));
  out.number("code", event.code);
  out.truth("play", event.play);
  out.text("path", event.path);
  out.text("client", event.client);
  out.text("streamIdError", understood ? "" : stream_id_error_name(event.stream_id_error));
  out.number("count", event.count);
  return out.object();
}

napi_value object_of(napi_env env, const SrtEvent& event) {
  switch (event.type) {
    case SrtEventType::accepted:
      return accepted(env, event);
    case SrtEventType::refused:
      return refused(env, event);
    case SrtEventType::closed: {
      EventObject out(env, "closed");
      out.number("id", event.id);
      out.text("how", kHow[static_cast<size_t>(event.how)]);
      return out.object();
    }
    case SrtEventType::log: {
      EventObject out(env, "log");
      out.text("level", level_of(event.level));
      out.text("text", event.text);
      return out.object();
    }
    case SrtEventType::lost:
      break;
  }
  EventObject out(env, "lost");
  out.number("events", static_cast<double>(event.events_lost));
  out.number("mediaBytes", static_cast<double>(event.media_bytes_lost));
  return out.object();
}

}  // namespace

napi_value events_to_javascript(napi_env env, const std::vector<SrtEvent>& events) {
  napi_value array;
  napi_create_array_with_length(env, events.size(), &array);
  uint32_t index = 0;
  for (const SrtEvent& event : events) {
    // Thousands of events in a batch are thousands of handles otherwise.
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    napi_set_element(env, array, index++, object_of(env, event));
    napi_close_handle_scope(env, scope);
  }
  return array;
}

}  // namespace headgate

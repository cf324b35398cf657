// What callers write into a stream id, and what is made of it.
#include "../srt_stream_id.h"

#include <string>

#include "check.h"

namespace headgate::test {
namespace {

StreamIdError parse(const std::string& text, StreamId& out) {
  // A copy without an end mark: AddressSanitizer then sees a read past it.
  std::vector<char> bytes(text.begin(), text.end());
  return parse_stream_id(bytes.data(), bytes.size(), out);
}

void expect(const std::string& text, const char* app, const char* name, const char* key, bool play,
            bool mode_given, int line) {
  StreamId id;
  const StreamIdError error = parse(text, id);
  const bool same = error == StreamIdError::none && id.app == app && id.name == name && id.key == key &&
                    id.play == play && id.mode_given == mode_given;
  if (report(same, __FILE__, line, text.c_str())) return;
  std::cerr << "  " << stream_id_error_name(error) << " app=" << id.app << " name=" << id.name
            << " key=" << id.key << " play=" << id.play << " mode_given=" << id.mode_given << "\n";
}

void expect_error(const std::string& text, StreamIdError wanted, int line) {
  StreamId id;
  id.name = id.key = "left over";
  const StreamIdError error = parse(text, id);
  const bool same = error == wanted && id.app.empty() && id.name.empty() && id.key.empty() && !id.play;
  if (!report(same, __FILE__, line, text.c_str())) std::cerr << "  " << stream_id_error_name(error) << "\n";
}

#define PUBLISH(text, app, name, key, given) expect(text, app, name, key, false, given, __LINE__)
#define PLAY(text, app, name, given) expect(text, app, name, "", true, given, __LINE__)
#define REFUSED(text, error) expect_error(text, StreamIdError::error, __LINE__)

TEST(stream_id_of_the_standard) {
  PUBLISH("#!::r=live/cam1,m=publish", "live", "cam1", "", true);
  PUBLISH("#!::m=publish,r=live/cam1", "live", "cam1", "", true);
  PUBLISH("#!::r=/live/cam1,m=publish", "live", "cam1", "", true);
  PUBLISH("#!::r=cam1,m=publish", "live", "cam1", "", true);
  PUBLISH("#!::r=live/cam1,m=publish,s=k-alice-1,u=alice,h=example.com,t=stream", "live", "cam1",
          "k-alice-1", true);
  PUBLISH("#!::r=live/cam1?key=k-alice-1,m=publish", "live", "cam1", "k-alice-1", true);
  PUBLISH("#!::r=live/cam1,m=publish,bmd_uuid=1234,bmd_name=Studio 1", "live", "cam1", "", true);
  PUBLISH("#!::r=live/cam1,m=publish,", "live", "cam1", "", true);
  PLAY("#!::r=live/cam1,m=request", "live", "cam1", true);
  // The standard's own default.
  PLAY("#!::r=live/cam1", "live", "cam1", false);
  PLAY("#!::r=live/cam1,m=", "live", "cam1", false);
}

TEST(stream_id_of_the_standard_that_cannot_be_used) {
  REFUSED("#!::", no_resource);
  REFUSED("#!::m=publish", no_resource);
  REFUSED("#!::r=,m=publish", bad_path);
  REFUSED("#!::r=live/cam1,m", bad_pair);
  REFUSED("#!::r=live/cam1,=publish", bad_pair);
  REFUSED("#!::r=live/cam1,,m=publish", bad_pair);
  REFUSED("#!::r=live/cam1,r=live/cam2,m=publish", repeated_pair);
  REFUSED("#!::r=live/cam1,m=publish,m=request", repeated_pair);
  REFUSED("#!::r=live/cam1?key=a,s=a,m=publish", repeated_pair);
  REFUSED("#!::r=live/cam1,m=bidirectional", bidirectional);
  REFUSED("#!::r=live/cam1,m=record", bad_mode);
  REFUSED("#!::r=live/cam1,m=publish,t=file", bad_type);
  REFUSED("#!:{r=live/cam1,m=publish}", unknown_form);
  REFUSED("#!/live/cam1", unknown_form);
  REFUSED("#", unknown_form);
}

TEST(stream_id_as_people_write_it) {
  PUBLISH("cam1", "live", "cam1", "", false);
  PUBLISH("k-al.ice~1", "live", "k-al.ice~1", "", false);
  PUBLISH("live/cam1", "live", "cam1", "", false);
  PUBLISH("/live/cam1", "live", "cam1", "", false);
  PUBLISH("show/cam1?key=k-1", "show", "cam1", "k-1", false);
  PUBLISH("cam1?s=k-1&other=2", "live", "cam1", "k-1", false);
  PUBLISH("cam1?s=", "live", "cam1", "", false);
  PUBLISH("live/cam1?mode=publish", "live", "cam1", "", true);
  PLAY("live/cam1?m=request", "live", "cam1", true);
  PUBLISH("publish:live/cam1", "live", "cam1", "", true);
  PUBLISH("publish:cam1", "live", "cam1", "", true);
  PUBLISH("publish:live/cam1:alice:k-1", "live", "cam1", "k-1", true);
  PUBLISH("publish:live/cam1:alice:k-1:other=2", "live", "cam1", "k-1", true);
  PUBLISH("publish:live/cam1:key=k-1", "live", "cam1", "k-1", true);
  PLAY("read:live/cam1", "live", "cam1", true);
  PLAY("request:/live/cam1", "live", "cam1", true);
  PLAY("play:live/cam1", "live", "cam1", true);
  PUBLISH("r=live/cam1&m=publish&s=k-1", "live", "cam1", "k-1", true);
  PUBLISH("r=live/cam1,s=k-1", "live", "cam1", "k-1", false);
  PUBLISH("srt://example.com:8890/live/cam1?key=k-1", "live", "cam1", "k-1", false);
  PLAY("srt://example.com/live/cam1?mode=request", "live", "cam1", true);
}

TEST(stream_id_that_nobody_should_write) {
  REFUSED("", empty);
  REFUSED("/", bad_path);
  REFUSED("live/", bad_path);
  REFUSED("/live/", bad_path);
  REFUSED("//cam1", bad_app);
  REFUSED("live/cam1/", bad_path);
  REFUSED("a/b/c", bad_path);
  REFUSED("?key=k-1", bad_path);
  REFUSED("li.ve/cam1", bad_app);
  REFUSED("live/cam 1", bad_name);
  REFUSED("live/cam%31", bad_name);
  REFUSED("live/cam1?key=a&key=b", repeated_pair);
  REFUSED("live/cam1?key=a&s=b", repeated_pair);
  REFUSED("live/cam1?mode=both", bad_mode);
  REFUSED("record:live/cam1", bad_mode);
  REFUSED(":live/cam1", bad_mode);
  REFUSED("publish:", bad_path);
  REFUSED("publish:live/cam1:alice:k-1:a=1:b", bad_path);
  REFUSED("srt://example.com", no_resource);
  REFUSED("m=publish", no_resource);
  REFUSED(std::string("live/ca\0m", 9), bad_byte);
  REFUSED("live/cam1\n", bad_byte);
  REFUSED("live/c\xc3\xa4m", bad_byte);
  REFUSED("live/cam\x7f", bad_byte);
  REFUSED(std::string(513, 'a'), too_long);
}

TEST(stream_id_lengths_at_their_bounds) {
  StreamId id;
  CHECK(parse(std::string(128, 'a') + "/" + std::string(256, 'b'), id) == StreamIdError::none);
  CHECK_EQ(id.name.size(), 256u);
  CHECK(parse(std::string(129, 'a') + "/b", id) == StreamIdError::bad_app);
  CHECK(parse("a/" + std::string(257, 'b'), id) == StreamIdError::bad_name);
  CHECK(parse("a/b?key=" + std::string(504, 'k'), id) == StreamIdError::none);
  CHECK_EQ(id.key.size(), 504u);
}

TEST(stream_id_errors_have_names) {
  CHECK_EQ(std::string(stream_id_error_name(StreamIdError::none)) == "", true);
  CHECK_EQ(std::string(stream_id_error_name(StreamIdError::bad_type)) == "bad_type", true);
}

TEST(public_names) {
  CHECK(is_public_name("Cam_1-a"));
  CHECK(is_public_name(std::string(128, 'a')));
  CHECK(!is_public_name(std::string(129, 'a')));
  CHECK(!is_public_name("") && !is_public_name("a.b") && !is_public_name("a/b"));
}

}  // namespace
}  // namespace headgate::test

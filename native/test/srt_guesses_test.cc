// Who gets passphrases wrong again and again is refused before libsrt derives another key.
#include "../srt_guesses.h"

#include "check.h"

namespace headgate::test {
namespace {

AddressKey address(uint32_t number) {
  AddressKey key{};
  for (int i = 0; i < 4; i++) key.bytes[15 - i] = static_cast<uint8_t>(number >> (8 * i));
  return key;
}

TEST(five_wrong_passphrases_at_once_are_heard_then_two_a_second) {
  SrtGuesses guesses;
  int heard = 0;
  for (double now = 0; now < 10000; now += 10) {
    if (guesses.is_spent(address(1), now)) continue;
    heard++;
    guesses.wrong(address(1), now);
  }
  CHECK_EQ(heard, 5 + 2 * 10 - 1);
  CHECK(!guesses.is_spent(address(2), 10000));
}

TEST(who_is_wrong_now_and_then_is_always_heard) {
  SrtGuesses guesses;
  for (double now = 0; now < 60000; now += 500) {
    CHECK(!guesses.is_spent(address(1), now));
    guesses.wrong(address(1), now);
  }
}

TEST(addresses_of_those_who_were_wrong_are_remembered_up_to_a_bound) {
  SrtGuesses guesses;
  for (int i = 0; i < 10; i++) guesses.wrong(address(0), 0);
  for (uint32_t i = 1; i < 10000; i++) guesses.wrong(address(i), 1);
  CHECK_EQ(guesses.remembered(), 4096u);
  CHECK(guesses.is_spent(address(0), 2));
  guesses.wrong(address(10000), 60000);
  CHECK_EQ(guesses.remembered(), 1u);
}

}  // namespace
}  // namespace headgate::test

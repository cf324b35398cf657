// A test framework in one screen: TEST registers, CHECK counts and prints what failed.
#ifndef HEADGATE_TEST_CHECK_H_
#define HEADGATE_TEST_CHECK_H_

#include <iostream>
#include <vector>

namespace headgate::test {

struct Case {
  const char* name;
  void (*run)();
};

inline std::vector<Case> cases;
inline int failures = 0;

struct Registration {
  Registration(const char* name, void (*run)()) { cases.push_back({name, run}); }
};

inline bool report(bool passed, const char* file, int line, const char* text) {
  if (!passed) {
    failures++;
    std::cerr << file << ":" << line << ": " << text << "\n";
  }
  return passed;
}

template <typename A, typename B>
void report_equal(const A& a, const B& b, const char* file, int line, const char* text) {
  if (!report(a == b, file, line, text)) std::cerr << "  " << +a << " != " << +b << "\n";
}

}  // namespace headgate::test

#define TEST(name)                                                             \
  static void name();                                                          \
  static const headgate::test::Registration registration_##name{#name, &name}; \
  static void name()
#define CHECK(condition) headgate::test::report((condition), __FILE__, __LINE__, #condition)
#define CHECK_EQ(a, b) headgate::test::report_equal((a), (b), __FILE__, __LINE__, #a " == " #b)

#endif  // HEADGATE_TEST_CHECK_H_

#include <cstring>

#include "check.h"

// Runs all tests, or those whose name contains the first argument.
int main(int count, char** arguments) {
  int run = 0;
  for (const headgate::test::Case& test : headgate::test::cases) {
    if (count > 1 && std::strstr(test.name, arguments[1]) == nullptr) continue;
    const int before = headgate::test::failures;
    test.run();
    run++;
    if (headgate::test::failures > before) std::cerr << "FAILED " << test.name << "\n";
  }
  std::cout << run << " tests, " << headgate::test::failures << " failures\n";
  return run == 0 || headgate::test::failures > 0 ? 1 : 0;
}

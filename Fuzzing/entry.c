/* libFuzzer's entry; TARGET is the function that is fed. */
#include <stddef.h>
#include <stdint.h>

void TARGET(const uint8_t *start, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *start, size_t count) {
  TARGET(start, count);
  return 0;
}

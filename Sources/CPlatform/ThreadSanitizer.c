// Swift's concurrency runtime tells Thread Sanitizer which job goes on after which, once it knows where the sanitizer's
// functions are. On Linux it never learns it: the sanitizer's runtime is linked into the program and calls its own
// `__tsan_on_initialize` in place of libswiftCore's. Without this, a value that a task made before it moved to another
// thread of the pool, and then handed to one of our own threads, looks like a race. Compiled under the sanitizer alone.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <stdbool.h>

extern bool _swift_tsan_enabled;
extern void (*_swift_tsan_acquire)(const void *);
extern void (*_swift_tsan_release)(const void *);
void __tsan_acquire(void *address);
void __tsan_release(void *address);

static void acquire(const void *address) { __tsan_acquire((void *)address); }
static void release(const void *address) { __tsan_release((void *)address); }

__attribute__((constructor)) static void tell_swift_runtime(void) {
    _swift_tsan_acquire = acquire;
    _swift_tsan_release = release;
    _swift_tsan_enabled = true;
}
#endif
#endif

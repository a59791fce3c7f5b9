#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CPlatformWorkers.h"

/// A place where one thread sleeps until another lets it go on. An `unpark` that comes first is kept, so the next
/// `park` returns at once; several count as one.
typedef struct {
    _Atomic(uint32_t) *state;
} halcyon_parker;

/// Makes a parker; free it with `halcyon_parker_destroy` when no thread uses it any more.
halcyon_parker halcyon_parker_create(void);
void halcyon_parker_destroy(halcyon_parker parker);

/// The calling thread's own parker, which lives as long as the thread.
halcyon_parker halcyon_parker_of_thread(void);

/// Sleeps until unparked or until CLOCK_MONOTONIC shows `deadline` nanoseconds (UINT64_MAX: no deadline). Returns
/// whether it was unparked. Only the parker's owner calls it.
bool halcyon_park(halcyon_parker parker, uint64_t deadline);

/// Lets the parker's owner go on. Any thread may call it.
void halcyon_unpark(halcyon_parker parker);

/// CLOCK_MONOTONIC in nanoseconds.
uint64_t halcyon_monotonic_now(void);

/// The processors that this process may run on, by its affinity mask; at least 1.
int halcyon_affinity_count(void);

/// Keeps the calling thread, and those that it starts, to these processors. Returns 0, or an errno: EINVAL where none of
/// them is there for this process.
int halcyon_bind_thread(const int *processors, size_t count);

/// Has the calling thread, and those that it starts, take memory from that NUMA node alone. Returns 0, or an errno.
int halcyon_bind_memory(int node);

/// Starts a thread with that name (its first 15 bytes count) that calls `body(context)`. Returns 0, or an errno.
int halcyon_thread_start(const char *name, void (*body)(void *), void *context, uint64_t *thread);

/// Waits for a thread that `halcyon_thread_start` started. Each is joined or detached once.
void halcyon_thread_join(uint64_t thread);

/// Lets a thread that `halcyon_thread_start` started clean up after itself when it ends.
void halcyon_thread_detach(uint64_t thread);

/// From now on, reading or writing a page of this mapping that its file no longer has gives zeros and goes nowhere, in
/// place of ending the process (SIGBUS): another process may make a file smaller at any time. Returns 0, or an errno;
/// ENOSPC for more mappings at once than there is room for, 4096.
int halcyon_guard_mapping(void *start, size_t size);

/// Ends that, before the mapping goes.
void halcyon_unguard_mapping(void *start);

/// From now on, programs that a child of `fork` starts inherit no descriptors beside the first three: libraries start
/// programs, and these would hold our ports and our clients' connections. Returns 0, or an errno.
int halcyon_keep_descriptors(void);

/// Removes a folder with all that is in it, without following links. Returns 0, or an errno.
int halcyon_remove_tree(const char *path);

/// A flag of the calling thread's own, false at first.
bool halcyon_thread_flag(void);
void halcyon_set_thread_flag(bool flag);

/// FNV-1a over more bytes, from the hash of those before them; it begins with HALCYON_HASH_START. For noticing damage, not
/// for withstanding anybody.
uint64_t halcyon_hash(uint64_t hash, const void *bytes, size_t size);
#define HALCYON_HASH_START 0xcbf29ce484222325u

/// From the first call on SIGINT, SIGTERM and SIGHUP put a byte, their number, into a pipe in place of ending the process.
/// Returns the pipe's reading end, the same at each call, or -1 with an errno. It does not block.
int halcyon_catch_interrupts(void);

/// Puts what lies at each of the two paths of one file system where the other was, in one step. Returns 0, or an errno.
int halcyon_exchange_paths(const char *first, const char *second);

/// Makes a pipe, reading end first, whose ends no other program inherits. Returns 0, or an errno.
int halcyon_pipe(int ends[2]);

/// Starts a program in a process group of its own, in that folder, with those three files as its standard input, output and
/// error, and with the signals that this process catches as they are by default. Returns 0, or an errno.
int halcyon_spawn(const char *path, char *const *arguments, char *const *environment, const char *directory,
                  const int standard[3], int *child);

/// The variables of this process, `NAME=value` each, with a null behind the last.
char **halcyon_environment(void);

/// Whole pages of fresh memory, zeros; null where the system has none. The size may be any.
void *halcyon_pages_map(size_t size);

/// The same pages, more or fewer of them, maybe elsewhere, without a copy. Null where that can't be; then they stay as they were.
void *halcyon_pages_remap(void *start, size_t size, size_t new_size);

/// Gives pages back to the system.
void halcyon_pages_unmap(void *start, size_t size);

/// From now on the allocator keeps at most this many heaps for all threads.
void halcyon_limit_heaps(int count);

/// Gives the system back what the allocator holds and nobody uses.
void halcyon_trim_heaps(void);

/// Has the calling thread give way to others of this process: a higher number more.
void halcyon_lower_priority(int nice);

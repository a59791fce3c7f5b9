#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A descriptor that becomes readable when a child has ended, and that no other program inherits; -1 where the system has none.
int halcyon_process_descriptor(int process);

/// How a child has ended that nobody has waited for yet: its status, or the number of the signal that ended it with `signalled`
/// set. It can still be waited for. False where it has not ended, or somebody has waited for it.
bool halcyon_process_ending(int process, int *status, bool *signalled);

/// Makes a pair of connected sockets that no other program inherits. Returns 0, or an errno.
int halcyon_socket_pair(int ends[2]);

/// Writes all of it, with descriptors beside the first byte, 16 at most; blocks until it is written. No SIGPIPE. Returns 0, or
/// an errno.
int halcyon_send_all(int socket, const void *bytes, size_t size, const int *descriptors, size_t count);

/// Reads what there is, and the descriptors beside it, which no other program inherits; blocks until there is something.
/// `count` says how many descriptors there is room for, 16 at most, and then how many came. Returns the bytes read, 0 at the
/// end, or an errno below 0.
long halcyon_receive(int socket, void *bytes, size_t size, int *descriptors, size_t *count);

/// Waits until the socket has something to read, its end included. Returns 1, or 0 after that many milliseconds (-1: none), or
/// an errno below 0.
int halcyon_wait_readable(int socket, int milliseconds);

/// Looks for so many nanoseconds whether the socket has something to read, without sleeping. Returns 1 or 0.
int halcyon_look_readable(int socket, uint64_t nanoseconds);

/// Ends both directions of a socket, for whoever reads it as well.
void halcyon_shut(int socket);

/// Makes memory of that size as a file that no program inherits. Returns a descriptor, or an errno below 0.
int halcyon_memory_make(size_t size);

/// Fixes the size of such memory for ever, and with `no_new_writers` who may write: those that have it mapped now. Returns 0,
/// or an errno; a system that can't keep new writers out leaves them.
int halcyon_memory_seal(int descriptor, bool no_new_writers);

/// The size of such memory if it is fixed for ever; -1 for any other descriptor.
int64_t halcyon_memory_sealed_size(int descriptor);

/// Maps such memory. Null where that can't be.
void *halcyon_memory_map(int descriptor, size_t size, bool writable);

/// Starts a program in a process group of its own, with `control` as descriptor 3, nothing to read, and standard error as its
/// output too; it inherits no other descriptor. Returns 0, or an errno.
int halcyon_spawn_worker(const char *path, char *const *arguments, char *const *environment, int control, int *child);

/// Has this process killed when the thread that started it ends, leave no core, be named halcyon-worker, and be
/// the first to go where memory is short. Returns 0, or an errno.
int halcyon_die_with_parent(void);

/// Whether that process is stopped by a signal; false where there is none of that number.
bool halcyon_is_stopped(int process);

/// Bytes of memory that a process has in use at the moment; 0 where there is none of that number.
uint64_t halcyon_resident_bytes(int process);

/// Whether this process can't get so many bytes more of memory.
bool halcyon_memory_is_lacking(size_t size);

/// The bytes of address space and of data that a process may have, UINT64_MAX for any number. It may have ended, as long
/// as nobody has waited for it. Returns whether there is such a process.
bool halcyon_memory_bounds(int process, uint64_t *address_space, uint64_t *data);

/// How often this system has killed a process because memory was short.
uint64_t halcyon_memory_kills(void);

/// The processors that the calling thread may run on, in order; returns how many there are, of which `capacity` are written.
size_t halcyon_thread_processors(int *processors, size_t capacity);

/// What of a sandbox this system has: a sum of these.
enum { HALCYON_SANDBOX_FILES = 1, HALCYON_SANDBOX_CALLS = 2 };
int halcyon_sandbox_support(void);

/// Takes new privileges away from this process for ever. Returns 0, or an errno.
int halcyon_sandbox_begin(void);

/// Leaves this process only those files: `readable` and what is below, and `writable` likewise. A path that is not there is
/// passed over. Returns 0, or an errno; ENOSYS and EOPNOTSUPP where the system lacks it.
int halcyon_sandbox_files(const char *const *readable, const char *const *writable);

/// Keeps this process from making sockets, from running programs, and from reaching into other processes, in all of its
/// threads. Returns 0, or an errno.
int halcyon_sandbox_calls(void);

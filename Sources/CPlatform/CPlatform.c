#define _GNU_SOURCE
#include "CPlatform.h"

#include "Spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/futex.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// A parker's states. The owner alone goes from EMPTY to PARKED; anybody sets NOTIFIED.
enum { EMPTY = 0, NOTIFIED = 1, PARKED = UINT32_MAX };

halcyon_parker halcyon_parker_create(void) {
    _Atomic(uint32_t) *state = malloc(sizeof *state);
    if (state == NULL) abort();
    atomic_init(state, EMPTY);
    return (halcyon_parker){state};
}

void halcyon_parker_destroy(halcyon_parker parker) { free((void *)parker.state); }

halcyon_parker halcyon_parker_of_thread(void) {
    static _Thread_local _Atomic(uint32_t) state;
    return (halcyon_parker){&state};
}

uint64_t halcyon_monotonic_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool halcyon_park(halcyon_parker parker, uint64_t deadline) {
    uint32_t expected = NOTIFIED;
    if (atomic_compare_exchange_strong(parker.state, &expected, EMPTY)) return true;
    expected = EMPTY;
    if (!atomic_compare_exchange_strong(parker.state, &expected, PARKED)) {
        atomic_store(parker.state, EMPTY);
        return true;
    }
    // FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC.
    struct timespec until = {.tv_sec = (time_t)(deadline / 1000000000u), .tv_nsec = (long)(deadline % 1000000000u)};
    for (;;) {
        long result = syscall(
            SYS_futex, (void *)parker.state, FUTEX_WAIT_BITSET_PRIVATE, (uint32_t)PARKED,
            deadline == UINT64_MAX ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
        bool timed_out = result == -1 && errno == ETIMEDOUT;
        expected = NOTIFIED;
        if (atomic_compare_exchange_strong(parker.state, &expected, EMPTY)) return true;
        if (timed_out) return atomic_exchange(parker.state, EMPTY) == NOTIFIED;
    }
}

void halcyon_unpark(halcyon_parker parker) {
    if (atomic_exchange(parker.state, NOTIFIED) == PARKED)
        syscall(SYS_futex, (void *)parker.state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

int halcyon_affinity_count(void) {
    // The kernel's mask may be longer than a cpu_set_t: grow it until it fits.
    for (int processors = 1024; processors <= 1 << 20; processors *= 2) {
        cpu_set_t *mask = CPU_ALLOC(processors);
        if (mask == NULL) break;
        size_t size = CPU_ALLOC_SIZE(processors);
        int failed = sched_getaffinity(0, size, mask);
        int count = failed ? 0 : CPU_COUNT_S(size, mask);
        CPU_FREE(mask);
        if (!failed) return count > 0 ? count : 1;
        if (errno != EINVAL) break;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

int halcyon_bind_thread(const int *processors, size_t count) {
    int largest = 0;
    for (size_t i = 0; i < count; i++) {
        if (processors[i] < 0 || processors[i] >= 1 << 20) return EINVAL;
        if (processors[i] > largest) largest = processors[i];
    }
    cpu_set_t *mask = CPU_ALLOC(largest + 1);
    if (mask == NULL) return ENOMEM;
    size_t size = CPU_ALLOC_SIZE(largest + 1);
    CPU_ZERO_S(size, mask);
    for (size_t i = 0; i < count; i++) CPU_SET_S(processors[i], size, mask);
    int failed = sched_setaffinity(0, size, mask);
    CPU_FREE(mask);
    return failed ? errno : 0;
}

int halcyon_bind_memory(int node) {
    enum { BITS = 1024, WORD = 8 * sizeof(unsigned long) };
    if (node < 0 || node >= BITS) return EINVAL;
    unsigned long nodes[BITS / WORD] = {0};
    nodes[node / WORD] = 1ul << (node % WORD);
    // MPOL_BIND is 2; the kernel reads one bit less than it is told.
    return syscall(SYS_set_mempolicy, 2, nodes, (unsigned long)BITS + 1) ? errno : 0;
}

typedef struct {
    char name[16];
    void (*body)(void *);
    void *context;
} start_arguments;

static void *start(void *opaque) {
    start_arguments arguments = *(start_arguments *)opaque;
    free(opaque);
    pthread_setname_np(pthread_self(), arguments.name);
    arguments.body(arguments.context);
    return NULL;
}

int halcyon_thread_start(const char *name, void (*body)(void *), void *context, uint64_t *thread) {
    start_arguments *arguments = calloc(1, sizeof *arguments);
    if (arguments == NULL) return ENOMEM;
    strncpy(arguments->name, name, sizeof arguments->name - 1);
    arguments->body = body;
    arguments->context = context;
    pthread_t handle;
    int failure = pthread_create(&handle, NULL, start, arguments);
    if (failure) {
        free(arguments);
        return failure;
    }
    *thread = (uint64_t)handle;
    return 0;
}

void halcyon_thread_join(uint64_t thread) { pthread_join((pthread_t)thread, NULL); }

void halcyon_thread_detach(uint64_t thread) { pthread_detach((pthread_t)thread); }

static _Thread_local bool thread_flag;

bool halcyon_thread_flag(void) { return thread_flag; }

void halcyon_set_thread_flag(bool flag) { thread_flag = flag; }

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status, (void)kind, (void)place;
    return remove(path) == 0 ? 0 : errno;
}

int halcyon_remove_tree(const char *path) { return nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS); }

// The guarded mappings. The handler may run on any thread at any time, so they are atomics in a table that never moves.
enum { GUARDS = 4096 };
static struct {
    _Atomic(uintptr_t) start;
    _Atomic(size_t) size;
} guards[GUARDS];
static struct sigaction action_before;
static pthread_once_t guard_once = PTHREAD_ONCE_INIT;

static void on_bus_error(int signal, siginfo_t *info, void *context) {
    int error = errno;
    uintptr_t address = (uintptr_t)info->si_addr;
    for (int i = 0; i < GUARDS; i++) {
        uintptr_t start = atomic_load_explicit(&guards[i].start, memory_order_acquire);
        if (start == 0 || address < start) continue;
        if (address - start >= atomic_load_explicit(&guards[i].size, memory_order_relaxed)) continue;
        uintptr_t page = address & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
        void *mapped = mmap((void *)page, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        errno = error;
        if (mapped != MAP_FAILED) return;
    }
    // Not ours: as if this handler were not there. The instruction runs again and meets the one that was.
    sigaction(SIGBUS, &action_before, NULL);
    (void)signal, (void)context;
    errno = error;
}

static void install_guard(void) {
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &action_before);
}

int halcyon_guard_mapping(void *start, size_t size) {
    pthread_once(&guard_once, install_guard);
    for (int i = 0; i < GUARDS; i++) {
        uintptr_t none = 0;
        // Claimed with a start beyond all addresses, so that the handler does not see it half made.
        if (!atomic_compare_exchange_strong(&guards[i].start, &none, UINTPTR_MAX)) continue;
        atomic_store_explicit(&guards[i].size, size, memory_order_relaxed);
        atomic_store_explicit(&guards[i].start, (uintptr_t)start, memory_order_release);
        return 0;
    }
    return ENOSPC;
}

void halcyon_unguard_mapping(void *start) {
    for (int i = 0; i < GUARDS; i++) {
        if (atomic_load_explicit(&guards[i].start, memory_order_relaxed) != (uintptr_t)start) continue;
        atomic_store_explicit(&guards[i].size, 0, memory_order_relaxed);
        atomic_store_explicit(&guards[i].start, 0, memory_order_release);
        return;
    }
}

uint64_t halcyon_hash(uint64_t hash, const void *bytes, size_t size) {
    const unsigned char *next = bytes;
    for (size_t i = 0; i < size; i++) hash = (hash ^ next[i]) * 0x100000001b3u;
    return hash;
}

static int interrupts[2] = {-1, -1};
static int interrupts_error;
static pthread_once_t interrupts_once = PTHREAD_ONCE_INIT;

static void on_interrupt(int number) {
    int error = errno;
    unsigned char byte = (unsigned char)number;
    // A full pipe says already what this byte would say.
    ssize_t written = write(interrupts[1], &byte, 1);
    (void)written;
    errno = error;
}

static void install_interrupts(void) {
    if (pipe2(interrupts, O_CLOEXEC | O_NONBLOCK) != 0) {
        interrupts_error = errno;
        return;
    }
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

int halcyon_catch_interrupts(void) {
    pthread_once(&interrupts_once, install_interrupts);
    errno = interrupts_error;
    return interrupts[0];
}

int halcyon_exchange_paths(const char *first, const char *second) {
    return renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE) == 0 ? 0 : errno;
}

int halcyon_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno; }

int halcyon_spawn_group(const char *path, char *const *arguments, char *const *environment,
                        const posix_spawn_file_actions_t *actions, const sigset_t *defaults, int *child) {
    posix_spawnattr_t attributes;
    int failure = posix_spawnattr_init(&attributes);
    if (failure) return failure;
    sigset_t none;
    sigemptyset(&none);
    failure = posix_spawnattr_setsigdefault(&attributes, defaults);
    if (!failure) failure = posix_spawnattr_setsigmask(&attributes, &none);
    if (!failure) failure = posix_spawnattr_setpgroup(&attributes, 0);
    if (!failure)
        failure = posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (!failure) failure = posix_spawn(child, path, actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    return failure;
}

int halcyon_spawn(const char *path, char *const *arguments, char *const *environment, const char *directory,
                  const int standard[3], int *child) {
    posix_spawn_file_actions_t actions;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure) return failure;
    sigset_t defaults;
    sigemptyset(&defaults);
    const int numbers[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaddset(&defaults, numbers[i]);
    for (int i = 0; i < 3 && !failure; i++) failure = posix_spawn_file_actions_adddup2(&actions, standard[i], i);
    if (!failure) failure = posix_spawn_file_actions_addchdir_np(&actions, directory);
    if (!failure) failure = halcyon_spawn_group(path, arguments, environment, &actions, &defaults, child);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

char **halcyon_environment(void) { return environ; }

void *halcyon_pages_map(size_t size) {
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return start == MAP_FAILED ? NULL : start;
}

void *halcyon_pages_remap(void *start, size_t size, size_t new_size) {
    void *moved = mremap(start, size, new_size, MREMAP_MAYMOVE);
    return moved == MAP_FAILED ? NULL : moved;
}

void halcyon_pages_unmap(void *start, size_t size) { munmap(start, size); }

void halcyon_limit_heaps(int count) { mallopt(M_ARENA_MAX, count); }

void halcyon_trim_heaps(void) { malloc_trim(0); }

// On Linux a priority belongs to a thread.
void halcyon_lower_priority(int nice) { setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice); }

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

// In the child, before it does anything else: only what a signal handler may call.
static void keep_descriptors(void) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3U, UINT32_MAX, CLOSE_RANGE_CLOEXEC) == 0) return;
#endif
    // Before Linux 5.11.
    for (int descriptor = 3; descriptor < 4096; descriptor++) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

int halcyon_keep_descriptors(void) { return pthread_atfork(NULL, NULL, keep_descriptors); }

#define _GNU_SOURCE
#include "CPlatform.h"
#include "CPlatformWorkers.h"

#include "Spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

enum { DESCRIPTORS = 16 };

int halcyon_process_descriptor(int process) {
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, process, 0);
#else
    (void)process;
    return -1;
#endif
}

bool halcyon_process_ending(int process, int *status, bool *signalled) {
    siginfo_t ending = {0};
    if (waitid(P_PID, (id_t)process, &ending, WEXITED | WNOHANG | WNOWAIT) != 0 || ending.si_pid != process) return false;
    *status = ending.si_status;
    *signalled = ending.si_code != CLD_EXITED;
    return true;
}

int halcyon_socket_pair(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : errno;
}

int halcyon_send_all(int socket, const void *bytes, size_t size, const int *descriptors, size_t count) {
    if (count > DESCRIPTORS) return EINVAL;
    union {
        char space[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
        struct cmsghdr align;
    } control;
    const char *next = bytes;
    while (size > 0) {
        struct iovec part = {.iov_base = (void *)next, .iov_len = size};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        if (count > 0) {
            memset(&control, 0, sizeof control);
            message.msg_control = control.space;
            message.msg_controllen = CMSG_SPACE(count * sizeof(int));
            struct cmsghdr *header = CMSG_FIRSTHDR(&message);
            header->cmsg_level = SOL_SOCKET;
            header->cmsg_type = SCM_RIGHTS;
            header->cmsg_len = CMSG_LEN(count * sizeof(int));
            memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
        }
        ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) continue;
            return errno;
        }
        count = 0;
        next += sent;
        size -= (size_t)sent;
    }
    return 0;
}

long halcyon_receive(int socket, void *bytes, size_t size, int *descriptors, size_t *count) {
    size_t room = *count < DESCRIPTORS ? *count : DESCRIPTORS;
    union {
        char space[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
        struct cmsghdr align;
    } control;
    *count = 0;
    for (;;) {
        struct iovec part = {.iov_base = bytes, .iov_len = size};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
        ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        if (received < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        bool overflows = (message.msg_flags & MSG_CTRUNC) != 0;
        for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
            if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
            size_t came = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t i = 0; i < came; i++) {
                int descriptor;
                memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
                if (*count < room) {
                    descriptors[(*count)++] = descriptor;
                } else {
                    overflows = true;
                    close(descriptor);
                }
            }
        }
        if (!overflows) return received;
        for (size_t i = 0; i < *count; i++) close(descriptors[i]);
        *count = 0;
        return -EMSGSIZE;
    }
}

int halcyon_wait_readable(int socket, int milliseconds) {
    struct pollfd entry = {.fd = socket, .events = POLLIN};
    int ready = poll(&entry, 1, milliseconds);
    if (ready < 0) return errno == EINTR ? 0 : -errno;
    return ready > 0;
}

int halcyon_look_readable(int socket, uint64_t nanoseconds) {
    uint64_t end = halcyon_monotonic_now() + nanoseconds;
    do {
        struct pollfd entry = {.fd = socket, .events = POLLIN};
        if (poll(&entry, 1, 0) > 0) return 1;
        // Whoever is to answer may be waiting for this very processor.
        sched_yield();
    } while (halcyon_monotonic_now() < end);
    return 0;
}

void halcyon_shut(int socket) { shutdown(socket, SHUT_RDWR); }

int halcyon_memory_make(size_t size) {
    int descriptor = memfd_create("halcyon", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    // A kernel that does not know the last flag.
    if (descriptor < 0 && errno == EINVAL) descriptor = memfd_create("halcyon", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) return -errno;
    if (ftruncate(descriptor, (off_t)size) == 0) return descriptor;
    int error = errno;
    close(descriptor);
    return -error;
}

int halcyon_memory_seal(int descriptor, bool no_new_writers) {
    int size = F_SEAL_SHRINK | F_SEAL_GROW;
    if (no_new_writers) {
        if (fcntl(descriptor, F_ADD_SEALS, size | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0) return 0;
        if (errno != EINVAL) return errno;
    }
    return fcntl(descriptor, F_ADD_SEALS, size | F_SEAL_SEAL) == 0 ? 0 : errno;
}

int64_t halcyon_memory_sealed_size(int descriptor) {
    int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    int seals = fcntl(descriptor, F_GET_SEALS);
    struct stat status;
    if (seals < 0 || (seals & wanted) != wanted || fstat(descriptor, &status) != 0) return -1;
    return S_ISREG(status.st_mode) ? (int64_t)status.st_size : -1;
}

void *halcyon_memory_map(int descriptor, size_t size, bool writable) {
    void *start = mmap(NULL, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, descriptor, 0);
    return start == MAP_FAILED ? NULL : start;
}

int halcyon_spawn_worker(const char *path, char *const *arguments, char *const *environment, int control, int *child) {
    posix_spawn_file_actions_t actions;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure) return failure;
    sigset_t all;
    sigfillset(&all);
    failure = posix_spawn_file_actions_adddup2(&actions, control, 3);
    if (!failure) failure = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failure) failure = posix_spawn_file_actions_adddup2(&actions, 2, 1);
    if (!failure) failure = posix_spawn_file_actions_addclosefrom_np(&actions, 4);
    if (!failure) failure = halcyon_spawn_group(path, arguments, environment, &actions, &all, child);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

int halcyon_die_with_parent(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_NAME, "halcyon-worker");
    // Where memory is short, a worker goes before the server does.
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        ssize_t written = write(score, "500", 3);
        (void)written;
        close(score);
    }
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 ? 0 : errno;
}

bool halcyon_is_stopped(int process) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    size_t count = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[count] = 0;
    // The name of the program is in brackets, and may have any characters.
    char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' && end[2] == 'T';
}

uint64_t halcyon_resident_bytes(int process) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/statm", process);
    FILE *file = fopen(path, "re");
    if (file == NULL) return 0;
    unsigned long long pages = 0;
    if (fscanf(file, "%*s %llu", &pages) != 1) pages = 0;
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

bool halcyon_memory_is_lacking(size_t size) {
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return true;
    munmap(start, size);
    return false;
}

bool halcyon_memory_bounds(int process, uint64_t *address_space, uint64_t *data) {
    struct rlimit space, own;
    if (prlimit(process, RLIMIT_AS, NULL, &space) != 0 || prlimit(process, RLIMIT_DATA, NULL, &own) != 0) return false;
    *address_space = space.rlim_cur == RLIM_INFINITY ? UINT64_MAX : (uint64_t)space.rlim_cur;
    *data = own.rlim_cur == RLIM_INFINITY ? UINT64_MAX : (uint64_t)own.rlim_cur;
    return true;
}

uint64_t halcyon_memory_kills(void) {
    FILE *file = fopen("/proc/vmstat", "re");
    if (file == NULL) return 0;
    char line[256];
    unsigned long long count = 0;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "oom_kill %llu", &count) == 1) break;
    }
    fclose(file);
    return count;
}

size_t halcyon_thread_processors(int *processors, size_t capacity) {
    size_t found = 0;
    for (int size = 1024; size <= 1 << 20; size *= 2) {
        cpu_set_t *mask = CPU_ALLOC(size);
        if (mask == NULL) return 0;
        size_t bytes = CPU_ALLOC_SIZE(size);
        int failed = sched_getaffinity(0, bytes, mask);
        if (!failed) {
            for (int i = 0; i < size; i++) {
                if (!CPU_ISSET_S(i, bytes, mask)) continue;
                if (found < capacity) processors[found] = i;
                found++;
            }
        }
        CPU_FREE(mask);
        if (!failed) return found;
        if (errno != EINVAL) return 0;
    }
    return 0;
}

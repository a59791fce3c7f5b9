#include "CFakeCUDA.h"

#include <fcntl.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OUT_OF_MEMORY = 2, INVALID_VALUE = 1, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_CONTEXT = 201, TIMEOUT = 909 };
enum { MOST_DEVICES = 8, MOST_ALLOCATIONS = 4096, DEEPEST = 16 };

typedef enum { UNUSED, DEVICE, HOST, EXPORTED, MAPPED } kind_t;

typedef struct {
    kind_t kind;
    void *start;
    size_t byte_count;
    int32_t device;
    /// How often an exported one is open.
    int32_t opened;
} allocation_t;

struct CUctx_st {
    int32_t device;
    int64_t retained;
};

typedef struct copy {
    void *to;
    const void *from;
    size_t byte_count;
    struct copy *next;
} copy_t;

struct CUstream_st {
    int64_t generation;
    /// Copies that wait for somebody to wait for them.
    copy_t *first;
    copy_t **end;
};

struct CUevent_st {
    int64_t generation;
    float at;
};

struct nvmlDevice_st {
    uint32_t index;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static fake_cuda_script_t script = {.version = 12080, .device_count = 1, .memory_byte_count = 1u << 30, .compute_major = 9,
                                    .host_byte_count = 1u << 30, .event_step = 1};
static fake_cuda_usage_t usage;
/// Threads that have come to wait for a stream, and what tells them of each other.
static int32_t waiting;
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;
static allocation_t allocations[MOST_ALLOCATIONS];
static struct CUctx_st contexts[MOST_DEVICES];
static struct nvmlDevice_st devices[MOST_DEVICES];
static float now;
/// Which run it is: what is let go of after its run does not count.
static int64_t generation;
static _Thread_local CUctx_st *stack[DEEPEST];
static _Thread_local int depth;

void fake_cuda_change(fake_cuda_script_t next) {
    pthread_mutex_lock(&lock);
    script = next;
    pthread_mutex_unlock(&lock);
}

void fake_cuda_reset(fake_cuda_script_t next) {
    pthread_mutex_lock(&lock);
    for (int index = 0; index < MOST_ALLOCATIONS; index++) {
        if (allocations[index].kind != UNUSED && allocations[index].kind != MAPPED) {
            free(allocations[index].start);
        }
    }
    memset(allocations, 0, sizeof allocations);
    memset(&usage, 0, sizeof usage);
    memset(contexts, 0, sizeof contexts);
    script = next;
    generation++;
    waiting = 0;
    now = 0;
    depth = 0;
    pthread_mutex_unlock(&lock);
}

fake_cuda_usage_t fake_cuda_usage(void) {
    pthread_mutex_lock(&lock);
    fake_cuda_usage_t result = usage;
    pthread_mutex_unlock(&lock);
    return result;
}

/// The place of an address; with the lock held.
static allocation_t *find(cuda_address_t address) {
    for (int index = 0; index < MOST_ALLOCATIONS; index++) {
        uintptr_t start = (uintptr_t)allocations[index].start;
        if (allocations[index].kind != UNUSED && address >= start && address < start + allocations[index].byte_count) {
            return &allocations[index];
        }
    }
    return NULL;
}

/// Memory that counts, or null; with the lock held.
static allocation_t *make(kind_t kind, size_t byte_count, int32_t device) {
    size_t used = 0;
    allocation_t *place = NULL;
    for (int index = 0; index < MOST_ALLOCATIONS; index++) {
        allocation_t *other = &allocations[index];
        if (other->kind == UNUSED) {
            place = place ? place : other;
        } else if (other->kind == kind && (kind == HOST || other->device == device)) {
            used += other->byte_count;
        }
    }
    size_t limit = kind == HOST ? script.host_byte_count : script.memory_byte_count;
    if (place == NULL || (kind != EXPORTED && (byte_count > limit || used > limit - byte_count))) {
        return NULL;
    }
    void *start = aligned_alloc(256, (byte_count + 255) / 256 * 256);
    if (start == NULL) {
        return NULL;
    }
    *place = (allocation_t){kind, start, byte_count, device, 0};
    return place;
}

cuda_memory_handle_t fake_cuda_export(int32_t device, size_t byte_count) {
    cuda_memory_handle_t handle = {{0}};
    pthread_mutex_lock(&lock);
    allocation_t *made = make(EXPORTED, byte_count, device);
    if (made != NULL) {
        memcpy(handle.bytes, "fake", 4);
        memcpy(handle.bytes + 8, &made->start, sizeof made->start);
    }
    pthread_mutex_unlock(&lock);
    return handle;
}

void *fake_cuda_exported(cuda_memory_handle_t handle) {
    void *start;
    memcpy(&start, handle.bytes + 8, sizeof start);
    return start;
}

// The driver.

cuda_result_t cuInit(uint32_t flags) { return flags == 0 ? script.init_result : INVALID_VALUE; }

cuda_result_t cuDriverGetVersion(int32_t *version) {
    *version = script.version;
    return 0;
}

cuda_result_t cuGetErrorName(cuda_result_t result, const char **name) {
    *name = result == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : result == NO_DEVICE ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR";
    return 0;
}

cuda_result_t cuGetErrorString(cuda_result_t result, const char **text) {
    *text = result == OUT_OF_MEMORY ? "out of memory" : result == NO_DEVICE ? "no CUDA-capable device is detected" : "failed";
    return 0;
}

cuda_result_t cuDeviceGetCount(int32_t *count) {
    *count = script.device_count;
    return 0;
}

cuda_result_t cuDeviceGet(int32_t *device, int32_t number) {
    *device = number;
    return number >= 0 && number < script.device_count ? 0 : INVALID_DEVICE;
}

cuda_result_t cuDeviceGetName(char *name, int32_t capacity, int32_t device) {
    snprintf(name, (size_t)capacity, "Fake GPU %d", device);
    return 0;
}

cuda_result_t cuDeviceGetUuid(cuda_uuid_t *uuid, int32_t device) {
    for (int index = 0; index < 16; index++) {
        uuid->bytes[index] = (uint8_t)(16 * device + index);
    }
    return 0;
}

cuda_result_t cuDeviceTotalMem_v2(size_t *byte_count, int32_t device) {
    (void)device;
    *byte_count = script.memory_byte_count;
    return 0;
}

cuda_result_t cuDeviceGetAttribute(int32_t *value, int32_t attribute, int32_t device) {
    (void)device;
    switch (attribute) {
    case 75: *value = script.compute_major; return 0;
    case 76: *value = script.compute_minor; return 0;
    default: return INVALID_VALUE;
    }
}

cuda_result_t cuDevicePrimaryCtxRetain(CUctx_st **context, int32_t device) {
    pthread_mutex_lock(&lock);
    contexts[device].device = device;
    contexts[device].retained++;
    usage.contexts++;
    *context = &contexts[device];
    pthread_mutex_unlock(&lock);
    return 0;
}

cuda_result_t cuDevicePrimaryCtxRelease_v2(int32_t device) {
    pthread_mutex_lock(&lock);
    if (contexts[device].retained > 0) {
        contexts[device].retained--;
        usage.contexts--;
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

cuda_result_t cuCtxPushCurrent_v2(CUctx_st *context) {
    if (depth == DEEPEST) {
        return INVALID_CONTEXT;
    }
    stack[depth++] = context;
    pthread_mutex_lock(&lock);
    usage.pushed_contexts++;
    pthread_mutex_unlock(&lock);
    return 0;
}

cuda_result_t cuCtxPopCurrent_v2(CUctx_st **context) {
    if (depth == 0) {
        return INVALID_CONTEXT;
    }
    *context = stack[--depth];
    pthread_mutex_lock(&lock);
    usage.pushed_contexts--;
    pthread_mutex_unlock(&lock);
    return 0;
}

cuda_result_t cuMemGetInfo_v2(size_t *available, size_t *total) {
    if (depth == 0) {
        return INVALID_CONTEXT;
    }
    pthread_mutex_lock(&lock);
    *total = script.memory_byte_count;
    *available = script.memory_byte_count - (size_t)usage.device_bytes;
    pthread_mutex_unlock(&lock);
    return 0;
}

cuda_result_t cuMemAlloc_v2(cuda_address_t *address, size_t byte_count) {
    if (depth == 0) {
        return INVALID_CONTEXT;
    }
    pthread_mutex_lock(&lock);
    allocation_t *made = byte_count > 0 ? make(DEVICE, byte_count, stack[depth - 1]->device) : NULL;
    if (made != NULL) {
        *address = (uintptr_t)made->start;
        usage.device_allocations++;
        usage.device_bytes += (int64_t)byte_count;
    }
    pthread_mutex_unlock(&lock);
    return made == NULL ? OUT_OF_MEMORY : 0;
}

/// Frees what begins at the address; with the lock held.
static cuda_result_t drop(kind_t kind, cuda_address_t address) {
    allocation_t *found = find(address);
    if (found == NULL || found->kind != kind || (uintptr_t)found->start != address) {
        return INVALID_VALUE;
    }
    if (kind == DEVICE) {
        usage.device_allocations--;
        usage.device_bytes -= (int64_t)found->byte_count;
    } else {
        usage.host_allocations--;
        usage.host_bytes -= (int64_t)found->byte_count;
    }
    free(found->start);
    *found = (allocation_t){UNUSED, NULL, 0, 0, 0};
    return 0;
}

cuda_result_t cuMemFree_v2(cuda_address_t address) {
    pthread_mutex_lock(&lock);
    cuda_result_t result = depth == 0 ? INVALID_CONTEXT : drop(DEVICE, address);
    pthread_mutex_unlock(&lock);
    return result;
}

cuda_result_t cuMemGetAddressRange_v2(cuda_address_t *base, size_t *byte_count, cuda_address_t address) {
    pthread_mutex_lock(&lock);
    allocation_t *found = find(address);
    if (found != NULL) {
        *base = (uintptr_t)found->start;
        *byte_count = found->byte_count;
    }
    pthread_mutex_unlock(&lock);
    return found == NULL ? INVALID_VALUE : 0;
}

cuda_result_t cuMemHostAlloc(void **start, size_t byte_count, uint32_t flags) {
    (void)flags;
    if (depth == 0) {
        return INVALID_CONTEXT;
    }
    pthread_mutex_lock(&lock);
    allocation_t *made = make(HOST, byte_count, 0);
    if (made != NULL) {
        *start = made->start;
        usage.host_allocations++;
        usage.host_bytes += (int64_t)byte_count;
    }
    pthread_mutex_unlock(&lock);
    return made == NULL ? OUT_OF_MEMORY : 0;
}

cuda_result_t cuMemFreeHost(void *start) {
    pthread_mutex_lock(&lock);
    cuda_result_t result = depth == 0 ? INVALID_CONTEXT : drop(HOST, (uintptr_t)start);
    pthread_mutex_unlock(&lock);
    return result;
}

cuda_result_t cuMemcpyAsync(cuda_address_t to, cuda_address_t from, size_t byte_count, CUstream_st *stream) {
    if (depth == 0) {
        return INVALID_CONTEXT;
    }
    if (script.copy_result != 0) {
        return script.copy_result;
    }
    if (script.copies_are_late) {
        copy_t *copy = calloc(1, sizeof *copy);
        *copy = (copy_t){(void *)(uintptr_t)to, (const void *)(uintptr_t)from, byte_count, NULL};
        *stream->end = copy;
        stream->end = &copy->next;
        return 0;
    }
    memcpy((void *)(uintptr_t)to, (const void *)(uintptr_t)from, byte_count);
    return 0;
}

cuda_result_t cuStreamCreate(CUstream_st **stream, uint32_t flags) {
    (void)flags;
    if (depth == 0) {
        return INVALID_CONTEXT;
    }
    *stream = calloc(1, sizeof **stream);
    (*stream)->end = &(*stream)->first;
    pthread_mutex_lock(&lock);
    (*stream)->generation = generation;
    usage.streams++;
    pthread_mutex_unlock(&lock);
    return 0;
}

/// Does what waits in a stream, or drops it.
static void end_copies(CUstream_st *stream, int are_done) {
    while (stream->first != NULL) {
        copy_t *copy = stream->first;
        if (are_done) {
            memcpy(copy->to, copy->from, copy->byte_count);
        }
        stream->first = copy->next;
        free(copy);
    }
    stream->end = &stream->first;
}

/// Waits for the others that are to come.
static cuda_result_t meet(void) {
    struct timespec latest;
    clock_gettime(CLOCK_REALTIME, &latest);
    latest.tv_sec += 10;
    int failure = 0;
    pthread_mutex_lock(&lock);
    waiting++;
    pthread_cond_broadcast(&came);
    while (failure == 0 && waiting < script.waiting_together) {
        failure = pthread_cond_timedwait(&came, &lock, &latest);
    }
    pthread_mutex_unlock(&lock);
    return failure == 0 ? 0 : TIMEOUT;
}

cuda_result_t cuStreamSynchronize(CUstream_st *stream) {
    end_copies(stream, 1);
    return script.waiting_together > 1 ? meet() : 0;
}

cuda_result_t cuStreamDestroy_v2(CUstream_st *stream) {
    pthread_mutex_lock(&lock);
    usage.streams -= stream->generation == generation;
    pthread_mutex_unlock(&lock);
    end_copies(stream, 0);
    free(stream);
    return 0;
}

cuda_result_t cuEventCreate(CUevent_st **event, uint32_t flags) {
    (void)flags;
    *event = calloc(1, sizeof **event);
    pthread_mutex_lock(&lock);
    (*event)->generation = generation;
    usage.events++;
    pthread_mutex_unlock(&lock);
    return 0;
}

cuda_result_t cuEventRecord(CUevent_st *event, CUstream_st *stream) {
    (void)stream;
    pthread_mutex_lock(&lock);
    now += script.event_step;
    event->at = now;
    pthread_mutex_unlock(&lock);
    return 0;
}

cuda_result_t cuEventSynchronize(CUevent_st *event) {
    (void)event;
    return 0;
}

cuda_result_t cuEventElapsedTime(float *milliseconds, CUevent_st *start, CUevent_st *end) {
    *milliseconds = end->at - start->at;
    return 0;
}

cuda_result_t cuEventDestroy_v2(CUevent_st *event) {
    pthread_mutex_lock(&lock);
    usage.events -= event->generation == generation;
    pthread_mutex_unlock(&lock);
    free(event);
    return 0;
}

/// The object of shared memory that a handle names, as if it was a GPU's; with the lock held.
static allocation_t *map(const char *name, int32_t device) {
    allocation_t *place = NULL;
    for (int index = 0; index < MOST_ALLOCATIONS && place == NULL; index++) {
        place = allocations[index].kind == UNUSED ? &allocations[index] : NULL;
    }
    int descriptor = shm_open(name, O_RDWR, 0);
    struct stat status;
    if (place == NULL || descriptor < 0 || fstat(descriptor, &status) != 0) {
        return NULL;
    }
    size_t byte_count = (size_t)status.st_size;
    void *start = mmap(NULL, byte_count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (start == MAP_FAILED) {
        return NULL;
    }
    *place = (allocation_t){MAPPED, start, byte_count, device, 0};
    return place;
}

cuda_result_t cuIpcOpenMemHandle_v2(cuda_address_t *address, cuda_memory_handle_t handle, uint32_t flags) {
    (void)flags;
    if (depth == 0) {
        return INVALID_CONTEXT;
    }
    pthread_mutex_lock(&lock);
    allocation_t *found = NULL;
    if (memcmp(handle.bytes, "fake", 4) == 0) {
        found = find((uintptr_t)fake_cuda_exported(handle));
    } else if (memcmp(handle.bytes, "shm:", 4) == 0 && handle.bytes[63] == 0) {
        found = map((const char *)handle.bytes + 4, stack[depth - 1]->device);
    }
    if (found != NULL && found->device == stack[depth - 1]->device) {
        found->opened++;
        usage.opened_handles++;
        *address = (uintptr_t)found->start;
    } else {
        found = NULL;
    }
    pthread_mutex_unlock(&lock);
    return found == NULL ? INVALID_VALUE : 0;
}

cuda_result_t cuIpcCloseMemHandle(cuda_address_t address) {
    pthread_mutex_lock(&lock);
    allocation_t *found = find(address);
    if (found != NULL && found->opened > 0) {
        found->opened--;
        usage.opened_handles--;
        if (found->kind == MAPPED) {
            munmap(found->start, found->byte_count);
            found->kind = UNUSED;
        }
    }
    pthread_mutex_unlock(&lock);
    return found == NULL ? INVALID_VALUE : 0;
}

// The management library.

int32_t nvmlInit_v2(void) { return script.device_count == 0 ? 9 : 0; }
int32_t nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int32_t result) { return result == 9 ? "Driver Not Loaded" : "Not Supported"; }

int32_t nvmlDeviceGetCount_v2(uint32_t *count) {
    *count = (uint32_t)script.device_count;
    return 0;
}

int32_t nvmlDeviceGetHandleByIndex_v2(uint32_t index, nvmlDevice_st **device) {
    devices[index].index = index;
    *device = &devices[index];
    return 0;
}

int32_t nvmlDeviceGetUUID(nvmlDevice_st *device, char *uuid, uint32_t capacity) {
    snprintf(uuid, capacity, "GPU-%u", device->index);
    return 0;
}

int32_t nvmlDeviceGetUtilizationRates(nvmlDevice_st *device, nvml_utilization_t *rates) {
    *rates = (nvml_utilization_t){25 * (device->index + 1), 0};
    return script.management_is_silent ? 3 : 0;
}

int32_t nvmlDeviceGetMemoryInfo(nvmlDevice_st *device, nvml_memory_t *memory) {
    (void)device;
    *memory = (nvml_memory_t){script.memory_byte_count, script.memory_byte_count - (size_t)usage.device_bytes,
                              (uint64_t)usage.device_bytes};
    return script.management_is_silent ? 3 : 0;
}

int32_t nvmlDeviceGetPowerUsage(nvmlDevice_st *device, uint32_t *milliwatts) {
    *milliwatts = 70500 + 1000 * device->index;
    return script.management_is_silent ? 3 : 0;
}

int32_t nvmlDeviceGetPowerManagementLimit(nvmlDevice_st *device, uint32_t *milliwatts) {
    (void)device;
    *milliwatts = 300000;
    return script.management_is_silent ? 3 : 0;
}

int32_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_st *device, uint64_t *millijoules) {
    (void)device;
    pthread_mutex_lock(&lock);
    now += script.event_step;
    *millijoules = 1000000 + (uint64_t)(now * 1000);
    pthread_mutex_unlock(&lock);
    return script.management_is_silent ? 3 : 0;
}

#define FAKE_FILL(result, name, parameters) functions->name = name;

void fake_cuda_fill(cuda_functions_t *functions) { CUDA_FUNCTIONS(FAKE_FILL) }

void fake_nvml_fill(nvml_functions_t *functions) { NVML_FUNCTIONS(FAKE_FILL) }

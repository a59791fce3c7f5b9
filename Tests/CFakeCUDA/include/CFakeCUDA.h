// A driver without a GPU, for tests: devices are made up, and their memory is the processor's. It defines the symbols of
// the real libraries, so it can be built as `libcuda.so.1` and `libnvidia-ml.so.1` too. There a handle of `shm:` and the
// name of a memory object of the system opens that object, as if another process had it on its GPU.
#pragma once

#include "CCUDADriver.h"

#pragma clang assume_nonnull begin

/// What the driver is to do. All zero: a driver that works and finds no device.
typedef struct {
    /// What `cuInit` returns.
    int32_t init_result;
    /// 12080 for CUDA 12.8.
    int32_t version;
    int32_t device_count;
    /// Of each device.
    size_t memory_byte_count;
    int32_t compute_major, compute_minor;
    /// Page-locked memory that there is.
    size_t host_byte_count;
    /// What copies return.
    int32_t copy_result;
    /// Whether a stream's copies are done when somebody waits for the stream, and not before.
    int32_t copies_are_late;
    /// Threads that have to wait for streams at the same time before one of them goes on; less than 2 for none. It is an error
    /// where they don't come within ten seconds.
    int32_t waiting_together;
    /// Milliseconds between two events that are recorded one after the other.
    float event_step;
    /// Whether the management library says "not supported" to everything but the identity.
    int32_t management_is_silent;
} fake_cuda_script_t;

/// What is in use: all zero where nothing leaks.
typedef struct {
    int64_t contexts, pushed_contexts;
    int64_t device_allocations, host_allocations;
    int64_t streams, events, opened_handles;
    int64_t device_bytes, host_bytes;
} fake_cuda_usage_t;

/// Starts anew: nothing is in use after it.
void fake_cuda_reset(fake_cuda_script_t script);

/// Changes what happens from now on.
void fake_cuda_change(fake_cuda_script_t script);

fake_cuda_usage_t fake_cuda_usage(void);

/// The handle that another process would send for an allocation of that many bytes on a device.
cuda_memory_handle_t fake_cuda_export(int32_t device, size_t byte_count);

/// The bytes of an exported allocation.
void *fake_cuda_exported(cuda_memory_handle_t handle);

/// The functions, without loading a library.
void fake_cuda_fill(cuda_functions_t *functions);
void fake_nvml_fill(nvml_functions_t *functions);

#pragma clang assume_nonnull end

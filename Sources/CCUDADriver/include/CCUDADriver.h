// The parts of NVIDIA's driver interface and of its management library that Halcyon calls. Both come with the driver and
// are loaded at run time, so nothing here is linked, no header of theirs is needed, and a machine without them runs the
// same program.
//
// The names are those of the libraries' symbols: where a function was changed once, the symbol carries the number of the
// version that is meant.
#pragma once

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct CUctx_st CUctx_st;
typedef struct CUstream_st CUstream_st;
typedef struct CUevent_st CUevent_st;
typedef struct nvmlDevice_st nvmlDevice_st;

/// What a call returns: 0 is success.
typedef int32_t cuda_result_t;

/// An address in the memory of a GPU, or any other that the driver knows: all lie in one space.
typedef uint64_t cuda_address_t;

typedef struct {
    uint8_t bytes[16];
} cuda_uuid_t;

/// What another process needs to open an allocation of its owner.
typedef struct {
    uint8_t bytes[64];
} cuda_memory_handle_t;

/// A pointer that a function writes a new object or text to.
#define CUDA_RESULT(type) type *_Nullable *_Nonnull

/// Every function of the driver that is called: result, name, parameters.
#define CUDA_FUNCTIONS(F)                                                                                              \
    F(cuda_result_t, cuInit, (uint32_t flags))                                                                         \
    F(cuda_result_t, cuDriverGetVersion, (int32_t *))                                                                  \
    F(cuda_result_t, cuGetErrorName, (cuda_result_t, const char *_Nullable *_Nonnull))                                 \
    F(cuda_result_t, cuGetErrorString, (cuda_result_t, const char *_Nullable *_Nonnull))                               \
    F(cuda_result_t, cuDeviceGetCount, (int32_t *))                                                                    \
    F(cuda_result_t, cuDeviceGet, (int32_t * device, int32_t number))                                                  \
    F(cuda_result_t, cuDeviceGetName, (char *name, int32_t capacity, int32_t device))                                  \
    F(cuda_result_t, cuDeviceGetUuid, (cuda_uuid_t *, int32_t device))                                                 \
    F(cuda_result_t, cuDeviceTotalMem_v2, (size_t *, int32_t device))                                                  \
    F(cuda_result_t, cuDeviceGetAttribute, (int32_t *, int32_t attribute, int32_t device))                             \
    F(cuda_result_t, cuDevicePrimaryCtxRetain, (CUDA_RESULT(CUctx_st), int32_t device))                                \
    F(cuda_result_t, cuDevicePrimaryCtxRelease_v2, (int32_t device))                                                   \
    F(cuda_result_t, cuCtxPushCurrent_v2, (CUctx_st *))                                                                \
    F(cuda_result_t, cuCtxPopCurrent_v2, (CUDA_RESULT(CUctx_st)))                                                      \
    F(cuda_result_t, cuMemGetInfo_v2, (size_t *free, size_t *total))                                                   \
    F(cuda_result_t, cuMemAlloc_v2, (cuda_address_t *, size_t byte_count))                                             \
    F(cuda_result_t, cuMemFree_v2, (cuda_address_t))                                                                   \
    F(cuda_result_t, cuMemGetAddressRange_v2, (cuda_address_t * base, size_t *byte_count, cuda_address_t))             \
    F(cuda_result_t, cuMemHostAlloc, (CUDA_RESULT(void), size_t byte_count, uint32_t flags))                           \
    F(cuda_result_t, cuMemFreeHost, (void *))                                                                          \
    F(cuda_result_t, cuMemcpyAsync,                                                                                    \
      (cuda_address_t to, cuda_address_t from, size_t byte_count, CUstream_st *_Nullable))                             \
    F(cuda_result_t, cuStreamCreate, (CUDA_RESULT(CUstream_st), uint32_t flags))                                       \
    F(cuda_result_t, cuStreamSynchronize, (CUstream_st * _Nullable))                                                   \
    F(cuda_result_t, cuStreamDestroy_v2, (CUstream_st *))                                                              \
    F(cuda_result_t, cuEventCreate, (CUDA_RESULT(CUevent_st), uint32_t flags))                                         \
    F(cuda_result_t, cuEventRecord, (CUevent_st *, CUstream_st *_Nullable))                                            \
    F(cuda_result_t, cuEventSynchronize, (CUevent_st *))                                                               \
    F(cuda_result_t, cuEventElapsedTime, (float *milliseconds, CUevent_st *start, CUevent_st *end))                    \
    F(cuda_result_t, cuEventDestroy_v2, (CUevent_st *))                                                                \
    F(cuda_result_t, cuIpcOpenMemHandle_v2, (cuda_address_t *, cuda_memory_handle_t, uint32_t flags))                  \
    F(cuda_result_t, cuIpcCloseMemHandle, (cuda_address_t))

typedef struct {
    /// Shares of time in percent.
    uint32_t gpu, memory;
} nvml_utilization_t;

typedef struct {
    /// Bytes.
    uint64_t total, free, used;
} nvml_memory_t;

/// Every function of the management library that is called: result, name, parameters.
#define NVML_FUNCTIONS(F)                                                                                              \
    F(int32_t, nvmlInit_v2, (void))                                                                                    \
    F(int32_t, nvmlShutdown, (void))                                                                                   \
    F(const char *_Nullable, nvmlErrorString, (int32_t))                                                               \
    F(int32_t, nvmlDeviceGetCount_v2, (uint32_t *))                                                                    \
    F(int32_t, nvmlDeviceGetHandleByIndex_v2, (uint32_t index, CUDA_RESULT(nvmlDevice_st)))                            \
    F(int32_t, nvmlDeviceGetUUID, (nvmlDevice_st *, char *uuid, uint32_t capacity))                                    \
    F(int32_t, nvmlDeviceGetUtilizationRates, (nvmlDevice_st *, nvml_utilization_t *))                                 \
    F(int32_t, nvmlDeviceGetMemoryInfo, (nvmlDevice_st *, nvml_memory_t *))                                            \
    F(int32_t, nvmlDeviceGetPowerUsage, (nvmlDevice_st *, uint32_t *milliwatts))                                       \
    F(int32_t, nvmlDeviceGetPowerManagementLimit, (nvmlDevice_st *, uint32_t *milliwatts))                             \
    F(int32_t, nvmlDeviceGetTotalEnergyConsumption, (nvmlDevice_st *, uint64_t *millijoules))

#define CUDA_FIELD(result, name, parameters) result(*_Nonnull name) parameters;

/// The functions of an opened driver.
typedef struct {
    CUDA_FUNCTIONS(CUDA_FIELD)
} cuda_functions_t;

/// The functions of an opened management library.
typedef struct {
    NVML_FUNCTIONS(CUDA_FIELD)
} nvml_functions_t;

#undef CUDA_FIELD

/// Fills the table from a library that `dlopen` gave. Returns the name of the first function that it does not have, or
/// null where it has them all.
const char *_Nullable cuda_bind(void *library, cuda_functions_t *functions);

/// The same for the management library.
const char *_Nullable nvml_bind(void *library, nvml_functions_t *functions);

#pragma clang assume_nonnull end

// The part of ONNX Runtime's C interface that Halcyon calls. The library is loaded at run time, so nothing here is linked.
//
// The interface is one table of functions that only ever grows at its end, so that a function keeps its place in it for
// ever. `onnxruntime_bind` takes the functions from their places, which the list below gives.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct OrtEnv OrtEnv;
typedef struct OrtStatus OrtStatus;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtValue OrtValue;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtIoBinding OrtIoBinding;
typedef struct OrtThreadingOptions OrtThreadingOptions;
typedef struct OrtCUDAProviderOptionsV2 OrtCUDAProviderOptionsV2;
typedef struct OrtTensorRTProviderOptionsV2 OrtTensorRTProviderOptionsV2;

/// What a call returns: null is success; anything else is to be released.
#define ONNXRUNTIME_STATUS OrtStatus *_Nullable

/// The version of the interface that is asked for: that of ONNX Runtime 1.8, which has all functions of the list. Newer
/// libraries give it as well.
#define ONNXRUNTIME_API_VERSION 8

/// The versions of the interface that have the functions for execution providers, and those that hand a stream to one.
#define ONNXRUNTIME_PROVIDER_API_VERSION 12
#define ONNXRUNTIME_STREAM_API_VERSION 16

/// The number of an element type; `ElementTypes.swift` knows which is which.
typedef int32_t onnxruntime_element_type_t;

/// A pointer that a function writes a new object or string to.
#define ONNXRUNTIME_RESULT(type) type *_Nullable *_Nonnull

/// Every function that is called: place in the table, result, name, parameters.
#define ONNXRUNTIME_FUNCTIONS(F)                                                                                       \
    F(1, int32_t, get_error_code, (const OrtStatus *))                                                                 \
    F(2, const char *_Nullable, get_error_message, (const OrtStatus *))                                                \
    F(3, ONNXRUNTIME_STATUS, create_env, (int32_t level, const char *name, ONNXRUNTIME_RESULT(OrtEnv)))                \
    F(7, ONNXRUNTIME_STATUS, create_session,                                                                           \
      (const OrtEnv *, const char *path, const OrtSessionOptions *, ONNXRUNTIME_RESULT(OrtSession)))                   \
    F(9, ONNXRUNTIME_STATUS, run,                                                                                      \
      (OrtSession *, const OrtRunOptions *_Nullable, const char *const _Nonnull *_Nonnull input_names,                 \
       const OrtValue *const _Nonnull *_Nonnull inputs, size_t input_count,                                            \
       const char *const _Nonnull *_Nonnull output_names, size_t output_count, ONNXRUNTIME_RESULT(OrtValue) outputs))  \
    F(10, ONNXRUNTIME_STATUS, create_session_options, (ONNXRUNTIME_RESULT(OrtSessionOptions)))                         \
    F(13, ONNXRUNTIME_STATUS, set_session_execution_mode, (OrtSessionOptions *, int32_t mode))                         \
    F(16, ONNXRUNTIME_STATUS, enable_mem_pattern, (OrtSessionOptions *))                                               \
    F(17, ONNXRUNTIME_STATUS, disable_mem_pattern, (OrtSessionOptions *))                                              \
    F(18, ONNXRUNTIME_STATUS, enable_cpu_mem_arena, (OrtSessionOptions *))                                             \
    F(19, ONNXRUNTIME_STATUS, disable_cpu_mem_arena, (OrtSessionOptions *))                                            \
    F(23, ONNXRUNTIME_STATUS, set_session_graph_optimization_level, (OrtSessionOptions *, int32_t level))              \
    F(24, ONNXRUNTIME_STATUS, set_intra_op_num_threads, (OrtSessionOptions *, int32_t count))                          \
    F(25, ONNXRUNTIME_STATUS, set_inter_op_num_threads, (OrtSessionOptions *, int32_t count))                          \
    F(30, ONNXRUNTIME_STATUS, session_get_input_count, (const OrtSession *, size_t *))                                 \
    F(31, ONNXRUNTIME_STATUS, session_get_output_count, (const OrtSession *, size_t *))                                \
    F(32, ONNXRUNTIME_STATUS, session_get_overridable_initializer_count, (const OrtSession *, size_t *))               \
    F(33, ONNXRUNTIME_STATUS, session_get_input_type_info,                                                             \
      (const OrtSession *, size_t index, ONNXRUNTIME_RESULT(OrtTypeInfo)))                                             \
    F(34, ONNXRUNTIME_STATUS, session_get_output_type_info,                                                            \
      (const OrtSession *, size_t index, ONNXRUNTIME_RESULT(OrtTypeInfo)))                                             \
    F(35, ONNXRUNTIME_STATUS, session_get_overridable_initializer_type_info,                                           \
      (const OrtSession *, size_t index, ONNXRUNTIME_RESULT(OrtTypeInfo)))                                             \
    F(36, ONNXRUNTIME_STATUS, session_get_input_name,                                                                  \
      (const OrtSession *, size_t index, OrtAllocator *, ONNXRUNTIME_RESULT(char)))                                    \
    F(37, ONNXRUNTIME_STATUS, session_get_output_name,                                                                 \
      (const OrtSession *, size_t index, OrtAllocator *, ONNXRUNTIME_RESULT(char)))                                    \
    F(38, ONNXRUNTIME_STATUS, session_get_overridable_initializer_name,                                                \
      (const OrtSession *, size_t index, OrtAllocator *, ONNXRUNTIME_RESULT(char)))                                    \
    F(39, ONNXRUNTIME_STATUS, create_run_options, (ONNXRUNTIME_RESULT(OrtRunOptions)))                                 \
    F(48, ONNXRUNTIME_STATUS, create_tensor,                                                                           \
      (OrtAllocator *, const int64_t *_Nullable dimensions, size_t rank, onnxruntime_element_type_t,                   \
       ONNXRUNTIME_RESULT(OrtValue)))                                                                                  \
    F(49, ONNXRUNTIME_STATUS, create_tensor_with_data,                                                                 \
      (const OrtMemoryInfo *, void *data, size_t byte_count, const int64_t *_Nullable dimensions, size_t rank,         \
       onnxruntime_element_type_t, ONNXRUNTIME_RESULT(OrtValue)))                                                      \
    F(50, ONNXRUNTIME_STATUS, is_tensor, (const OrtValue *, int32_t *))                                                \
    F(51, ONNXRUNTIME_STATUS, get_tensor_mutable_data, (OrtValue *, ONNXRUNTIME_RESULT(void)))                         \
    F(52, ONNXRUNTIME_STATUS, fill_string_tensor,                                                                      \
      (OrtValue *, const char *const _Nonnull *_Nonnull strings, size_t count))                                        \
    F(53, ONNXRUNTIME_STATUS, get_string_tensor_data_length, (const OrtValue *, size_t *))                             \
    F(54, ONNXRUNTIME_STATUS, get_string_tensor_content,                                                               \
      (const OrtValue *, void *text, size_t byte_count, size_t *offsets, size_t count))                                \
    F(55, ONNXRUNTIME_STATUS, cast_type_info_to_tensor_info,                                                           \
      (const OrtTypeInfo *, const OrtTensorTypeAndShapeInfo *_Nullable *_Nonnull))                                     \
    F(60, ONNXRUNTIME_STATUS, get_tensor_element_type,                                                                 \
      (const OrtTensorTypeAndShapeInfo *, onnxruntime_element_type_t *))                                               \
    F(61, ONNXRUNTIME_STATUS, get_dimensions_count, (const OrtTensorTypeAndShapeInfo *, size_t *))                     \
    F(62, ONNXRUNTIME_STATUS, get_dimensions,                                                                          \
      (const OrtTensorTypeAndShapeInfo *, int64_t *_Nullable dimensions, size_t rank))                                 \
    F(65, ONNXRUNTIME_STATUS, get_tensor_type_and_shape,                                                               \
      (const OrtValue *, ONNXRUNTIME_RESULT(OrtTensorTypeAndShapeInfo)))                                               \
    F(68, ONNXRUNTIME_STATUS, create_memory_info,                                                                      \
      (const char *name, int32_t allocator, int32_t device, int32_t kind, ONNXRUNTIME_RESULT(OrtMemoryInfo)))          \
    F(69, ONNXRUNTIME_STATUS, create_cpu_memory_info,                                                                  \
      (int32_t allocator, int32_t kind, ONNXRUNTIME_RESULT(OrtMemoryInfo)))                                            \
    F(76, ONNXRUNTIME_STATUS, allocator_free, (OrtAllocator *, void *))                                                \
    F(78, ONNXRUNTIME_STATUS, get_allocator_with_default_options, (ONNXRUNTIME_RESULT(OrtAllocator)))                  \
    F(93, void, release_status, (OrtStatus *))                                                                         \
    F(94, void, release_memory_info, (OrtMemoryInfo *))                                                                \
    F(95, void, release_session, (OrtSession *))                                                                       \
    F(96, void, release_value, (OrtValue *))                                                                           \
    F(97, void, release_run_options, (OrtRunOptions *))                                                                \
    F(98, void, release_type_info, (OrtTypeInfo *))                                                                    \
    F(99, void, release_tensor_type_and_shape_info, (OrtTensorTypeAndShapeInfo *))                                     \
    F(100, void, release_session_options, (OrtSessionOptions *))                                                       \
    F(119, ONNXRUNTIME_STATUS, create_env_with_global_thread_pools,                                                    \
      (int32_t level, const char *name, const OrtThreadingOptions *, ONNXRUNTIME_RESULT(OrtEnv)))                      \
    F(120, ONNXRUNTIME_STATUS, disable_per_session_threads, (OrtSessionOptions *))                                     \
    F(121, ONNXRUNTIME_STATUS, create_threading_options, (ONNXRUNTIME_RESULT(OrtThreadingOptions)))                    \
    F(122, void, release_threading_options, (OrtThreadingOptions *))                                                   \
    F(125, ONNXRUNTIME_STATUS, get_available_providers,                                                                \
      (char *_Nullable *_Nullable *_Nonnull names, int32_t *count))                                                    \
    F(126, ONNXRUNTIME_STATUS, release_available_providers, (char *_Nullable *_Nonnull names, int32_t count))          \
    F(130, ONNXRUNTIME_STATUS, add_session_config_entry, (OrtSessionOptions *, const char *key, const char *value))    \
    F(133, ONNXRUNTIME_STATUS, run_with_binding,                                                                       \
      (OrtSession *, const OrtRunOptions *_Nullable, const OrtIoBinding *))                                            \
    F(134, ONNXRUNTIME_STATUS, create_io_binding, (OrtSession *, ONNXRUNTIME_RESULT(OrtIoBinding)))                    \
    F(135, void, release_io_binding, (OrtIoBinding *))                                                                 \
    F(136, ONNXRUNTIME_STATUS, bind_input, (OrtIoBinding *, const char *name, const OrtValue *))                       \
    F(138, ONNXRUNTIME_STATUS, bind_output_to_device, (OrtIoBinding *, const char *name, const OrtMemoryInfo *))       \
    F(140, ONNXRUNTIME_STATUS, get_bound_output_values,                                                                \
      (const OrtIoBinding *, OrtAllocator *, OrtValue *_Nullable *_Nullable *_Nonnull values, size_t *count))          \
    F(147, ONNXRUNTIME_STATUS, set_global_intra_op_threads, (OrtThreadingOptions *, int32_t count))                    \
    F(148, ONNXRUNTIME_STATUS, set_global_inter_op_threads, (OrtThreadingOptions *, int32_t count))                    \
    F(165, ONNXRUNTIME_STATUS, add_run_config_entry, (OrtRunOptions *, const char *key, const char *value))

/// Keys and values of options, as many of the one as of the other.
#define ONNXRUNTIME_OPTIONS const char *const _Nonnull *_Nonnull keys, const char *const _Nonnull *_Nonnull values, size_t count

/// The functions for execution providers: since version 1.12.
#define ONNXRUNTIME_PROVIDER_FUNCTIONS(F)                                                                              \
    F(170, ONNXRUNTIME_STATUS, append_tensorrt_provider, (OrtSessionOptions *, const OrtTensorRTProviderOptionsV2 *))  \
    F(171, ONNXRUNTIME_STATUS, create_tensorrt_options, (ONNXRUNTIME_RESULT(OrtTensorRTProviderOptionsV2)))            \
    F(172, ONNXRUNTIME_STATUS, update_tensorrt_options, (OrtTensorRTProviderOptionsV2 *, ONNXRUNTIME_OPTIONS))         \
    F(174, void, release_tensorrt_options, (OrtTensorRTProviderOptionsV2 *))                                           \
    F(204, ONNXRUNTIME_STATUS, append_cuda_provider, (OrtSessionOptions *, const OrtCUDAProviderOptionsV2 *))          \
    F(205, ONNXRUNTIME_STATUS, create_cuda_options, (ONNXRUNTIME_RESULT(OrtCUDAProviderOptionsV2)))                    \
    F(206, ONNXRUNTIME_STATUS, update_cuda_options, (OrtCUDAProviderOptionsV2 *, ONNXRUNTIME_OPTIONS))                 \
    F(208, void, release_cuda_options, (OrtCUDAProviderOptionsV2 *))                                                   \
    F(216, ONNXRUNTIME_STATUS, append_provider, (OrtSessionOptions *, const char *name, ONNXRUNTIME_OPTIONS))

/// The functions that hand a stream to an execution provider: since version 1.16.
#define ONNXRUNTIME_STREAM_FUNCTIONS(F)                                                                                \
    F(261, ONNXRUNTIME_STATUS, set_tensorrt_value,                                                                     \
      (OrtTensorRTProviderOptionsV2 *, const char *key, void *_Nullable value))                                        \
    F(263, ONNXRUNTIME_STATUS, set_cuda_value, (OrtCUDAProviderOptionsV2 *, const char *key, void *_Nullable value))

#define ONNXRUNTIME_FIELD(place, result, name, parameters) result(*_Nonnull name) parameters;
#define ONNXRUNTIME_OPTIONAL_FIELD(place, result, name, parameters) result(*_Nullable name) parameters;

/// The functions of an opened library.
typedef struct {
    ONNXRUNTIME_FUNCTIONS(ONNXRUNTIME_FIELD)
    // Null where the library is too old for them.
    ONNXRUNTIME_PROVIDER_FUNCTIONS(ONNXRUNTIME_OPTIONAL_FIELD)
    ONNXRUNTIME_STREAM_FUNCTIONS(ONNXRUNTIME_OPTIONAL_FIELD)
} onnxruntime_functions_t;

#undef ONNXRUNTIME_FIELD
#undef ONNXRUNTIME_OPTIONAL_FIELD

/// Why a library can't be used.
typedef enum {
    ONNXRUNTIME_BOUND,
    /// It has no `OrtGetApiBase`.
    ONNXRUNTIME_FOREIGN,
    /// It does not offer the version of the interface.
    ONNXRUNTIME_TOO_OLD,
    /// One of the functions is missing in its table.
    ONNXRUNTIME_INCOMPLETE,
} onnxruntime_binding_t;

/// Fills the table from a library that `dlopen` gave. `version` becomes what the library says of its version, valid as
/// long as it is open, or null where it does not get as far.
onnxruntime_binding_t onnxruntime_bind(void *library, onnxruntime_functions_t *functions,
                                       const char *_Nullable *_Nonnull version);

/// The file that the functions came from, valid as long as the library is open; null where the loader does not know.
const char *_Nullable onnxruntime_file(const onnxruntime_functions_t *functions);

#pragma clang assume_nonnull end

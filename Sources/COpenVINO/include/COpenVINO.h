// The part of OpenVINO's C interface that Halcyon calls. The library is loaded at run time, so nothing here is linked:
// the functions are fields of a table that `openvino_bind` fills from an opened library.
#pragma once

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct ov_core ov_core_t;
typedef struct ov_model ov_model_t;
typedef struct ov_compiled_model ov_compiled_model_t;
typedef struct ov_infer_request ov_infer_request_t;
typedef struct ov_tensor ov_tensor_t;
typedef struct ov_output_const_port ov_output_const_port_t;

/// 0 is success; every failure is negative.
typedef int32_t openvino_status_t;

/// The number of an element type; `Library.elementTypes` knows which is which, and checks it.
typedef uint32_t openvino_element_type_t;

/// What the runtime says of itself. The strings belong to the library until `ov_version_free`.
typedef struct {
    const char *_Nullable build_number;
    const char *_Nullable description;
} openvino_version_t;

/// The size of a tensor. The array belongs to whoever made the structure.
typedef struct {
    int64_t rank;
    int64_t *_Nullable dimensions;
} openvino_shape_t;

/// Bounds of a dimension, both included; `maximum` is -1 where there is no upper one.
typedef struct {
    int64_t minimum;
    int64_t maximum;
} openvino_dimension_t;

/// The sizes that a tensor may take. Where the rank's bounds differ, not even the number of dimensions is known.
typedef struct {
    openvino_dimension_t rank;
    openvino_dimension_t *_Nullable dimensions;
} openvino_partial_shape_t;

/// A setting. The value is a C string for all settings but a few that Halcyon does not let through.
typedef struct {
    const char *key;
    const void *value;
} openvino_property_t;

/// A pointer that a function writes a new object, port or string to.
#define OPENVINO_RESULT(type) type *_Nullable *_Nonnull

/// Every function that is called: result, name, parameters.
#define OPENVINO_FUNCTIONS(F)                                                                                          \
    F(const char *_Nonnull, ov_get_error_info, (openvino_status_t))                                                    \
    F(const char *_Nullable, ov_get_last_err_msg, (void))                                                              \
    F(void, ov_free, (const char *))                                                                                   \
    F(openvino_status_t, ov_get_openvino_version, (openvino_version_t *))                                              \
    F(void, ov_version_free, (openvino_version_t *))                                                                   \
    F(openvino_status_t, ov_core_create, (OPENVINO_RESULT(ov_core_t)))                                                 \
    F(void, ov_core_free, (ov_core_t *))                                                                               \
    F(openvino_status_t, ov_core_add_extension, (const ov_core_t *, const char *path))                                 \
    F(openvino_status_t, ov_core_read_model,                                                                           \
      (const ov_core_t *, const char *path, const char *_Nullable weights_path, OPENVINO_RESULT(ov_model_t)))          \
    F(openvino_status_t, ov_core_compile_model_props,                                                                  \
      (const ov_core_t *, const ov_model_t *, const char *device, size_t count,                                        \
       const openvino_property_t *_Nullable, OPENVINO_RESULT(ov_compiled_model_t)))                                    \
    F(openvino_status_t, ov_core_compile_model_from_file_props,                                                        \
      (const ov_core_t *, const char *path, const char *device, size_t count,                                          \
       const openvino_property_t *_Nullable, OPENVINO_RESULT(ov_compiled_model_t)))                                    \
    F(openvino_status_t, ov_core_set_properties,                                                                       \
      (const ov_core_t *, const char *device, size_t count, const openvino_property_t *_Nullable))                     \
    F(openvino_status_t, ov_core_import_model,                                                                         \
      (const ov_core_t *, const char *content, size_t size, const char *device, OPENVINO_RESULT(ov_compiled_model_t))) \
    F(void, ov_model_free, (ov_model_t *))                                                                             \
    F(openvino_status_t, ov_model_inputs_size, (const ov_model_t *, size_t *))                                         \
    F(openvino_status_t, ov_model_outputs_size, (const ov_model_t *, size_t *))                                        \
    F(openvino_status_t, ov_model_const_input_by_index,                                                                \
      (const ov_model_t *, size_t, OPENVINO_RESULT(ov_output_const_port_t)))                                           \
    F(openvino_status_t, ov_model_const_output_by_index,                                                               \
      (const ov_model_t *, size_t, OPENVINO_RESULT(ov_output_const_port_t)))                                           \
    F(openvino_status_t, ov_model_const_input_by_name,                                                                 \
      (const ov_model_t *, const char *, OPENVINO_RESULT(ov_output_const_port_t)))                                     \
    F(openvino_status_t, ov_model_const_output_by_name,                                                                \
      (const ov_model_t *, const char *, OPENVINO_RESULT(ov_output_const_port_t)))                                     \
    F(openvino_status_t, ov_model_reshape_by_port_indexes,                                                             \
      (const ov_model_t *, const size_t *, const openvino_partial_shape_t *, size_t count))                            \
    F(openvino_status_t, ov_port_get_any_name, (const ov_output_const_port_t *, OPENVINO_RESULT(char)))                \
    F(openvino_status_t, ov_port_get_partial_shape, (const ov_output_const_port_t *, openvino_partial_shape_t *))      \
    F(openvino_status_t, ov_port_get_element_type, (const ov_output_const_port_t *, openvino_element_type_t *))        \
    F(void, ov_output_const_port_free, (ov_output_const_port_t *))                                                     \
    F(void, ov_partial_shape_free, (openvino_partial_shape_t *))                                                       \
    F(openvino_status_t, ov_shape_free, (openvino_shape_t *))                                                          \
    F(openvino_status_t, ov_compiled_model_inputs_size, (const ov_compiled_model_t *, size_t *))                       \
    F(openvino_status_t, ov_compiled_model_outputs_size, (const ov_compiled_model_t *, size_t *))                      \
    F(openvino_status_t, ov_compiled_model_input_by_index,                                                             \
      (const ov_compiled_model_t *, size_t, OPENVINO_RESULT(ov_output_const_port_t)))                                  \
    F(openvino_status_t, ov_compiled_model_output_by_index,                                                            \
      (const ov_compiled_model_t *, size_t, OPENVINO_RESULT(ov_output_const_port_t)))                                  \
    F(openvino_status_t, ov_compiled_model_input_by_name,                                                              \
      (const ov_compiled_model_t *, const char *, OPENVINO_RESULT(ov_output_const_port_t)))                            \
    F(openvino_status_t, ov_compiled_model_output_by_name,                                                             \
      (const ov_compiled_model_t *, const char *, OPENVINO_RESULT(ov_output_const_port_t)))                            \
    F(openvino_status_t, ov_compiled_model_get_property,                                                               \
      (const ov_compiled_model_t *, const char *key, OPENVINO_RESULT(char)))                                           \
    F(openvino_status_t, ov_compiled_model_create_infer_request,                                                       \
      (const ov_compiled_model_t *, OPENVINO_RESULT(ov_infer_request_t)))                                              \
    F(void, ov_compiled_model_free, (ov_compiled_model_t *))                                                           \
    F(openvino_status_t, ov_infer_request_set_input_tensor_by_index,                                                   \
      (ov_infer_request_t *, size_t, const ov_tensor_t *))                                                             \
    F(openvino_status_t, ov_infer_request_get_output_tensor_by_index,                                                  \
      (const ov_infer_request_t *, size_t, OPENVINO_RESULT(ov_tensor_t)))                                              \
    F(openvino_status_t, ov_infer_request_set_output_tensor_by_index,                                                  \
      (ov_infer_request_t *, size_t, const ov_tensor_t *))                                                             \
    F(openvino_status_t, ov_infer_request_infer, (ov_infer_request_t *))                                               \
    F(void, ov_infer_request_free, (ov_infer_request_t *))                                                             \
    F(openvino_status_t, ov_tensor_create, (openvino_element_type_t, openvino_shape_t, OPENVINO_RESULT(ov_tensor_t)))  \
    F(openvino_status_t, ov_tensor_create_from_host_ptr,                                                               \
      (openvino_element_type_t, openvino_shape_t, void *, OPENVINO_RESULT(ov_tensor_t)))                               \
    F(openvino_status_t, ov_tensor_get_shape, (const ov_tensor_t *, openvino_shape_t *))                               \
    F(openvino_status_t, ov_tensor_get_byte_size, (const ov_tensor_t *, size_t *))                                     \
    F(openvino_status_t, ov_tensor_data, (const ov_tensor_t *, OPENVINO_RESULT(void)))                                 \
    F(void, ov_tensor_free, (ov_tensor_t *))

#define OPENVINO_FIELD(result, name, parameters) result(*_Nonnull name) parameters;

/// The functions of an opened library, each under its own name.
typedef struct {
    OPENVINO_FUNCTIONS(OPENVINO_FIELD)
} openvino_functions_t;

#undef OPENVINO_FIELD

/// Fills the table from a library that `dlopen` gave.
///
/// Returns null, or the name of the first function that the library does not have; the table is incomplete then.
const char *_Nullable openvino_bind(void *library, openvino_functions_t *functions);

/// The file that the functions came from, valid as long as the library is open; null where the loader does not know.
const char *_Nullable openvino_file(const openvino_functions_t *functions);

#pragma clang assume_nonnull end

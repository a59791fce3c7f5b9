// Triton's C interface, as Halcyon offers it: what a backend is called with, and what it may call. The names, types and values
// are those of Triton's published interface, version 1.19; the words are ours. See tritonserver.h for what all functions have
// in common.
#ifndef HALCYON_TRITON_CORE_TRITONBACKEND_H
#define HALCYON_TRITON_CORE_TRITONBACKEND_H

#include "triton/core/tritonserver.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TRITONBACKEND_API_VERSION_MAJOR 1
#define TRITONBACKEND_API_VERSION_MINOR 19

typedef struct TRITONBACKEND_Backend TRITONBACKEND_Backend;
typedef struct TRITONBACKEND_BackendAttribute TRITONBACKEND_BackendAttribute;
typedef struct TRITONBACKEND_Batcher TRITONBACKEND_Batcher;
typedef struct TRITONBACKEND_Input TRITONBACKEND_Input;
typedef struct TRITONBACKEND_MemoryManager TRITONBACKEND_MemoryManager;
typedef struct TRITONBACKEND_Model TRITONBACKEND_Model;
typedef struct TRITONBACKEND_ModelInstance TRITONBACKEND_ModelInstance;
typedef struct TRITONBACKEND_ModelInstanceResponseStatistics TRITONBACKEND_ModelInstanceResponseStatistics;
typedef struct TRITONBACKEND_Output TRITONBACKEND_Output;
typedef struct TRITONBACKEND_Request TRITONBACKEND_Request;
typedef struct TRITONBACKEND_Response TRITONBACKEND_Response;
typedef struct TRITONBACKEND_ResponseFactory TRITONBACKEND_ResponseFactory;
typedef struct TRITONBACKEND_State TRITONBACKEND_State;

typedef enum TRITONBACKEND_artifacttype_enum { TRITONBACKEND_ARTIFACT_FILESYSTEM } TRITONBACKEND_ArtifactType;

// Blocking: an instance is free for more when `Execute` returns. Device blocking: so are all others on its device, only then.
typedef enum TRITONBACKEND_execpolicy_enum {
    TRITONBACKEND_EXECUTION_BLOCKING,
    TRITONBACKEND_EXECUTION_DEVICE_BLOCKING
} TRITONBACKEND_ExecutionPolicy;

TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ApiVersion(uint32_t *major, uint32_t *minor);

// MARK: Memory

// UNSUPPORTED for memory that there never is, UNAVAILABLE where there is none left at the moment.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_MemoryManagerAllocate(TRITONBACKEND_MemoryManager *manager, void **buffer, const TRITONSERVER_MemoryType memory_type, const int64_t memory_type_id, const uint64_t byte_size);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_MemoryManagerFree(TRITONBACKEND_MemoryManager *manager, void *buffer, const TRITONSERVER_MemoryType memory_type, const int64_t memory_type_id);

// MARK: Inputs: they live as long as their request

// What is NULL is not returned.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_InputProperties(TRITONBACKEND_Input *input, const char **name, TRITONSERVER_DataType *datatype, const int64_t **shape, uint32_t *dims_count, uint64_t *byte_size, uint32_t *buffer_count);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_InputPropertiesForHostPolicy(TRITONBACKEND_Input *input, const char *host_policy_name, const char **name, TRITONSERVER_DataType *datatype, const int64_t **shape, uint32_t *dims_count, uint64_t *byte_size, uint32_t *buffer_count);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_InputBuffer(TRITONBACKEND_Input *input, const uint32_t index, const void **buffer, uint64_t *buffer_byte_size, TRITONSERVER_MemoryType *memory_type, int64_t *memory_type_id);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_InputBufferForHostPolicy(TRITONBACKEND_Input *input, const char *host_policy_name, const uint32_t index, const void **buffer, uint64_t *buffer_byte_size, TRITONSERVER_MemoryType *memory_type, int64_t *memory_type_id);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_InputBufferAttributes(TRITONBACKEND_Input *input, const uint32_t index, const void **buffer, TRITONSERVER_BufferAttributes **buffer_attributes);

// MARK: Outputs: they live as long as their response

TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_OutputBuffer(TRITONBACKEND_Output *output, void **buffer, const uint64_t buffer_byte_size, TRITONSERVER_MemoryType *memory_type, int64_t *memory_type_id);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_OutputBufferAttributes(TRITONBACKEND_Output *output, TRITONSERVER_BufferAttributes **buffer_attributes);

// MARK: Requests

TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestId(TRITONBACKEND_Request *request, const char **id);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestIsCancelled(TRITONBACKEND_Request *request, bool *is_cancelled);
// An error where the id is a text.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestCorrelationId(TRITONBACKEND_Request *request, uint64_t *id);
// An error where the id is a number.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestCorrelationIdString(TRITONBACKEND_Request *request, const char **id);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_InferenceRequestTimeoutMicroseconds(TRITONBACKEND_Request *request, uint64_t *timeout);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestFlags(TRITONBACKEND_Request *request, uint32_t *flags);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestParameterCount(TRITONBACKEND_Request *request, uint32_t *count);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestParameter(TRITONBACKEND_Request *request, const uint32_t index, const char **key, TRITONSERVER_ParameterType *type, const void **vvalue);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestInputCount(TRITONBACKEND_Request *request, uint32_t *count);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestInputName(TRITONBACKEND_Request *request, const uint32_t index, const char **input_name);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestInput(TRITONBACKEND_Request *request, const char *name, TRITONBACKEND_Input **input);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestInputByIndex(TRITONBACKEND_Request *request, const uint32_t index, TRITONBACKEND_Input **input);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestOutputCount(TRITONBACKEND_Request *request, uint32_t *count);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestOutputName(TRITONBACKEND_Request *request, const uint32_t index, const char **output_name);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestOutputBufferProperties(TRITONBACKEND_Request *request, const char *name, size_t *byte_size, TRITONSERVER_MemoryType *memory_type, int64_t *memory_type_id);
// Gives the request back; it and all that belongs to it must not be used any more.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestRelease(TRITONBACKEND_Request *request, uint32_t release_flags);
// NULL where the request is not traced.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_RequestTrace(TRITONBACKEND_Request *request, TRITONSERVER_InferenceTrace **trace);

// MARK: Response factories: responses to a request that has been given back

TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ResponseFactoryNew(TRITONBACKEND_ResponseFactory **factory, TRITONBACKEND_Request *request);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ResponseFactoryDelete(TRITONBACKEND_ResponseFactory *factory);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ResponseFactorySendFlags(TRITONBACKEND_ResponseFactory *factory, const uint32_t send_flags);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ResponseFactoryIsCancelled(TRITONBACKEND_ResponseFactory *factory, bool *is_cancelled);

// MARK: Responses

TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ResponseNew(TRITONBACKEND_Response **response, TRITONBACKEND_Request *request);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ResponseNewFromFactory(TRITONBACKEND_Response **response, TRITONBACKEND_ResponseFactory *factory);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ResponseDelete(TRITONBACKEND_Response *response);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ResponseSetStringParameter(TRITONBACKEND_Response *response, const char *name, const char *value);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ResponseSetIntParameter(TRITONBACKEND_Response *response, const char *name, const int64_t value);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ResponseSetBoolParameter(TRITONBACKEND_Response *response, const char *name, const bool value);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ResponseSetDoubleParameter(TRITONBACKEND_Response *response, const char *name, const double value);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ResponseOutput(TRITONBACKEND_Response *response, TRITONBACKEND_Output **output, const char *name, const TRITONSERVER_DataType datatype, const int64_t *shape, const uint32_t dims_count);
// Takes the response; the error stays the caller's.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ResponseSend(TRITONBACKEND_Response *response, const uint32_t send_flags, TRITONSERVER_Error *error);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_InferenceResponseOutputByName(TRITONBACKEND_Response *response, const char *name, TRITONSERVER_DataType *datatype, const int64_t **shape, uint64_t *dim_count);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_InferenceResponseOutput(TRITONBACKEND_Response *response, const uint32_t index, const char **name, TRITONSERVER_DataType *datatype, const int64_t **shape, uint64_t *dim_count);

// MARK: State of sequences

TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_StateNew(TRITONBACKEND_State **state, TRITONBACKEND_Request *request, const char *name, const TRITONSERVER_DataType datatype, const int64_t *shape, const uint32_t dims_count);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_StateUpdate(TRITONBACKEND_State *state);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_StateBuffer(TRITONBACKEND_State *state, void **buffer, const uint64_t buffer_byte_size, TRITONSERVER_MemoryType *memory_type, int64_t *memory_type_id);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_StateBufferAttributes(TRITONBACKEND_State *state, TRITONSERVER_BufferAttributes **buffer_attributes);

// MARK: The backend

TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_BackendName(TRITONBACKEND_Backend *backend, const char **name);
// {"cmdline": {setting: value}}; the message is the backend's.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_BackendConfig(TRITONBACKEND_Backend *backend, TRITONSERVER_Message **backend_config);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_BackendExecutionPolicy(TRITONBACKEND_Backend *backend, TRITONBACKEND_ExecutionPolicy *policy);
// Only in TRITONBACKEND_Initialize.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_BackendSetExecutionPolicy(TRITONBACKEND_Backend *backend, TRITONBACKEND_ExecutionPolicy policy);
// The folder that the library lies in.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_BackendArtifacts(TRITONBACKEND_Backend *backend, TRITONBACKEND_ArtifactType *artifact_type, const char **location);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_BackendMemoryManager(TRITONBACKEND_Backend *backend, TRITONBACKEND_MemoryManager **manager);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_BackendState(TRITONBACKEND_Backend *backend, void **state);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_BackendSetState(TRITONBACKEND_Backend *backend, void *state);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_BackendAttributeAddPreferredInstanceGroup(TRITONBACKEND_BackendAttribute *backend_attributes, const TRITONSERVER_InstanceGroupKind kind, const uint64_t count, const uint64_t *device_ids, const uint64_t id_count);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_BackendAttributeSetParallelModelInstanceLoading(TRITONBACKEND_BackendAttribute *backend_attributes, bool enabled);

// MARK: The model

TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelName(TRITONBACKEND_Model *model, const char **name);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelVersion(TRITONBACKEND_Model *model, uint64_t *version);
// The model's folder, with its versions.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelRepository(TRITONBACKEND_Model *model, TRITONBACKEND_ArtifactType *artifact_type, const char **location);
// The caller frees the message. The version is 1.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelConfig(TRITONBACKEND_Model *model, const uint32_t config_version, TRITONSERVER_Message **model_config);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelAutoCompleteConfig(TRITONBACKEND_Model *model, bool *auto_complete_config);
// Only in TRITONBACKEND_ModelInitialize, where auto-completion is on. The message stays the caller's.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelSetConfig(TRITONBACKEND_Model *model, const uint32_t config_version, TRITONSERVER_Message *model_config);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelServer(TRITONBACKEND_Model *model, TRITONSERVER_Server **server);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelBackend(TRITONBACKEND_Model *model, TRITONBACKEND_Backend **backend);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelState(TRITONBACKEND_Model *model, void **state);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelSetState(TRITONBACKEND_Model *model, void *state);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelReportMemoryUsage(TRITONBACKEND_Model *model, TRITONSERVER_BufferAttributes **usage, uint32_t usage_size);

// MARK: The instance

TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceName(TRITONBACKEND_ModelInstance *instance, const char **name);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceKind(TRITONBACKEND_ModelInstance *instance, TRITONSERVER_InstanceGroupKind *kind);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceDeviceId(TRITONBACKEND_ModelInstance *instance, int32_t *device_id);
// {policy: {setting: value}}; the message is the instance's.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceHostPolicy(TRITONBACKEND_ModelInstance *instance, TRITONSERVER_Message **host_policy);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceIsPassive(TRITONBACKEND_ModelInstance *instance, bool *is_passive);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceProfileCount(TRITONBACKEND_ModelInstance *instance, uint32_t *count);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceProfileName(TRITONBACKEND_ModelInstance *instance, const uint32_t index, const char **profile_name);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceSecondaryDeviceCount(TRITONBACKEND_ModelInstance *instance, uint32_t *count);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceSecondaryDeviceProperties(TRITONBACKEND_ModelInstance *instance, uint32_t index, const char **kind, int64_t *id);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceModel(TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Model **model);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceState(TRITONBACKEND_ModelInstance *instance, void **state);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceSetState(TRITONBACKEND_ModelInstance *instance, void *state);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceReportMemoryUsage(TRITONBACKEND_ModelInstance *instance, TRITONSERVER_BufferAttributes **usage, uint32_t usage_size);
// Before the request is given back. Nanoseconds of the monotonic clock.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceReportStatistics(TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request *request, const bool success, const uint64_t exec_start_ns, const uint64_t compute_start_ns, const uint64_t compute_end_ns, const uint64_t exec_end_ns);
// What there is to say of a response, set piece by piece, and reported before the factory or its request goes. Nanoseconds of
// the monotonic clock; a response without outputs has no start of its output; the error stays the caller's.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceResponseStatisticsNew(TRITONBACKEND_ModelInstanceResponseStatistics **response_statistics);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceResponseStatisticsDelete(TRITONBACKEND_ModelInstanceResponseStatistics *response_statistics);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceResponseStatisticsSetModelInstance(TRITONBACKEND_ModelInstanceResponseStatistics *response_statistics, TRITONBACKEND_ModelInstance *model_instance);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceResponseStatisticsSetResponseFactory(TRITONBACKEND_ModelInstanceResponseStatistics *response_statistics, TRITONBACKEND_ResponseFactory *response_factory);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceResponseStatisticsSetResponseStart(TRITONBACKEND_ModelInstanceResponseStatistics *response_statistics, uint64_t response_start);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceResponseStatisticsSetComputeOutputStart(TRITONBACKEND_ModelInstanceResponseStatistics *response_statistics, uint64_t compute_output_start);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceResponseStatisticsSetResponseEnd(TRITONBACKEND_ModelInstanceResponseStatistics *response_statistics, uint64_t response_end);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceResponseStatisticsSetError(TRITONBACKEND_ModelInstanceResponseStatistics *response_statistics, TRITONSERVER_Error *error);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceReportResponseStatistics(TRITONBACKEND_ModelInstanceResponseStatistics *response_statistics);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONBACKEND_ModelInstanceReportBatchStatistics(TRITONBACKEND_ModelInstance *instance, const uint64_t batch_size, const uint64_t exec_start_ns, const uint64_t compute_start_ns, const uint64_t compute_end_ns, const uint64_t exec_end_ns);

// MARK: What a backend offers

// Only TRITONBACKEND_ModelInstanceExecute must be there. One that returns NULL has taken the requests; they are given back with
// TRITONBACKEND_RequestRelease, from any thread, also later. One that returns an error has taken none.
typedef TRITONSERVER_Error *(*TRITONBACKEND_InitializeFn_t)(TRITONBACKEND_Backend *backend);
typedef TRITONSERVER_Error *(*TRITONBACKEND_AttributeFn_t)(
    TRITONBACKEND_Backend *backend, TRITONBACKEND_BackendAttribute *backend_attributes);
typedef TRITONSERVER_Error *(*TRITONBACKEND_ModelFn_t)(TRITONBACKEND_Model *model);
typedef TRITONSERVER_Error *(*TRITONBACKEND_ModelInstanceFn_t)(TRITONBACKEND_ModelInstance *instance);
typedef TRITONSERVER_Error *(*TRITONBACKEND_ModelInstanceExecuteFn_t)(
    TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request **requests, const uint32_t request_count);

// MARK: What a library of batching offers: all of these (TRITONBACKEND_ModelBatcherInitialize and so on)

typedef TRITONSERVER_Error *(*TRITONBACKEND_ModelBatcherInitializeFn_t)(
    TRITONBACKEND_Batcher **batcher, TRITONBACKEND_Model *model);
typedef TRITONSERVER_Error *(*TRITONBACKEND_ModelBatcherFinalizeFn_t)(TRITONBACKEND_Batcher *batcher);
typedef TRITONSERVER_Error *(*TRITONBACKEND_ModelBatchInitializeFn_t)(const TRITONBACKEND_Batcher *batcher, void **userp);
typedef TRITONSERVER_Error *(*TRITONBACKEND_ModelBatchIncludeRequestFn_t)(
    TRITONBACKEND_Request *request, void *userp, bool *should_include);
typedef TRITONSERVER_Error *(*TRITONBACKEND_ModelBatchFinalizeFn_t)(void *userp);

#ifdef __cplusplus
}
#endif

#endif


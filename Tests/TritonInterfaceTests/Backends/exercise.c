// A backend that calls what there is to be called. What a request's first number asks for is done; where a function does not
// do what its header says, the request fails with the line.
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "triton/core/tritonbackend.h"

#define EXPORT __attribute__((visibility("default")))

static TRITONSERVER_Error *wrong(int line, const char *what, TRITONSERVER_Error *error) {
    char text[512];
    snprintf(text, sizeof text, "line %d: %s%s%s", line, what, error ? ": " : "", error ? TRITONSERVER_ErrorMessage(error) : "");
    TRITONSERVER_ErrorDelete(error);
    return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, text);
}

// What must succeed, what must fail, and what must hold.
#define DO(call)                                                   \
    do {                                                           \
        TRITONSERVER_Error *error_ = (call);                       \
        if (error_) return wrong(__LINE__, #call, error_);         \
    } while (0)
#define FAILS(call)                                                \
    do {                                                           \
        TRITONSERVER_Error *error_ = (call);                       \
        if (!error_) return wrong(__LINE__, #call " succeeds", 0); \
        TRITONSERVER_ErrorDelete(error_);                          \
    } while (0)
#define HOLDS(condition)                                           \
    do {                                                           \
        if (!(condition)) return wrong(__LINE__, #condition, 0);   \
    } while (0)

enum { ECHO, FAIL, LATER, REFUSE, TWICE, AFTER_FINAL, NO_ANSWER, TELL, MEMORY, MANY, CANCELLED, DELETED, WRONG_TYPE, KILL };

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_Initialize(TRITONBACKEND_Backend *backend) {
    uint32_t major = 0, minor = 0;
    DO(TRITONBACKEND_ApiVersion(&major, &minor));
    HOLDS(major == TRITONBACKEND_API_VERSION_MAJOR && minor >= TRITONBACKEND_API_VERSION_MINOR);
    FAILS(TRITONBACKEND_ApiVersion(NULL, &minor));
    const char *name = NULL;
    DO(TRITONBACKEND_BackendName(backend, &name));
    HOLDS(strcmp(name, "exercise") == 0);
    FAILS(TRITONBACKEND_BackendName(NULL, &name));
    FAILS(TRITONBACKEND_BackendName(backend, NULL));
    FAILS(TRITONBACKEND_BackendName((TRITONBACKEND_Backend *)name, &name));
    TRITONSERVER_Message *message = NULL;
    DO(TRITONBACKEND_BackendConfig(backend, &message));
    const char *text = NULL;
    size_t size = 0;
    DO(TRITONSERVER_MessageSerializeToJson(message, &text, &size));
    HOLDS(memmem(text, size, "\"cmdline\"", 9) && memmem(text, size, "\"backend-directory\"", 19));
    HOLDS(memmem(text, size, "\"setting\":\"of the command line\"", 31));
    TRITONBACKEND_ArtifactType type = 7;
    const char *location = NULL;
    DO(TRITONBACKEND_BackendArtifacts(backend, &type, &location));
    HOLDS(type == TRITONBACKEND_ARTIFACT_FILESYSTEM && strstr(location, "/exercise"));
    TRITONBACKEND_ExecutionPolicy policy;
    DO(TRITONBACKEND_BackendExecutionPolicy(backend, &policy));
    HOLDS(policy == TRITONBACKEND_EXECUTION_BLOCKING);
    FAILS(TRITONBACKEND_BackendSetExecutionPolicy(backend, 9));
    DO(TRITONBACKEND_BackendSetExecutionPolicy(backend, TRITONBACKEND_EXECUTION_DEVICE_BLOCKING));
    DO(TRITONBACKEND_BackendSetExecutionPolicy(backend, TRITONBACKEND_EXECUTION_BLOCKING));
    DO(TRITONBACKEND_BackendSetState(backend, (void *)0x1234));
    DO(TRITONSERVER_LogMessage(TRITONSERVER_LOG_INFO, __FILE__, __LINE__, "the backend is there"));
    FAILS(TRITONSERVER_LogMessage(17, __FILE__, __LINE__, "no such level"));
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_GetBackendAttribute(
    TRITONBACKEND_Backend *backend, TRITONBACKEND_BackendAttribute *attributes) {
    void *state = NULL;
    DO(TRITONBACKEND_BackendState(backend, &state));
    HOLDS(state == (void *)0x1234);
    DO(TRITONBACKEND_BackendAttributeAddPreferredInstanceGroup(attributes, TRITONSERVER_INSTANCEGROUPKIND_CPU, 1, NULL, 0));
    FAILS(TRITONBACKEND_BackendAttributeAddPreferredInstanceGroup(attributes, TRITONSERVER_INSTANCEGROUPKIND_CPU, 1, NULL, 3));
    DO(TRITONBACKEND_BackendAttributeSetParallelModelInstanceLoading(attributes, true));
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_Finalize(TRITONBACKEND_Backend *backend) {
    const char *name = NULL;
    DO(TRITONBACKEND_BackendName(backend, &name));
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInitialize(TRITONBACKEND_Model *model) {
    const char *name = NULL, *location = NULL;
    uint64_t version = 0;
    DO(TRITONBACKEND_ModelName(model, &name));
    DO(TRITONBACKEND_ModelVersion(model, &version));
    HOLDS(version == 1);
    TRITONBACKEND_ArtifactType type;
    DO(TRITONBACKEND_ModelRepository(model, &type, &location));
    HOLDS(strstr(location, name));
    TRITONSERVER_Message *message = NULL;
    DO(TRITONBACKEND_ModelConfig(model, 1, &message));
    FAILS(TRITONBACKEND_ModelConfig(model, 2, &message));
    const char *text = NULL;
    size_t size = 0;
    DO(TRITONSERVER_MessageSerializeToJson(message, &text, &size));
    HOLDS(memmem(text, size, "\"backend\":\"exercise\"", 20));
    if (memmem(text, size, "\"refuses\"", 9)) {
        DO(TRITONSERVER_MessageDelete(message));
        return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNSUPPORTED, "this model is refused");
    }
    bool completes = false;
    DO(TRITONBACKEND_ModelAutoCompleteConfig(model, &completes));
    if (completes && memmem(text, size, "\"input\":[]", 10)) {
        const char *completed =
            "{\"name\": \"completed\", \"backend\": \"exercise\", \"max_batch_size\": 3,"
            "\"input\": [{\"name\": \"IN\", \"data_type\": \"TYPE_INT32\", \"dims\": [-1]}],"
            "\"output\": [{\"name\": \"OUT\", \"data_type\": \"TYPE_INT32\", \"dims\": [\"-1\"]}]}";
        TRITONSERVER_Message *own = NULL;
        DO(TRITONSERVER_MessageNewFromSerializedJson(&own, completed, strlen(completed)));
        DO(TRITONBACKEND_ModelSetConfig(model, 1, own));
        FAILS(TRITONBACKEND_ModelSetConfig(model, 7, own));
        DO(TRITONSERVER_MessageDelete(own));
    }
    DO(TRITONSERVER_MessageDelete(message));
    FAILS(TRITONSERVER_MessageDelete(message));
    TRITONSERVER_Server *server = NULL;
    DO(TRITONBACKEND_ModelServer(model, &server));
    HOLDS(server != NULL);
    TRITONBACKEND_Backend *backend = NULL;
    DO(TRITONBACKEND_ModelBackend(model, &backend));
    void *state = NULL;
    DO(TRITONBACKEND_BackendState(backend, &state));
    HOLDS(state == (void *)0x1234);
    FAILS(TRITONBACKEND_ModelName((TRITONBACKEND_Model *)backend, &name));
    DO(TRITONBACKEND_ModelSetState(model, malloc(16)));
    TRITONSERVER_BufferAttributes *usage = NULL;
    DO(TRITONSERVER_BufferAttributesNew(&usage));
    DO(TRITONSERVER_BufferAttributesSetByteSize(usage, 4096));
    DO(TRITONBACKEND_ModelReportMemoryUsage(model, &usage, 1));
    FAILS(TRITONBACKEND_ModelReportMemoryUsage(model, NULL, 1));
    DO(TRITONSERVER_BufferAttributesDelete(usage));
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelFinalize(TRITONBACKEND_Model *model) {
    void *state = NULL;
    DO(TRITONBACKEND_ModelState(model, &state));
    HOLDS(state != NULL);
    free(state);
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceInitialize(TRITONBACKEND_ModelInstance *instance) {
    const char *name = NULL;
    DO(TRITONBACKEND_ModelInstanceName(instance, &name));
    TRITONSERVER_InstanceGroupKind kind;
    DO(TRITONBACKEND_ModelInstanceKind(instance, &kind));
    HOLDS(kind == TRITONSERVER_INSTANCEGROUPKIND_CPU);
    int32_t device = 7;
    DO(TRITONBACKEND_ModelInstanceDeviceId(instance, &device));
    HOLDS(device == 0);
    TRITONSERVER_Message *policy = NULL;
    DO(TRITONBACKEND_ModelInstanceHostPolicy(instance, &policy));
    const char *text = NULL;
    size_t size = 0;
    DO(TRITONSERVER_MessageSerializeToJson(policy, &text, &size));
    HOLDS(size == 10 && memcmp(text, "{\"cpu\":{}}", size) == 0);
    bool passive = true;
    DO(TRITONBACKEND_ModelInstanceIsPassive(instance, &passive));
    HOLDS(!passive);
    uint32_t count = 7;
    DO(TRITONBACKEND_ModelInstanceProfileCount(instance, &count));
    HOLDS(count == 0);
    FAILS(TRITONBACKEND_ModelInstanceProfileName(instance, 0, &name));
    DO(TRITONBACKEND_ModelInstanceSecondaryDeviceCount(instance, &count));
    HOLDS(count == 0);
    int64_t id;
    FAILS(TRITONBACKEND_ModelInstanceSecondaryDeviceProperties(instance, 0, &name, &id));
    TRITONBACKEND_Model *model = NULL;
    DO(TRITONBACKEND_ModelInstanceModel(instance, &model));
    void *state = NULL;
    DO(TRITONBACKEND_ModelState(model, &state));
    HOLDS(state != NULL);
    // The process without which the instance is of no use; 0 where there is none.
    pid_t *helper = calloc(1, sizeof *helper);
    DO(TRITONBACKEND_ModelInstanceSetState(instance, helper));
    DO(TRITONBACKEND_ModelInstanceReportMemoryUsage(instance, NULL, 0));
    TRITONSERVER_Message *configuration = NULL;
    DO(TRITONBACKEND_ModelConfig(model, 1, &configuration));
    DO(TRITONSERVER_MessageSerializeToJson(configuration, &text, &size));
    if (memmem(text, size, "\"starts\"", 8)) {
        char *arguments[] = {"sleep", "1000", NULL};
        HOLDS(posix_spawnp(helper, "sleep", NULL, NULL, arguments, environ) == 0);
    }
    DO(TRITONSERVER_MessageDelete(configuration));
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceFinalize(TRITONBACKEND_ModelInstance *instance) {
    pid_t *helper = NULL;
    DO(TRITONBACKEND_ModelInstanceState(instance, (void **)&helper));
    HOLDS(helper != NULL);
    if (*helper) {
        kill(*helper, SIGKILL);
        waitpid(*helper, NULL, 0);
    }
    free(helper);
    return NULL;
}

// Puts the numbers of IN into OUT of a response.
static TRITONSERVER_Error *fill(TRITONBACKEND_Response *response, const int32_t *numbers, const int64_t *shape, uint32_t rank, size_t size) {
    TRITONBACKEND_Output *output = NULL;
    FAILS(TRITONBACKEND_ResponseOutput(response, &output, "OUT", TRITONSERVER_TYPE_INVALID, shape, rank));
    FAILS(TRITONBACKEND_ResponseOutput(response, &output, NULL, TRITONSERVER_TYPE_INT32, shape, rank));
    DO(TRITONBACKEND_ResponseOutput(response, &output, "OUT", TRITONSERVER_TYPE_INT32, shape, rank));
    TRITONSERVER_BufferAttributes *attributes = NULL;
    FAILS(TRITONBACKEND_OutputBufferAttributes(output, &attributes));
    void *buffer = NULL;
    TRITONSERVER_MemoryType type = TRITONSERVER_MEMORY_GPU;
    int64_t id = 3;
    DO(TRITONBACKEND_OutputBuffer(output, &buffer, size, &type, &id));
    HOLDS(buffer && type == TRITONSERVER_MEMORY_CPU && id == 0);
    DO(TRITONBACKEND_OutputBufferAttributes(output, &attributes));
    size_t said = 0;
    DO(TRITONSERVER_BufferAttributesByteSize(attributes, &said));
    HOLDS(said == size);
    // Asked for again, the memory is another, and so is what is said of it.
    DO(TRITONBACKEND_OutputBuffer(output, &buffer, size + 4, &type, &id));
    DO(TRITONBACKEND_OutputBufferAttributes(output, &attributes));
    DO(TRITONSERVER_BufferAttributesByteSize(attributes, &said));
    HOLDS(said == size + 4);
    DO(TRITONBACKEND_OutputBuffer(output, &buffer, size, &type, &id));
    memcpy(buffer, numbers, size);
    TRITONSERVER_DataType datatype;
    const int64_t *own = NULL;
    uint64_t dims = 0;
    const char *name = NULL;
    DO(TRITONBACKEND_InferenceResponseOutputByName(response, "OUT", &datatype, &own, &dims));
    HOLDS(datatype == TRITONSERVER_TYPE_INT32 && dims == rank && own[0] == shape[0]);
    FAILS(TRITONBACKEND_InferenceResponseOutputByName(response, "OTHER", &datatype, &own, &dims));
    DO(TRITONBACKEND_InferenceResponseOutput(response, 0, &name, &datatype, &own, &dims));
    HOLDS(strcmp(name, "OUT") == 0);
    FAILS(TRITONBACKEND_InferenceResponseOutput(response, 1, &name, &datatype, &own, &dims));
    return NULL;
}

struct later {
    TRITONBACKEND_ResponseFactory *factory;
    int32_t numbers[64];
    int64_t shape[2];
    uint32_t rank;
    size_t size;
    int count;
};

static TRITONSERVER_Error *answer(struct later *later) {
    bool cancelled = true;
    DO(TRITONBACKEND_ResponseFactoryIsCancelled(later->factory, &cancelled));
    for (int i = 0; i < later->count; i++) {
        TRITONBACKEND_Response *response = NULL;
        DO(TRITONBACKEND_ResponseNewFromFactory(&response, later->factory));
        TRITONSERVER_Error *error = fill(response, later->numbers, later->shape, later->rank, later->size);
        DO(TRITONBACKEND_ResponseSend(response, 0, error));
        TRITONSERVER_ErrorDelete(error);
    }
    DO(TRITONBACKEND_ResponseFactorySendFlags(later->factory, TRITONSERVER_RESPONSE_COMPLETE_FINAL));
    DO(TRITONBACKEND_ResponseFactoryDelete(later->factory));
    FAILS(TRITONBACKEND_ResponseFactorySendFlags(later->factory, TRITONSERVER_RESPONSE_COMPLETE_FINAL));
    return NULL;
}

static void *answer_later(void *context) {
    struct later *later = context;
    TRITONSERVER_Error *error = answer(later);
    if (error) fprintf(stderr, "exercise: %s\n", TRITONSERVER_ErrorMessage(error));
    TRITONSERVER_ErrorDelete(error);
    free(later);
    return NULL;
}

static TRITONSERVER_Error *look(TRITONBACKEND_Request *request, const int32_t **numbers, const int64_t **shape, uint32_t *rank, uint64_t *size) {
    uint32_t count = 0;
    DO(TRITONBACKEND_RequestInputCount(request, &count));
    HOLDS(count == 1);
    const char *name = NULL;
    DO(TRITONBACKEND_RequestInputName(request, 0, &name));
    HOLDS(strcmp(name, "IN") == 0);
    FAILS(TRITONBACKEND_RequestInputName(request, 1, &name));
    TRITONBACKEND_Input *input = NULL, *same = NULL;
    FAILS(TRITONBACKEND_RequestInput(request, "OTHER", &input));
    DO(TRITONBACKEND_RequestInput(request, "IN", &input));
    DO(TRITONBACKEND_RequestInputByIndex(request, 0, &same));
    HOLDS(input == same);
    FAILS(TRITONBACKEND_RequestInputByIndex(request, 9, &same));
    TRITONSERVER_DataType type;
    uint32_t buffers = 0;
    DO(TRITONBACKEND_InputProperties(input, &name, &type, shape, rank, size, &buffers));
    DO(TRITONBACKEND_InputProperties(input, NULL, NULL, NULL, NULL, NULL, NULL));
    DO(TRITONBACKEND_InputPropertiesForHostPolicy(input, "cpu", &name, &type, shape, rank, size, &buffers));
    HOLDS(type == TRITONSERVER_TYPE_INT32 && buffers == 1);
    TRITONSERVER_MemoryType memory;
    int64_t id = 9;
    uint64_t bytes = 0;
    const void *buffer = NULL;
    DO(TRITONBACKEND_InputBuffer(input, 0, &buffer, &bytes, &memory, &id));
    HOLDS(bytes == *size && memory == TRITONSERVER_MEMORY_CPU && id == 0);
    FAILS(TRITONBACKEND_InputBuffer(input, 1, &buffer, &bytes, &memory, &id));
    DO(TRITONBACKEND_InputBufferForHostPolicy(input, NULL, 0, &buffer, &bytes, &memory, &id));
    TRITONSERVER_BufferAttributes *attributes = NULL;
    DO(TRITONBACKEND_InputBufferAttributes(input, 0, &buffer, &attributes));
    size_t said = 0;
    DO(TRITONSERVER_BufferAttributesByteSize(attributes, &said));
    HOLDS(said == bytes);
    *numbers = buffer;
    uint32_t outputs = 0;
    DO(TRITONBACKEND_RequestOutputCount(request, &outputs));
    HOLDS(outputs == 1);
    DO(TRITONBACKEND_RequestOutputName(request, 0, &name));
    HOLDS(strcmp(name, "OUT") == 0);
    FAILS(TRITONBACKEND_RequestOutputName(request, 1, &name));
    DO(TRITONBACKEND_RequestOutputBufferProperties(request, "OUT", NULL, &memory, &id));
    bool cancelled = true;
    DO(TRITONBACKEND_RequestIsCancelled(request, &cancelled));
    TRITONSERVER_InferenceTrace *trace = NULL;
    DO(TRITONBACKEND_RequestTrace(request, &trace));
    return NULL;
}

// The response tells what the request brings beside its tensors.
static TRITONSERVER_Error *tell(TRITONBACKEND_Request *request, TRITONBACKEND_Response *response) {
    const char *id = NULL;
    DO(TRITONBACKEND_RequestId(request, &id));
    DO(TRITONBACKEND_ResponseSetStringParameter(response, "id", id));
    uint64_t correlation = 0, timeout = 0;
    uint32_t flags = 0, count = 0;
    DO(TRITONBACKEND_RequestCorrelationId(request, &correlation));
    const char *text = NULL;
    FAILS(TRITONBACKEND_RequestCorrelationIdString(request, &text));
    DO(TRITONBACKEND_RequestFlags(request, &flags));
    DO(TRITONBACKEND_InferenceRequestTimeoutMicroseconds(request, &timeout));
    DO(TRITONBACKEND_ResponseSetIntParameter(response, "correlation", (int64_t)correlation));
    DO(TRITONBACKEND_ResponseSetIntParameter(response, "flags", flags));
    DO(TRITONBACKEND_ResponseSetIntParameter(response, "timeout", (int64_t)timeout));
    DO(TRITONBACKEND_RequestParameterCount(request, &count));
    for (uint32_t i = 0; i < count; i++) {
        const char *key = NULL;
        TRITONSERVER_ParameterType type;
        const void *value = NULL;
        DO(TRITONBACKEND_RequestParameter(request, i, &key, &type, &value));
        switch (type) {
        case TRITONSERVER_PARAMETER_STRING: DO(TRITONBACKEND_ResponseSetStringParameter(response, key, value)); break;
        case TRITONSERVER_PARAMETER_INT: DO(TRITONBACKEND_ResponseSetIntParameter(response, key, *(const int64_t *)value)); break;
        case TRITONSERVER_PARAMETER_BOOL: DO(TRITONBACKEND_ResponseSetBoolParameter(response, key, *(const bool *)value)); break;
        default: DO(TRITONBACKEND_ResponseSetDoubleParameter(response, key, *(const double *)value));
        }
    }
    FAILS(TRITONBACKEND_RequestParameter(request, count, &text, NULL, NULL));
    FAILS(TRITONBACKEND_ResponseSetStringParameter(response, NULL, "x"));
    return NULL;
}

// More than there is, which is an error where the system says so.
static TRITONSERVER_Error *too_much(TRITONBACKEND_MemoryManager *manager, TRITONBACKEND_Request *request) {
    const uint64_t size = 1ull << 45;
    void *buffer = NULL;
    TRITONSERVER_Error *error = TRITONBACKEND_MemoryManagerAllocate(manager, &buffer, TRITONSERVER_MEMORY_CPU, 0, size);
    HOLDS(error ? !buffer && TRITONSERVER_ErrorCode(error) == TRITONSERVER_ERROR_UNAVAILABLE : buffer != NULL);
    TRITONSERVER_ErrorDelete(error);
    DO(TRITONBACKEND_MemoryManagerFree(manager, buffer, TRITONSERVER_MEMORY_CPU, 0));
    TRITONBACKEND_Response *response = NULL;
    TRITONBACKEND_Output *output = NULL;
    TRITONSERVER_MemoryType type = TRITONSERVER_MEMORY_CPU;
    int64_t shape[] = {1 << 20, 1 << 23}, id = 0;
    DO(TRITONBACKEND_ResponseNew(&response, request));
    DO(TRITONBACKEND_ResponseOutput(response, &output, "OUT", TRITONSERVER_TYPE_INT32, shape, 2));
    error = TRITONBACKEND_OutputBuffer(output, &buffer, size, &type, &id);
    HOLDS(!error || TRITONSERVER_ErrorCode(error) == TRITONSERVER_ERROR_UNAVAILABLE);
    TRITONSERVER_ErrorDelete(error);
    return TRITONBACKEND_ResponseDelete(response);
}

static TRITONSERVER_Error *memory(TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request *request) {
    TRITONBACKEND_Model *model = NULL;
    TRITONBACKEND_Backend *backend = NULL;
    TRITONBACKEND_MemoryManager *manager = NULL;
    DO(TRITONBACKEND_ModelInstanceModel(instance, &model));
    DO(TRITONBACKEND_ModelBackend(model, &backend));
    DO(TRITONBACKEND_BackendMemoryManager(backend, &manager));
    void *buffer = NULL;
    DO(TRITONBACKEND_MemoryManagerAllocate(manager, &buffer, TRITONSERVER_MEMORY_CPU, 0, 100));
    memset(buffer, 7, 100);
    DO(TRITONBACKEND_MemoryManagerFree(manager, buffer, TRITONSERVER_MEMORY_CPU, 0));
    FAILS(TRITONBACKEND_MemoryManagerAllocate(manager, &buffer, TRITONSERVER_MEMORY_GPU, 0, 100));
    FAILS(TRITONBACKEND_MemoryManagerAllocate(manager, &buffer, TRITONSERVER_MEMORY_CPU, 0, UINT64_MAX));
    FAILS(TRITONBACKEND_MemoryManagerAllocate(NULL, &buffer, TRITONSERVER_MEMORY_CPU, 0, 1));
    return too_much(manager, request);
}

static TRITONSERVER_Error *serve(TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request *request, bool *isReleased) {
    const int32_t *numbers = NULL;
    const int64_t *shape = NULL;
    uint32_t rank = 0;
    uint64_t size = 0;
    uint64_t start = now();
    TRITONSERVER_Error *error = look(request, &numbers, &shape, &rank, &size);
    if (error) return error;
    HOLDS(size >= 4 && size <= sizeof(int32_t) * 64);
    TRITONBACKEND_Response *response = NULL;
    int what = numbers[0];
    switch (what) {
    case LATER:
    case MANY: {
        struct later *later = calloc(1, sizeof *later);
        memcpy(later->numbers, numbers, size);
        later->shape[0] = shape[0];
        later->shape[1] = rank > 1 ? shape[1] : 0;
        later->rank = rank;
        later->size = size;
        later->count = what == MANY ? numbers[1] : 1;
        DO(TRITONBACKEND_ResponseFactoryNew(&later->factory, request));
        DO(TRITONBACKEND_RequestRelease(request, TRITONSERVER_REQUEST_RELEASE_ALL));
        *isReleased = true;
        pthread_t thread;
        pthread_create(&thread, NULL, answer_later, later);
        pthread_detach(thread);
        return NULL;
    }
    case NO_ANSWER: return NULL;
    case KILL: {
        TRITONBACKEND_ResponseFactory *factory = NULL;
        DO(TRITONBACKEND_ResponseFactoryNew(&factory, request));
        pid_t *helper = NULL;
        DO(TRITONBACKEND_ModelInstanceState(instance, (void **)&helper));
        HOLDS(helper != NULL && *helper > 0);
        kill(*helper, SIGKILL);
        DO(TRITONBACKEND_RequestRelease(request, TRITONSERVER_REQUEST_RELEASE_ALL));
        *isReleased = true;
        return NULL;
    }
    case FAIL: return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNAVAILABLE, "as the request asks");
    case MEMORY: DO(memory(instance, request)); break;
    case DELETED:
        DO(TRITONBACKEND_ResponseNew(&response, request));
        DO(fill(response, numbers, shape, rank, size));
        DO(TRITONBACKEND_ResponseDelete(response));
        FAILS(TRITONBACKEND_ResponseDelete(response));
        break;
    case WRONG_TYPE: {
        TRITONBACKEND_Output *output = NULL;
        void *buffer = NULL;
        TRITONSERVER_MemoryType type;
        int64_t id;
        int64_t one = 1;
        DO(TRITONBACKEND_ResponseNew(&response, request));
        DO(TRITONBACKEND_ResponseOutput(response, &output, "OUT", TRITONSERVER_TYPE_FP32, &one, 1));
        DO(TRITONBACKEND_OutputBuffer(output, &buffer, 4, &type, &id));
        FAILS(TRITONBACKEND_ResponseSend(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, NULL));
        return NULL;
    }
    }
    DO(TRITONBACKEND_ResponseNew(&response, request));
    if (what == TELL) DO(tell(request, response));
    DO(fill(response, numbers, shape, rank, size));
    FAILS(TRITONBACKEND_ResponseSend(response, 0, (TRITONSERVER_Error *)request));
    DO(TRITONBACKEND_ResponseSend(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, NULL));
    FAILS(TRITONBACKEND_ResponseSend(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, NULL));
    if (what == AFTER_FINAL) {
        // Nobody is left to be told.
        DO(TRITONBACKEND_ResponseNew(&response, request));
        DO(fill(response, numbers, shape, rank, size));
        DO(TRITONBACKEND_ResponseSend(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, NULL));
    }
    uint64_t end = now();
    DO(TRITONBACKEND_ModelInstanceReportStatistics(instance, request, true, start, start, end, end));
    FAILS(TRITONBACKEND_ModelInstanceReportStatistics(instance, NULL, true, start, start, end, end));
    DO(TRITONBACKEND_ModelInstanceReportBatchStatistics(instance, 1, start, start, end, end));
    if (what == TWICE) {
        FAILS(TRITONBACKEND_RequestRelease(request, 99));
        DO(TRITONBACKEND_RequestRelease(request, TRITONSERVER_REQUEST_RELEASE_ALL));
        *isReleased = true;
        FAILS(TRITONBACKEND_RequestRelease(request, TRITONSERVER_REQUEST_RELEASE_ALL));
        uint32_t count = 0;
        FAILS(TRITONBACKEND_RequestInputCount(request, &count));
    }
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceExecute(
    TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request **requests, const uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const int32_t *numbers = NULL;
        const int64_t *shape = NULL;
        uint32_t rank = 0;
        uint64_t size = 0;
        TRITONSERVER_Error *error = look(requests[i], &numbers, &shape, &rank, &size);
        if (!error && size >= 4 && numbers[0] == REFUSE) {
            return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNSUPPORTED, "nothing was taken");
        }
        TRITONSERVER_ErrorDelete(error);
    }
    for (uint32_t i = 0; i < count; i++) {
        bool isReleased = false;
        TRITONSERVER_Error *error = serve(instance, requests[i], &isReleased);
        if (error && !isReleased) {
            TRITONBACKEND_Response *response = NULL;
            TRITONSERVER_ErrorDelete(TRITONBACKEND_ResponseNew(&response, requests[i]));
            TRITONSERVER_ErrorDelete(TRITONBACKEND_ResponseSend(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, error));
        } else if (error) {
            fprintf(stderr, "exercise: %s\n", TRITONSERVER_ErrorMessage(error));
        }
        TRITONSERVER_ErrorDelete(error);
        if (!isReleased) TRITONSERVER_ErrorDelete(TRITONBACKEND_RequestRelease(requests[i], TRITONSERVER_REQUEST_RELEASE_ALL));
    }
    return NULL;
}

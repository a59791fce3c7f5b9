// A backend that copies its input into the memory that it is given for the output, and says in the response's parameters
// which memory that was and where its caller would have liked the output. A first number of 9 asks for memory and then fails,
// and one of 8 fails at once.
#include <string.h>

#include "triton/core/tritonbackend.h"

#include "checks.h"

static TRITONSERVER_Error *fail(TRITONBACKEND_Response *response) {
    TRITONSERVER_Error *error = TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, "as the request asks");
    DO(TRITONBACKEND_ResponseSend(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, error));
    TRITONSERVER_ErrorDelete(error);
    return NULL;
}

static TRITONSERVER_Error *answer(TRITONBACKEND_Request *request) {
    TRITONBACKEND_Input *input = NULL;
    DO(TRITONBACKEND_RequestInputByIndex(request, 0, &input));
    const char *name = NULL;
    TRITONSERVER_DataType type;
    const int64_t *shape = NULL;
    uint32_t rank = 0, buffers = 0;
    uint64_t size = 0;
    DO(TRITONBACKEND_InputProperties(input, &name, &type, &shape, &rank, &size, &buffers));
    const void *bytes = NULL;
    uint64_t count = 0;
    TRITONSERVER_MemoryType memory = TRITONSERVER_MEMORY_CPU;
    int64_t memory_id = 0;
    DO(TRITONBACKEND_InputBuffer(input, 0, &bytes, &count, &memory, &memory_id));

    TRITONBACKEND_Response *response = NULL;
    DO(TRITONBACKEND_ResponseNew(&response, request));
    int32_t first = count >= 4 ? ((const int32_t *)bytes)[0] : 0;
    if (first == 8) return fail(response);
    TRITONSERVER_MemoryType liked = TRITONSERVER_MEMORY_CPU;
    int64_t liked_id = 0;
    size_t liked_size = (size_t)count;
    TRITONSERVER_Error *unknown = TRITONBACKEND_RequestOutputBufferProperties(request, "OUT", &liked_size, &liked, &liked_id);
    if (unknown) {
        DO(TRITONBACKEND_ResponseSetStringParameter(response, "unknown", TRITONSERVER_ErrorMessage(unknown)));
        TRITONSERVER_ErrorDelete(unknown);
    } else {
        DO(TRITONBACKEND_ResponseSetIntParameter(response, "liked_type", liked));
        DO(TRITONBACKEND_ResponseSetIntParameter(response, "liked_id", liked_id));
        DO(TRITONBACKEND_ResponseSetIntParameter(response, "liked_size", (int64_t)liked_size));
    }

    TRITONBACKEND_Output *output = NULL;
    DO(TRITONBACKEND_ResponseOutput(response, &output, "OUT", type, shape, rank));
    void *place = NULL;
    memory = TRITONSERVER_MEMORY_CPU;
    memory_id = 0;
    TRITONSERVER_Error *refusal = TRITONBACKEND_OutputBuffer(output, &place, count, &memory, &memory_id);
    if (refusal) {
        DO(TRITONBACKEND_ResponseSend(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, refusal));
        TRITONSERVER_ErrorDelete(refusal);
        return NULL;
    }
    memcpy(place, bytes, count);
    DO(TRITONBACKEND_ResponseSetIntParameter(response, "address", (int64_t)place));
    if (first == 9) return fail(response);
    return TRITONBACKEND_ResponseSend(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, NULL);
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceExecute(
    TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request **requests, const uint32_t count) {
    for (uint32_t index = 0; index < count; index++) {
        TRITONSERVER_Error *error = answer(requests[index]);
        if (error) TRITONSERVER_ErrorDelete(error);
        DO(TRITONBACKEND_RequestRelease(requests[index], TRITONSERVER_REQUEST_RELEASE_ALL));
    }
    return NULL;
}

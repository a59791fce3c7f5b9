// A backend that puts a request back until it has had it as often as its first number says. How often that was stands in a
// state. With a second number of 1 it answers each time, and with 2 it answers the first time where it can't put one back.
#include <stdbool.h>

#include "triton/core/tritonbackend.h"

#include "checks.h"

static TRITONSERVER_Error *numbers(TRITONBACKEND_Request *request, const char *name, const int32_t **numbers) {
    TRITONBACKEND_Input *input = NULL;
    DO(TRITONBACKEND_RequestInput(request, name, &input));
    uint64_t size = 0;
    TRITONSERVER_MemoryType type = TRITONSERVER_MEMORY_CPU;
    int64_t id = 0;
    return TRITONBACKEND_InputBuffer(input, 0, (const void **)numbers, &size, &type, &id);
}

// How often the request has been here before; from now on that is once more.
static TRITONSERVER_Error *count(TRITONBACKEND_Request *request, int32_t *before) {
    const int32_t *seen = NULL;
    DO(numbers(request, "SEEN", &seen));
    *before = seen[0];
    TRITONBACKEND_State *state = NULL;
    int64_t shape[] = {1, 1};
    DO(TRITONBACKEND_StateNew(&state, request, "SEEN_NEXT", TRITONSERVER_TYPE_INT32, shape, 2));
    void *buffer = NULL;
    TRITONSERVER_MemoryType type = TRITONSERVER_MEMORY_CPU;
    int64_t id = 0;
    DO(TRITONBACKEND_StateBuffer(state, &buffer, 4, &type, &id));
    *(int32_t *)buffer = seen[0] + 1;
    return TRITONBACKEND_StateUpdate(state);
}

// Says how often the request has been here before, and what it brings beside its tensors.
static TRITONSERVER_Error *respond(TRITONBACKEND_Request *request, int32_t before, uint32_t send_flags) {
    uint32_t flags = 0;
    uint64_t correlation = 0;
    DO(TRITONBACKEND_RequestFlags(request, &flags));
    DO(TRITONBACKEND_RequestCorrelationId(request, &correlation));
    const int32_t *start = NULL;
    DO(numbers(request, "START", &start));
    TRITONBACKEND_Response *response = NULL;
    DO(TRITONBACKEND_ResponseNew(&response, request));
    TRITONBACKEND_Output *output = NULL;
    int64_t shape[] = {1, 4};
    DO(TRITONBACKEND_ResponseOutput(response, &output, "OUT", TRITONSERVER_TYPE_INT32, shape, 2));
    void *buffer = NULL;
    TRITONSERVER_MemoryType type = TRITONSERVER_MEMORY_CPU;
    int64_t id = 0;
    DO(TRITONBACKEND_OutputBuffer(output, &buffer, 16, &type, &id));
    int32_t *out = buffer;
    out[0] = before;
    out[1] = (int32_t)flags;
    out[2] = (int32_t)correlation;
    out[3] = start[0];
    return TRITONBACKEND_ResponseSend(response, send_flags, NULL);
}

static TRITONSERVER_Error *step(TRITONBACKEND_Request *request) {
    const int32_t *plan = NULL;
    int32_t before = 0;
    DO(numbers(request, "IN", &plan));
    DO(count(request, &before));
    bool is_last = before + 1 >= plan[0];
    if (is_last || plan[1] == 1) DO(respond(request, before, is_last ? TRITONSERVER_RESPONSE_COMPLETE_FINAL : 0));
    if (is_last) return TRITONBACKEND_RequestRelease(request, TRITONSERVER_REQUEST_RELEASE_ALL);
    TRITONSERVER_Error *error = TRITONBACKEND_RequestRelease(request, TRITONSERVER_REQUEST_RELEASE_RESCHEDULE);
    if (!error) {
        FAILS(TRITONBACKEND_RequestRelease(request, TRITONSERVER_REQUEST_RELEASE_ALL));
        return NULL;
    }
    TRITONSERVER_ErrorDelete(error);
    if (plan[1] == 2) DO(respond(request, before, TRITONSERVER_RESPONSE_COMPLETE_FINAL));
    return TRITONBACKEND_RequestRelease(request, TRITONSERVER_REQUEST_RELEASE_ALL);
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceExecute(
    TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request **requests, const uint32_t count) {
    // The requests are this function's from here on, whatever comes of them.
    for (uint32_t index = 0; index < count; index++) {
        TRITONSERVER_Error *error = step(requests[index]);
        if (error) TRITONSERVER_ErrorDelete(error);
    }
    return NULL;
}

// A decoupled backend that says what each of a request's numbers asks for: 1 is a response with the number's place, 2 an error,
// 3 and 4 are the same with the final flag, and 0 is the final flag alone. With a 5 the execution itself fails.
#include "triton/core/tritonbackend.h"

#include "checks.h"

static TRITONSERVER_Error *respond(TRITONBACKEND_ResponseFactory *factory, int32_t place, uint32_t flags) {
    TRITONBACKEND_Response *response = NULL;
    DO(TRITONBACKEND_ResponseNewFromFactory(&response, factory));
    TRITONBACKEND_Output *output = NULL;
    int64_t shape[] = {1};
    DO(TRITONBACKEND_ResponseOutput(response, &output, "OUT", TRITONSERVER_TYPE_INT32, shape, 1));
    void *buffer = NULL;
    TRITONSERVER_MemoryType type = TRITONSERVER_MEMORY_CPU;
    int64_t id = 0;
    DO(TRITONBACKEND_OutputBuffer(output, &buffer, 4, &type, &id));
    *(int32_t *)buffer = place;
    return TRITONBACKEND_ResponseSend(response, flags, NULL);
}

static TRITONSERVER_Error *complain(TRITONBACKEND_ResponseFactory *factory, uint32_t flags) {
    TRITONBACKEND_Response *response = NULL;
    DO(TRITONBACKEND_ResponseNewFromFactory(&response, factory));
    TRITONSERVER_Error *error = TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_NOT_FOUND, "as the request asks");
    DO(TRITONBACKEND_ResponseSend(response, flags, error));
    TRITONSERVER_ErrorDelete(error);
    return NULL;
}

static TRITONSERVER_Error *speak(TRITONBACKEND_Request *request) {
    TRITONBACKEND_Input *input = NULL;
    DO(TRITONBACKEND_RequestInputByIndex(request, 0, &input));
    const void *bytes = NULL;
    uint64_t size = 0;
    TRITONSERVER_MemoryType type = TRITONSERVER_MEMORY_CPU;
    int64_t id = 0;
    DO(TRITONBACKEND_InputBuffer(input, 0, &bytes, &size, &type, &id));
    const int32_t *plan = bytes;
    for (uint64_t place = 0; place < size / 4; place++)
        if (plan[place] == 5) return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNAVAILABLE, "nothing was taken");
    TRITONBACKEND_ResponseFactory *factory = NULL;
    DO(TRITONBACKEND_ResponseFactoryNew(&factory, request));
    for (uint64_t place = 0; place < size / 4; place++) {
        uint32_t flags = plan[place] > 2 || plan[place] == 0 ? TRITONSERVER_RESPONSE_COMPLETE_FINAL : 0;
        switch (plan[place]) {
        case 0: DO(TRITONBACKEND_ResponseFactorySendFlags(factory, flags)); break;
        case 1:
        case 3: DO(respond(factory, (int32_t)place, flags)); break;
        default: DO(complain(factory, flags));
        }
    }
    DO(TRITONBACKEND_RequestRelease(request, TRITONSERVER_REQUEST_RELEASE_ALL));
    return TRITONBACKEND_ResponseFactoryDelete(factory);
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceExecute(
    TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request **requests, const uint32_t count) {
    HOLDS(count == 1);
    return speak(requests[0]);
}

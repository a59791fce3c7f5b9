// The smallest backend for Triton's C interface: each output is the input of the same number, copied once. It is what the two
// servers run when their wires are compared, as it adds next to nothing of its own.
//
// The declarations below are those functions of Triton's published interface (TRITONBACKEND 1.x) which it calls.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct Error Error;
typedef struct Instance Instance;
typedef struct Request Request;
typedef struct Response Response;
typedef struct Input Input;
typedef struct Output Output;

Error *TRITONBACKEND_RequestInputCount(Request *, uint32_t *count);
Error *TRITONBACKEND_RequestInputByIndex(Request *, uint32_t index, Input **);
Error *TRITONBACKEND_RequestRelease(Request *, uint32_t flags);
Error *TRITONBACKEND_InputProperties(
    Input *, const char **name, int *type, const int64_t **shape, uint32_t *rank, uint64_t *bytes, uint32_t *buffers);
Error *TRITONBACKEND_InputBuffer(
    Input *, uint32_t index, const void **buffer, uint64_t *bytes, int *memory, int64_t *device);
Error *TRITONBACKEND_ResponseNew(Response **, Request *);
Error *TRITONBACKEND_ResponseOutput(
    Response *, Output **, const char *name, int type, const int64_t *shape, uint32_t rank);
Error *TRITONBACKEND_OutputBuffer(Output *, void **buffer, uint64_t bytes, int *memory, int64_t *device);
Error *TRITONBACKEND_ResponseSend(Response *, uint32_t flags, Error *);
Error *TRITONBACKEND_ModelInstanceReportStatistics(
    Instance *, Request *, bool success, uint64_t start, uint64_t compute_start, uint64_t compute_end, uint64_t end);
Error *TRITONBACKEND_ModelInstanceReportBatchStatistics(
    Instance *, uint64_t batch, uint64_t start, uint64_t compute_start, uint64_t compute_end, uint64_t end);

enum { complete_final = 1, release_all = 1, processor = 0 };

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static Error *copy(Request *request, Response *response, int64_t *rows) {
    uint32_t count = 0;
    Error *error = TRITONBACKEND_RequestInputCount(request, &count);
    for (uint32_t i = 0; error == NULL && i < count; i++) {
        Input *input;
        Output *output;
        const char *name;
        int type, memory = processor;
        int64_t device = 0;
        const int64_t *shape;
        uint32_t rank, buffers;
        uint64_t bytes;
        void *target;
        char output_name[32];
        if ((error = TRITONBACKEND_RequestInputByIndex(request, i, &input)) != NULL) break;
        if ((error = TRITONBACKEND_InputProperties(input, &name, &type, &shape, &rank, &bytes, &buffers)) != NULL) break;
        snprintf(output_name, sizeof output_name, "OUTPUT%u", i);
        if ((error = TRITONBACKEND_ResponseOutput(response, &output, output_name, type, shape, rank)) != NULL) break;
        if ((error = TRITONBACKEND_OutputBuffer(output, &target, bytes, &memory, &device)) != NULL) break;
        if (rank > 0) *rows = shape[0];
        for (uint32_t part = 0; part < buffers; part++) {
            const void *source;
            uint64_t size;
            if ((error = TRITONBACKEND_InputBuffer(input, part, &source, &size, &memory, &device)) != NULL) break;
            memcpy(target, source, size);
            target = (char *)target + size;
        }
    }
    return error;
}

Error *TRITONBACKEND_ModelInstanceExecute(Instance *instance, Request **requests, uint32_t count) {
    uint64_t start = now(), total = 0;
    for (uint32_t i = 0; i < count; i++) {
        Response *response;
        int64_t rows = 1;
        Error *error = TRITONBACKEND_ResponseNew(&response, requests[i]);
        if (error == NULL) {
            error = copy(requests[i], response, &rows);
            TRITONBACKEND_ResponseSend(response, complete_final, error);
        }
        total += (uint64_t)rows;
        uint64_t end = now();
        TRITONBACKEND_ModelInstanceReportStatistics(instance, requests[i], error == NULL, start, start, end, end);
        TRITONBACKEND_RequestRelease(requests[i], release_all);
    }
    uint64_t end = now();
    TRITONBACKEND_ModelInstanceReportBatchStatistics(instance, total, start, start, end, end);
    return NULL;
}

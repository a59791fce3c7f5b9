// Custom batching: the second numbers of a batch's requests make no more than 10 together. What is begun and ended is counted in
// a file whose path is compiled in.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "triton/core/tritonbackend.h"

#define EXPORT __attribute__((visibility("default")))

typedef struct {
    int batches, ended, asked, answered;
} Counts;

#ifndef INCOMPLETE
EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelBatcherInitialize(TRITONBACKEND_Batcher **batcher, TRITONBACKEND_Model *model) {
    TRITONSERVER_Message *message = NULL;
    TRITONSERVER_Error *error = TRITONBACKEND_ModelConfig(model, 1, &message);
    if (error) return error;
    const char *text = NULL;
    size_t size = 0;
    error = TRITONSERVER_MessageSerializeToJson(message, &text, &size);
    int isRefused = !error && memmem(text, size, "\"refuses_batching\"", 18) != NULL;
    TRITONSERVER_MessageDelete(message);
    if (isRefused) return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INVALID_ARG, "this model is not to be batched");
    *batcher = (TRITONBACKEND_Batcher *)calloc(1, sizeof(Counts));
    return error;
}
#endif

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelBatcherFinalize(TRITONBACKEND_Batcher *batcher) {
    Counts *counts = (Counts *)batcher;
    FILE *file = fopen(REPORT, "w");
    fprintf(file, "%d begun, %d ended, %d asked, %d answered", counts->batches, counts->ended, counts->asked, counts->answered);
    fclose(file);
    free(counts);
    return NULL;
}

typedef struct {
    Counts *counts;
    int sum;
} Batch;

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelBatchInitialize(const TRITONBACKEND_Batcher *batcher, void **userp) {
    Batch *batch = calloc(1, sizeof *batch);
    batch->counts = (Counts *)batcher;
    batch->counts->batches += 1;
    *userp = batch;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelBatchIncludeRequest(TRITONBACKEND_Request *request, void *userp, bool *should_include) {
    Batch *batch = userp;
    batch->counts->asked += 1;
    TRITONBACKEND_Input *input = NULL;
    TRITONSERVER_Error *error = TRITONBACKEND_RequestInput(request, "IN", &input);
    if (error) return error;
    const void *buffer = NULL;
    uint64_t size = 0;
    TRITONSERVER_MemoryType type = TRITONSERVER_MEMORY_CPU;
    int64_t device = 0;
    error = TRITONBACKEND_InputBuffer(input, 0, &buffer, &size, &type, &device);
    if (error) return error;
    int number = size >= 8 ? ((const int *)buffer)[1] : 0;
    if (number == 99) return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, "no word about this one");
    batch->sum += number;
    *should_include = batch->sum <= 10;
    // It can't be answered yet.
    TRITONBACKEND_Response *response = NULL;
    if (!TRITONBACKEND_ResponseNew(&response, request)) {
        error = TRITONBACKEND_ResponseSend(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, NULL);
        if (!error) batch->counts->answered += 1;
        TRITONSERVER_ErrorDelete(error);
    }
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelBatchFinalize(void *userp) {
    Batch *batch = userp;
    batch->counts->ended += 1;
    free(batch);
    return NULL;
}

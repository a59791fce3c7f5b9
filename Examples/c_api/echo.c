// Starts a server in this process, asks the model `echo` once, and prints its statistics: ./echo REPOSITORY
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "triton/core/tritonserver.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static TRITONSERVER_InferenceResponse *answer;

static void check(TRITONSERVER_Error *error) {
    if (error == NULL) return;
    fprintf(stderr, "error: %s: %s\n", TRITONSERVER_ErrorCodeString(error), TRITONSERVER_ErrorMessage(error));
    exit(1);
}

static TRITONSERVER_Error *allocate(
    TRITONSERVER_ResponseAllocator *allocator, const char *name, size_t size, TRITONSERVER_MemoryType wanted, int64_t id,
    void *userp, void **buffer, void **buffer_userp, TRITONSERVER_MemoryType *type, int64_t *type_id) {
    *buffer = malloc(size ? size : 1);
    *buffer_userp = NULL;
    *type = TRITONSERVER_MEMORY_CPU;
    *type_id = 0;
    return NULL;
}

static TRITONSERVER_Error *release(
    TRITONSERVER_ResponseAllocator *allocator, void *buffer, void *userp, size_t size, TRITONSERVER_MemoryType type,
    int64_t id) {
    free(buffer);
    return NULL;
}

static void released(TRITONSERVER_InferenceRequest *request, const uint32_t flags, void *userp) {
    TRITONSERVER_InferenceRequestDelete(request);
}

static void responded(TRITONSERVER_InferenceResponse *response, const uint32_t flags, void *userp) {
    pthread_mutex_lock(&lock);
    answer = response;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

int main(int count, char **arguments) {
    TRITONSERVER_ServerOptions *options;
    TRITONSERVER_Server *server;
    check(TRITONSERVER_ServerOptionsNew(&options));
    check(TRITONSERVER_ServerOptionsSetModelRepositoryPath(options, count > 1 ? arguments[1] : "model_repository"));
    check(TRITONSERVER_ServerOptionsSetLogInfo(options, false));
    check(TRITONSERVER_ServerNew(&server, options));

    TRITONSERVER_ResponseAllocator *allocator;
    TRITONSERVER_InferenceRequest *request;
    int32_t values[] = {1, 2, 3, 4};
    int64_t shape[] = {1, 4};
    check(TRITONSERVER_ResponseAllocatorNew(&allocator, allocate, release, NULL));
    check(TRITONSERVER_InferenceRequestNew(&request, server, "echo", -1));
    check(TRITONSERVER_InferenceRequestAddInput(request, "INPUT0", TRITONSERVER_TYPE_INT32, shape, 2));
    check(TRITONSERVER_InferenceRequestAppendInputData(
        request, "INPUT0", values, sizeof values, TRITONSERVER_MEMORY_CPU, 0));
    check(TRITONSERVER_InferenceRequestSetReleaseCallback(request, released, NULL));
    check(TRITONSERVER_InferenceRequestSetResponseCallback(request, allocator, NULL, responded, NULL));
    check(TRITONSERVER_ServerInferAsync(server, request, NULL));
    pthread_mutex_lock(&lock);
    while (answer == NULL) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    check(TRITONSERVER_InferenceResponseError(answer));

    const char *name, *json;
    TRITONSERVER_DataType type;
    TRITONSERVER_MemoryType memory;
    const int64_t *dimensions;
    uint64_t rank;
    const void *base;
    size_t size;
    int64_t memory_id;
    void *userp;
    check(TRITONSERVER_InferenceResponseOutput(
        answer, 0, &name, &type, &dimensions, &rank, &base, &size, &memory, &memory_id, &userp));
    printf("%s:", name);
    for (size_t i = 0; i < size / sizeof(int32_t); i++) printf(" %d", ((const int32_t *)base)[i]);
    check(TRITONSERVER_InferenceResponseDelete(answer));

    TRITONSERVER_Message *statistics;
    check(TRITONSERVER_ServerModelStatistics(server, "echo", -1, &statistics));
    check(TRITONSERVER_MessageSerializeToJson(statistics, &json, &size));
    printf("\n%.*s\n", (int)size, json);
    check(TRITONSERVER_MessageDelete(statistics));
    check(TRITONSERVER_ServerDelete(server));
    check(TRITONSERVER_ResponseAllocatorDelete(allocator));
    check(TRITONSERVER_ServerOptionsDelete(options));
    return 0;
}

// A program that embeds the server through Triton's C interface: ./caller REPOSITORY BACKENDS MODEL CALLERS SECONDS [BATCH [own]]
//
// CALLERS threads each ask the model, wait for the answer, and ask again with the same request, as often as they can. With `own`
// the answers may come on their own threads. Printed is a line of JSON: requests a second, nanoseconds that a caller waits on
// average, and how often memory was asked for in a request.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../CAllocationCounter/include/CAllocationCounter.h"
#include "triton/core/tritonserver.h"

enum { values = 16 };

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    // What has come of the request that is under way: the request itself back, and its answer.
    bool is_back, is_answered;
    TRITONSERVER_InferenceRequest *request;
    float output[64 * values];
    uint64_t count;
} Caller;

static TRITONSERVER_Server *server;
static TRITONSERVER_ResponseAllocator *allocator;
static const char *model;
static int64_t batch = 1;
static uint64_t end;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void check(TRITONSERVER_Error *error) {
    if (error == NULL) return;
    fprintf(stderr, "error: %s: %s\n", TRITONSERVER_ErrorCodeString(error), TRITONSERVER_ErrorMessage(error));
    exit(1);
}

static TRITONSERVER_Error *allocate(
    TRITONSERVER_ResponseAllocator *of, const char *name, size_t size, TRITONSERVER_MemoryType wanted, int64_t id, void *userp,
    void **buffer, void **buffer_userp, TRITONSERVER_MemoryType *type, int64_t *type_id) {
    *buffer = ((Caller *)userp)->output;
    *buffer_userp = NULL;
    *type = TRITONSERVER_MEMORY_CPU;
    *type_id = 0;
    return NULL;
}

static TRITONSERVER_Error *release(
    TRITONSERVER_ResponseAllocator *of, void *buffer, void *userp, size_t size, TRITONSERVER_MemoryType type, int64_t id) {
    return NULL;
}

static void came(Caller *caller, bool *what) {
    pthread_mutex_lock(&caller->lock);
    *what = true;
    if (caller->is_back && caller->is_answered) pthread_cond_signal(&caller->changed);
    pthread_mutex_unlock(&caller->lock);
}

static void released(TRITONSERVER_InferenceRequest *request, const uint32_t flags, void *userp) {
    Caller *caller = userp;
    came(caller, &caller->is_back);
}

static void responded(TRITONSERVER_InferenceResponse *response, const uint32_t flags, void *userp) {
    Caller *caller = userp;
    check(TRITONSERVER_InferenceResponseError(response));
    check(TRITONSERVER_InferenceResponseDelete(response));
    came(caller, &caller->is_answered);
}

static void *ask(void *argument) {
    Caller *caller = argument;
    float input[64 * values] = {1, 2, 3};
    int64_t shape[] = {batch, values};
    check(TRITONSERVER_InferenceRequestNew(&caller->request, server, model, -1));
    check(TRITONSERVER_InferenceRequestAddInput(caller->request, "INPUT0", TRITONSERVER_TYPE_FP32, shape, 2));
    check(TRITONSERVER_InferenceRequestAppendInputData(
        caller->request, "INPUT0", input, (size_t)batch * values * sizeof(float), TRITONSERVER_MEMORY_CPU, 0));
    check(TRITONSERVER_InferenceRequestSetReleaseCallback(caller->request, released, caller));
    check(TRITONSERVER_InferenceRequestSetResponseCallback(caller->request, allocator, caller, responded, caller));
    while (now() < end) {
        caller->is_back = caller->is_answered = false;
        check(TRITONSERVER_ServerInferAsync(server, caller->request, NULL));
        pthread_mutex_lock(&caller->lock);
        while (!(caller->is_back && caller->is_answered)) pthread_cond_wait(&caller->changed, &caller->lock);
        pthread_mutex_unlock(&caller->lock);
        caller->count++;
    }
    check(TRITONSERVER_InferenceRequestDelete(caller->request));
    return NULL;
}

// Requests a second of so many callers; and how often memory was asked for.
static double run(int callers, double seconds, double *allocations) {
    pthread_t threads[64];
    Caller *all = calloc((size_t)callers, sizeof *all);
    uint64_t total = 0, start = now(), before = halcyon_allocation_count();
    end = start + (uint64_t)(seconds * 1e9);
    for (int i = 0; i < callers; i++) {
        pthread_mutex_init(&all[i].lock, NULL);
        pthread_cond_init(&all[i].changed, NULL);
        pthread_create(&threads[i], NULL, ask, &all[i]);
    }
    for (int i = 0; i < callers; i++) {
        pthread_join(threads[i], NULL);
        total += all[i].count;
    }
    *allocations = (double)(halcyon_allocation_count() - before) / (double)total;
    free(all);
    return (double)total / ((double)(now() - start) / 1e9);
}

int main(int count, char **arguments) {
    if (count < 6) return fprintf(stderr, "usage: caller REPOSITORY BACKENDS MODEL CALLERS SECONDS [BATCH [own]]\n"), 2;
    model = arguments[3];
    int callers = atoi(arguments[4]);
    double seconds = atof(arguments[5]), allocations;
    if (count > 6) batch = atoi(arguments[6]);
    if (callers < 1 || callers > 64 || batch < 1 || batch > 64) return fprintf(stderr, "1 to 64 callers and items\n"), 2;
    TRITONSERVER_ServerOptions *options;
    check(TRITONSERVER_ServerOptionsNew(&options));
    check(TRITONSERVER_ServerOptionsSetModelRepositoryPath(options, arguments[1]));
    check(TRITONSERVER_ServerOptionsSetBackendDirectory(options, arguments[2]));
    check(TRITONSERVER_ServerOptionsSetLogInfo(options, false));
    if (count > 7 && strcmp(arguments[7], "own") == 0)
        check(TRITONSERVER_ServerOptionsSetBackendConfig(options, "", "callbacks-on-callers-thread", "true"));
    check(TRITONSERVER_ServerNew(&server, options));
    check(TRITONSERVER_ResponseAllocatorNew(&allocator, allocate, release, NULL));
    run(callers, seconds / 8, &allocations);
    double rate = run(callers, seconds, &allocations);
    printf("{\"requests_per_second\": %.1f, \"nanoseconds\": %.1f, \"allocations\": %.2f}\n", rate, 1e9 * callers / rate, allocations);
    check(TRITONSERVER_ServerStop(server));
    check(TRITONSERVER_ServerDelete(server));
    check(TRITONSERVER_ResponseAllocatorDelete(allocator));
    check(TRITONSERVER_ServerOptionsDelete(options));
    return 0;
}

// A backend that likes to have three instances on the processor, and is made to see whether they are initialised at the same time.
#include <pthread.h>
#include <time.h>

#include "triton/core/tritonbackend.h"

#define EXPORT __attribute__((visibility("default")))
#define COUNT 3

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int inside, arrived;

EXPORT TRITONSERVER_Error *TRITONBACKEND_GetBackendAttribute(
    TRITONBACKEND_Backend *backend, TRITONBACKEND_BackendAttribute *attributes) {
    uint64_t nowhere = 4711;
    TRITONSERVER_Error *error = TRITONBACKEND_BackendAttributeAddPreferredInstanceGroup(
        attributes, TRITONSERVER_INSTANCEGROUPKIND_GPU, 2, &nowhere, 1);
    if (!error)
        error = TRITONBACKEND_BackendAttributeAddPreferredInstanceGroup(
            attributes, TRITONSERVER_INSTANCEGROUPKIND_CPU, COUNT, NULL, 0);
    if (!error) error = TRITONBACKEND_BackendAttributeSetParallelModelInstanceLoading(attributes, TOGETHER);
    return error;
}

// Together, each waits for the others; one after the other, nobody may be there yet.
EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceInitialize(TRITONBACKEND_ModelInstance *instance) {
    TRITONSERVER_Error *error = NULL;
    struct timespec latest;
    clock_gettime(CLOCK_REALTIME, &latest);
    latest.tv_sec += 60;
    pthread_mutex_lock(&mutex);
    inside += 1;
    arrived += 1;
    pthread_cond_broadcast(&changed);
    if (TOGETHER) {
        while (arrived < COUNT && !error)
            if (pthread_cond_timedwait(&changed, &mutex, &latest))
                error = TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, "the other instances do not come");
    } else if (inside > 1) {
        error = TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, "another instance is being initialised");
    }
#ifdef FAILING
    if (arrived == COUNT && !error) {
        arrived += 1;
        error = TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNAVAILABLE, "one of them fails");
    }
#endif
    inside -= 1;
    pthread_mutex_unlock(&mutex);
    return error;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceExecute(
    TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request **requests, const uint32_t count) {
    return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNSUPPORTED, "there is nothing to execute");
}

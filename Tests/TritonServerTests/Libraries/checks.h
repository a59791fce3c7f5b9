// What the libraries that tests compile check with: each leaves the function with an error where something is not so.
#include "triton/core/tritonserver.h"

#define EXPORT __attribute__((visibility("default")))
#define DO(call)                             \
    do {                                     \
        TRITONSERVER_Error *error_ = (call); \
        if (error_) return error_;           \
    } while (0)
#define FAILS(call)                                                                                \
    do {                                                                                           \
        TRITONSERVER_Error *error_ = (call);                                                       \
        if (!error_) return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, #call " succeeds"); \
        TRITONSERVER_ErrorDelete(error_);                                                          \
    } while (0)
#define HOLDS(condition)                                                                         \
    do {                                                                                         \
        if (!(condition)) return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, #condition); \
    } while (0)

#include "CCUDADriver.h"

#include <dlfcn.h>

#define CUDA_LOAD(result, name, parameters)                                                                            \
    {                                                                                                                  \
        void *symbol = dlsym(library, #name);                                                                          \
        if (symbol == NULL) {                                                                                          \
            return #name;                                                                                              \
        }                                                                                                              \
        functions->name = (result(*) parameters)symbol;                                                                \
    }

const char *cuda_bind(void *library, cuda_functions_t *functions) {
    CUDA_FUNCTIONS(CUDA_LOAD)
    return NULL;
}

const char *nvml_bind(void *library, nvml_functions_t *functions) {
    NVML_FUNCTIONS(CUDA_LOAD)
    return NULL;
}

#define _GNU_SOURCE
#include <dlfcn.h>

#include "CTriton.h"

const char *halcyon_triton_library_path(void) {
    Dl_info info;
    return dladdr((const void *)halcyon_triton_library_path, &info) ? info.dli_fname : NULL;
}

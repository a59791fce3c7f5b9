// Triton's C interface, and by what addresses this process offers it.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "triton/core/tritonbackend.h"
#include "triton/core/tritoncache.h"
#include "triton/core/tritonrepoagent.h"
#include "triton/core/tritonserver.h"

/// A function of the interface: its name, and where it is. One that this program does not have answers UNSUPPORTED.
typedef struct {
    const char *name;
    const void *address;
    bool is_offered;
} halcyon_triton_function;

/// Fills in all functions of the interface, as many as there is room for. Returns how many there are.
size_t halcyon_triton_functions(halcyon_triton_function *functions, size_t room);

/// How many callbacks of programs the calling thread is inside of at the moment.
int halcyon_triton_callback_depth(void);
void halcyon_triton_callback_enter(void);
void halcyon_triton_callback_leave(void);

/// The path of the library, or the program, that this is part of, as it was loaded; NULL where that is not known.
const char *halcyon_triton_library_path(void);

/// How many forks lie between the process that loaded this and the calling one.
int halcyon_triton_fork_generation(void);

#include <pthread.h>

#include "CTriton.h"

static __thread int depth;

int halcyon_triton_callback_depth(void) { return depth; }
void halcyon_triton_callback_enter(void) { depth++; }
void halcyon_triton_callback_leave(void) { depth--; }

static int generation;

static void forked(void) { generation++; }

__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(NULL, NULL, forked); }

int halcyon_triton_fork_generation(void) { return generation; }

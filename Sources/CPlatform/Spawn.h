#pragma once
#include <signal.h>
#include <spawn.h>

// Starts a program at the head of a process group of its own, with no signal blocked and those of `defaults` as they
// are by default. Returns 0, or an error number.
int halcyon_spawn_group(const char *path, char *const *arguments, char *const *environment,
                        const posix_spawn_file_actions_t *actions, const sigset_t *defaults, int *child);

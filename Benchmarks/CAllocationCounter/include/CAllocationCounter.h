#pragma once
#include <stdint.h>

/// Calls of malloc and its kin since the process started, on all threads. The program that links this counts them.
uint64_t halcyon_allocation_count(void);

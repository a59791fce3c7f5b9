// The library has no interface of its own: its header is triton/core/tritonserver.h.
#pragma once

"""A client of the C interface in ctypes: what a program that embeds the server does, in Python."""

import ctypes
import threading

HANDLE = ctypes.c_void_p
RELEASE = ctypes.CFUNCTYPE(None, HANDLE, ctypes.c_uint32, ctypes.c_void_p)
RESPOND = ctypes.CFUNCTYPE(None, HANDLE, ctypes.c_uint32, ctypes.c_void_p)
ALLOCATE = ctypes.CFUNCTYPE(
    ctypes.c_void_p, HANDLE, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int64, ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_int),
    ctypes.POINTER(ctypes.c_int64),
)  # fmt: skip
FREE = ctypes.CFUNCTYPE(
    ctypes.c_void_p, HANDLE, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int64
)


class Failure(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Interface:
    """The library's functions, by their names without TRITONSERVER_; those that return an error raise it."""

    def __init__(self, path):
        self.library = ctypes.CDLL(str(path))

    def __getattr__(self, name):
        function = getattr(self.library, f"TRITONSERVER_{name}")
        function.restype = ctypes.c_void_p

        def call(*arguments):
            self.check(function(*arguments))

        return call

    def check(self, error):
        if failure := self.failure(error):
            raise failure

    def failure(self, error):
        if not error:
            return None
        error = ctypes.c_void_p(error)
        self.library.TRITONSERVER_ErrorMessage.restype = ctypes.c_char_p
        failure = Failure(
            self.library.TRITONSERVER_ErrorCode(error), self.library.TRITONSERVER_ErrorMessage(error).decode()
        )
        self.library.TRITONSERVER_ErrorDelete(error)
        return failure

    def made(self, name, *arguments):
        pointer = HANDLE()
        getattr(self, name)(ctypes.byref(pointer), *arguments)
        return pointer

    def message(self, name, *arguments):
        pointer, base, size = HANDLE(), ctypes.c_void_p(), ctypes.c_size_t()
        getattr(self, name)(*arguments, ctypes.byref(pointer))
        self.MessageSerializeToJson(pointer, ctypes.byref(base), ctypes.byref(size))
        text = ctypes.string_at(base, size.value).decode()
        self.MessageDelete(pointer)
        return text

    def server(self, *repositories):
        options = self.made("ServerOptionsNew")
        for repository in repositories:
            self.ServerOptionsSetModelRepositoryPath(options, str(repository).encode())
        for name in ("LogInfo", "LogWarn", "LogError"):
            getattr(self, f"ServerOptionsSet{name}")(options, ctypes.c_bool(False))
        try:
            return self.made("ServerNew", options)
        finally:
            self.ServerOptionsDelete(options)


class Call:
    """A request with one input, from its making to its answer."""

    def __init__(self, interface, server, model, name, values):
        self.interface, self.server = interface, server
        self.done, self.released = threading.Event(), threading.Event()
        self.answer = None
        self.buffers = {}
        self.data = (ctypes.c_int32 * len(values))(*values)
        shape = (ctypes.c_int64 * 2)(1, len(values))
        self.callbacks = (ALLOCATE(self.allocate), FREE(self.free), RELEASE(self.release), RESPOND(self.respond))
        allocate, free, release, respond = self.callbacks
        self.allocator = interface.made("ResponseAllocatorNew", allocate, free, None)
        self.request = interface.made("InferenceRequestNew", server, model.encode(), ctypes.c_int64(-1))
        interface.InferenceRequestAddInput(self.request, name.encode(), 8, shape, ctypes.c_uint64(2))
        interface.InferenceRequestAppendInputData(
            self.request, name.encode(), self.data, ctypes.c_size_t(ctypes.sizeof(self.data)), 0, ctypes.c_int64(0)
        )
        interface.InferenceRequestSetReleaseCallback(self.request, release, None)
        interface.InferenceRequestSetResponseCallback(self.request, self.allocator, None, respond, None)

    def run(self):
        self.done.clear()
        self.released.clear()
        self.interface.ServerInferAsync(self.server, self.request, None)
        self.done.wait()
        self.released.wait()
        return self.answer

    def delete(self):
        self.interface.InferenceRequestDelete(self.request)
        self.interface.ResponseAllocatorDelete(self.allocator)

    def allocate(self, allocator, name, size, wanted, wanted_id, userp, buffer, buffer_userp, kind, kind_id):
        memory = ctypes.create_string_buffer(max(1, size))
        self.buffers[ctypes.addressof(memory)] = memory
        buffer[0] = ctypes.addressof(memory)
        kind[0], kind_id[0] = 0, 0
        return None

    def free(self, allocator, buffer, userp, size, kind, kind_id):
        del self.buffers[buffer]
        return None

    def release(self, request, flags, userp):
        self.released.set()

    def respond(self, response, flags, userp):
        response = HANDLE(response)
        base, size = ctypes.c_void_p(), ctypes.c_size_t()
        name, shape, rest = ctypes.c_char_p(), ctypes.c_void_p(), [ctypes.c_int64() for _ in range(5)]
        kind, rank, memory, memory_id, userp = (ctypes.byref(value) for value in rest)
        self.interface.InferenceResponseOutput(
            response, 0, ctypes.byref(name), kind, ctypes.byref(shape), rank, ctypes.byref(base), ctypes.byref(size),
            memory, memory_id, userp,
        )  # fmt: skip
        self.answer = list((ctypes.c_int32 * (size.value // 4)).from_address(base.value))
        self.interface.InferenceResponseDelete(response)
        self.done.set()

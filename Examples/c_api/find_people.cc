// Finds the people in a picture: ./find_people PICTURE REPOSITORY...
#include <cstring>
#include <fstream>
#include <future>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "triton/core/tritonserver.h"

void check(TRITONSERVER_Error *error) {
    if (error == nullptr) return;
    std::string message = TRITONSERVER_ErrorMessage(error);
    TRITONSERVER_ErrorDelete(error);
    throw std::runtime_error(message);
}

// What the interface makes by one function and deletes by another.
template <typename T, TRITONSERVER_Error *(*Delete)(T *)>
struct Owned {
    T *object = nullptr;
    ~Owned() {
        if (object != nullptr) TRITONSERVER_ErrorDelete(Delete(object));
    }
};

TRITONSERVER_Error *allocate(
    TRITONSERVER_ResponseAllocator *, const char *, size_t size, TRITONSERVER_MemoryType, int64_t, void *,
    void **buffer, void **userp, TRITONSERVER_MemoryType *type, int64_t *id) {
    *buffer = new char[size];
    *userp = nullptr;
    *type = TRITONSERVER_MEMORY_CPU;
    *id = 0;
    return nullptr;
}

TRITONSERVER_Error *release(
    TRITONSERVER_ResponseAllocator *, void *buffer, void *, size_t, TRITONSERVER_MemoryType, int64_t) {
    delete[] static_cast<char *>(buffer);
    return nullptr;
}

using Response = Owned<TRITONSERVER_InferenceResponse, TRITONSERVER_InferenceResponseDelete>;

std::map<std::string, const void *> outputs(TRITONSERVER_InferenceResponse *response) {
    std::map<std::string, const void *> outputs;
    uint32_t count = 0;
    check(TRITONSERVER_InferenceResponseOutputCount(response, &count));
    for (uint32_t i = 0; i < count; i++) {
        const char *name;
        TRITONSERVER_DataType type;
        const int64_t *shape;
        uint64_t rank;
        const void *base;
        size_t size;
        TRITONSERVER_MemoryType memory;
        int64_t id;
        void *userp;
        check(TRITONSERVER_InferenceResponseOutput(
            response, i, &name, &type, &shape, &rank, &base, &size, &memory, &id, &userp));
        outputs[name] = base;
    }
    return outputs;
}

void find(const std::string &picture, const std::vector<std::string> &repositories) {
    Owned<TRITONSERVER_ServerOptions, TRITONSERVER_ServerOptionsDelete> options;
    check(TRITONSERVER_ServerOptionsNew(&options.object));
    for (auto &repository : repositories)
        check(TRITONSERVER_ServerOptionsSetModelRepositoryPath(options.object, repository.c_str()));
    check(TRITONSERVER_ServerOptionsSetModelControlMode(options.object, TRITONSERVER_MODEL_CONTROL_EXPLICIT));
    // Its steps are loaded with it.
    check(TRITONSERVER_ServerOptionsSetStartupModel(options.object, "people"));
    check(TRITONSERVER_ServerOptionsSetLogInfo(options.object, false));
    Owned<TRITONSERVER_Server, TRITONSERVER_ServerDelete> server;
    check(TRITONSERVER_ServerNew(&server.object, options.object));

    // A text on the wire is its length, in four bytes, and its bytes: here those of the picture's file.
    std::ifstream file(picture, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (bytes.empty()) throw std::runtime_error("can't read " + picture);
    uint32_t length = bytes.size();
    int64_t shape[] = {1, 1};

    Owned<TRITONSERVER_ResponseAllocator, TRITONSERVER_ResponseAllocatorDelete> allocator;
    check(TRITONSERVER_ResponseAllocatorNew(&allocator.object, allocate, release, nullptr));
    Owned<TRITONSERVER_InferenceRequest, TRITONSERVER_InferenceRequestDelete> request;
    check(TRITONSERVER_InferenceRequestNew(&request.object, server.object, "people", -1));
    check(TRITONSERVER_InferenceRequestAddInput(request.object, "file", TRITONSERVER_TYPE_BYTES, shape, 2));
    check(TRITONSERVER_InferenceRequestAppendInputData(
        request.object, "file", &length, sizeof length, TRITONSERVER_MEMORY_CPU, 0));
    check(TRITONSERVER_InferenceRequestAppendInputData(
        request.object, "file", bytes.data(), bytes.size(), TRITONSERVER_MEMORY_CPU, 0));
    std::promise<void> released;
    std::promise<TRITONSERVER_InferenceResponse *> responded;
    check(TRITONSERVER_InferenceRequestSetReleaseCallback(
        request.object,
        [](TRITONSERVER_InferenceRequest *, const uint32_t, void *userp) {
            static_cast<std::promise<void> *>(userp)->set_value();
        },
        &released));
    check(TRITONSERVER_InferenceRequestSetResponseCallback(
        request.object, allocator.object, nullptr,
        [](TRITONSERVER_InferenceResponse *response, const uint32_t, void *userp) {
            static_cast<std::promise<TRITONSERVER_InferenceResponse *> *>(userp)->set_value(response);
        },
        &responded));
    check(TRITONSERVER_ServerInferAsync(server.object, request.object, nullptr));
    Response response{responded.get_future().get()};
    released.get_future().get();
    if (auto error = TRITONSERVER_InferenceResponseError(response.object))
        throw std::runtime_error(TRITONSERVER_ErrorMessage(error));

    auto found = outputs(response.object);
    auto boxes = static_cast<const float *>(found.at("boxes"));
    auto scores = static_cast<const float *>(found.at("scores"));
    int count = *static_cast<const int32_t *>(found.at("count"));
    std::cout << count << " people in " << picture << "\n";
    for (int i = 0; i < count; i++) {
        std::cout << "  " << scores[i] << " at";
        for (int j = 0; j < 4; j++) std::cout << " " << boxes[4 * i + j];
        std::cout << "\n";
    }
}

int main(int count, char **arguments) {
    if (count < 3) {
        std::cerr << "usage: find_people PICTURE REPOSITORY...\n";
        return 2;
    }
    try {
        find(arguments[1], {arguments + 2, arguments + count});
    } catch (const std::exception &error) {
        std::cerr << "error: " << error.what() << "\n";
        return 1;
    }
    return 0;
}

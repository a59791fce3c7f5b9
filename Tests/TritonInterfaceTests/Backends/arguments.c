// A backend that calls each function of a backend's with right arguments, and then with each of them wrong in turn: NULL, a
// pointer that nobody was given, a handle of another kind, one that was given up, and an index beyond the last. What is not
// answered as it should be fails the request, by name.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "triton/core/tritonbackend.h"

#define EXPORT __attribute__((visibility("default")))
#define DO(call)                             \
    do {                                     \
        TRITONSERVER_Error *error_ = (call); \
        if (error_) return error_;           \
    } while (0)

// All arguments in the registers of integers; one that is a floating-point number is left out, as it has registers of its own.
typedef TRITONSERVER_Error *(*any_function)(void *, void *, void *, void *, void *, void *, void *, void *);

// A function, and what it takes: a capital letter is a handle, `E` one that may be NULL, `o` and `s` memory and a text that
// must be there, `i` and `n` the names of an input and a state, `p` what may be NULL, `x` an index, a digit that number.
struct row {
    const char *name;
    any_function function;
    const char *arguments;
    // It may be called with right arguments at any time, as often as one likes.
    bool is_harmless;
};
#define BOTH(name, arguments) {"TRITONBACKEND_" #name, (any_function)TRITONBACKEND_##name, arguments, true},
#define ONCE(name, arguments) {"TRITONBACKEND_" #name, (any_function)TRITONBACKEND_##name, arguments, false},
static const struct row rows[] = {
    BOTH(ApiVersion, "oo")
    ONCE(MemoryManagerAllocate, "Yo000")
    ONCE(MemoryManagerFree, "Yp00")
    BOTH(InputProperties, "Npppppp")
    BOTH(InputPropertiesForHostPolicy, "Nppppppp")
    BOTH(InputBuffer, "Nxoooo")
    BOTH(InputBufferForHostPolicy, "Npxoooo")
    BOTH(InputBufferAttributes, "Nxoo")
    BOTH(OutputBuffer, "Oo8pp")
    BOTH(RequestId, "Ro")
    BOTH(RequestIsCancelled, "Ro")
    ONCE(RequestCorrelationId, "Ro")
    BOTH(RequestCorrelationIdString, "Ro")
    BOTH(InferenceRequestTimeoutMicroseconds, "Ro")
    BOTH(RequestFlags, "Ro")
    BOTH(RequestParameterCount, "Ro")
    BOTH(RequestParameter, "Rxooo")
    BOTH(RequestInputCount, "Ro")
    BOTH(RequestInputName, "Rxo")
    BOTH(RequestInput, "Rio")
    BOTH(RequestInputByIndex, "Rxo")
    BOTH(RequestOutputCount, "Ro")
    BOTH(RequestOutputName, "Rxo")
    BOTH(RequestOutputBufferProperties, "Rppoo")
    ONCE(RequestRelease, "R0")
    BOTH(RequestTrace, "Ro")
    ONCE(ResponseFactoryNew, "oR")
    ONCE(ResponseFactoryDelete, "F")
    ONCE(ResponseFactorySendFlags, "F0")
    BOTH(ResponseFactoryIsCancelled, "Fo")
    ONCE(ResponseNew, "oR")
    ONCE(ResponseNewFromFactory, "oF")
    ONCE(ResponseDelete, "P")
    BOTH(ResponseSetStringParameter, "Pss")
    BOTH(ResponseSetIntParameter, "Ps0")
    BOTH(ResponseSetBoolParameter, "Ps0")
    ONCE(ResponseSetDoubleParameter, "Ps")
    ONCE(ResponseOutput, "Pos8o1")
    ONCE(ResponseSend, "P0E")
    BOTH(InferenceResponseOutputByName, "Psooo")
    BOTH(InferenceResponseOutput, "Pxoooo")
    ONCE(StateNew, "oRn8o1")
    BOTH(StateBuffer, "So8pp")
    BOTH(BackendName, "Bo")
    BOTH(BackendConfig, "Bo")
    BOTH(BackendExecutionPolicy, "Bo")
    ONCE(BackendSetExecutionPolicy, "B0")
    BOTH(BackendArtifacts, "Boo")
    BOTH(BackendMemoryManager, "Bo")
    BOTH(BackendState, "Bo")
    ONCE(BackendSetState, "Bp")
    ONCE(BackendAttributeAddPreferredInstanceGroup, "A01o1")
    ONCE(BackendAttributeSetParallelModelInstanceLoading, "A0")
    BOTH(ModelName, "Mo")
    BOTH(ModelVersion, "Mo")
    BOTH(ModelRepository, "Moo")
    ONCE(ModelConfig, "M1o")
    BOTH(ModelAutoCompleteConfig, "Mo")
    ONCE(ModelSetConfig, "M1G")
    BOTH(ModelServer, "Mo")
    BOTH(ModelBackend, "Mo")
    BOTH(ModelState, "Mo")
    ONCE(ModelSetState, "Mp")
    ONCE(ModelReportMemoryUsage, "Mo1")
    BOTH(ModelInstanceName, "Io")
    BOTH(ModelInstanceKind, "Io")
    BOTH(ModelInstanceDeviceId, "Io")
    BOTH(ModelInstanceHostPolicy, "Io")
    BOTH(ModelInstanceIsPassive, "Io")
    BOTH(ModelInstanceProfileCount, "Io")
    ONCE(ModelInstanceProfileName, "Ixo")
    BOTH(ModelInstanceSecondaryDeviceCount, "Io")
    ONCE(ModelInstanceSecondaryDeviceProperties, "Ixoo")
    BOTH(ModelInstanceModel, "Io")
    BOTH(ModelInstanceState, "Io")
    ONCE(ModelInstanceSetState, "Ip")
    ONCE(ModelInstanceReportMemoryUsage, "Io1")
    BOTH(ModelInstanceReportStatistics, "IR10000")
    ONCE(ModelInstanceResponseStatisticsNew, "o")
    ONCE(ModelInstanceResponseStatisticsDelete, "T")
    BOTH(ModelInstanceResponseStatisticsSetModelInstance, "TI")
    BOTH(ModelInstanceResponseStatisticsSetResponseFactory, "TF")
    BOTH(ModelInstanceResponseStatisticsSetResponseStart, "T0")
    BOTH(ModelInstanceResponseStatisticsSetComputeOutputStart, "T0")
    BOTH(ModelInstanceResponseStatisticsSetResponseEnd, "T0")
    BOTH(ModelInstanceResponseStatisticsSetError, "TE")
    ONCE(ModelInstanceReportResponseStatistics, "T")
    BOTH(ModelInstanceReportBatchStatistics, "I00000")
    BOTH(OutputBufferAttributes, "Oo")
    BOTH(StateUpdate, "S")
    BOTH(StateBufferAttributes, "So")
};

static void *handles[128];
static void *given_up;
static char memory[256];
static unsigned tried;

static void *right(char letter) {
    if (letter >= 'A' && letter <= 'Z') return handles[(int)letter];
    if (letter >= '0' && letter <= '9') return (void *)(size_t)(letter - '0');
    return letter == 'x' ? NULL : letter == 's' ? "OUT" : letter == 'i' ? "IN" : letter == 'n' ? "NEXT" : memory;
}

static TRITONSERVER_Error *complaint(const struct row *row, size_t place, const char *what) {
    char text[256];
    snprintf(text, sizeof text, "%s, argument %zu: %s", row->name, place, what);
    return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, text);
}

// Calls a function with one argument replaced.
static TRITONSERVER_Error *call(const struct row *row, size_t place, void *value) {
    void *a[8] = {NULL};
    memset(memory, 0, sizeof memory);
    for (size_t i = 0; row->arguments[i]; i++) a[i] = i == place ? value : right(row->arguments[i]);
    return row->function(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
}

static TRITONSERVER_Error *refuses(const struct row *row, size_t place, void *value, const char *what) {
    tried++;
    TRITONSERVER_Error *error = call(row, place, value);
    if (!error) return complaint(row, place, what);
    bool is_sentence = TRITONSERVER_ErrorCode(error) != TRITONSERVER_ERROR_INTERNAL && strlen(TRITONSERVER_ErrorMessage(error)) > 10;
    if (!is_sentence) return error;
    TRITONSERVER_ErrorDelete(error);
    return NULL;
}

// Where `kinds` are the handles that there are at the moment.
static TRITONSERVER_Error *try_all(const char *kinds) {
    for (size_t index = 0; index < sizeof rows / sizeof *rows; index++) {
        const struct row *row = &rows[index];
        bool has_all = true;
        for (const char *letter = row->arguments; *letter; letter++)
            has_all &= *letter < 'A' || *letter > 'Z' || strchr(kinds, *letter);
        if (!has_all) continue;
        if (row->is_harmless) {
            TRITONSERVER_Error *error = call(row, 8, NULL);
            if (error) return complaint(row, 8, TRITONSERVER_ErrorMessage(error));
        }
        for (size_t place = 0; row->arguments[place]; place++) {
            char letter = row->arguments[place];
            bool is_handle = letter >= 'A' && letter <= 'Z';
            if (strchr("osin", letter) || (is_handle && letter != 'E')) DO(refuses(row, place, NULL, "NULL"));
            if (letter == 'x') DO(refuses(row, place, (void *)77, "an index beyond the last"));
            if (!is_handle) continue;
            DO(refuses(row, place, memory, "a pointer that nobody was given"));
            DO(refuses(row, place, (void *)1, "an address without memory"));
            DO(refuses(row, place, handles[letter == 'G' ? 'B' : 'G'], "a handle of another kind"));
            DO(refuses(row, place, given_up, "a handle that was given up"));
        }
    }
    return NULL;
}

static TRITONSERVER_Error *begin(void) {
    const char *json = "{}";
    DO(TRITONSERVER_MessageNewFromSerializedJson((TRITONSERVER_Message **)&handles['G'], json, 2));
    TRITONSERVER_BufferAttributes *attributes = NULL;
    DO(TRITONSERVER_BufferAttributesNew(&attributes));
    DO(TRITONSERVER_BufferAttributesDelete(attributes));
    given_up = attributes;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_GetBackendAttribute(
    TRITONBACKEND_Backend *backend, TRITONBACKEND_BackendAttribute *attributes) {
    handles['B'] = backend;
    handles['A'] = attributes;
    DO(begin());
    DO(try_all("AG"));
    DO(TRITONSERVER_MessageDelete(handles['G']));
    if (tried < 10) return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, "no function takes attributes of a backend");
    DO(TRITONBACKEND_BackendAttributeAddPreferredInstanceGroup(attributes, TRITONSERVER_INSTANCEGROUPKIND_CPU, 1, NULL, 0));
    return TRITONBACKEND_BackendAttributeSetParallelModelInstanceLoading(attributes, false);
}

// What a response's statistics are made of; the factory's request has not been given back.
static TRITONSERVER_Error *report(void) {
    TRITONBACKEND_ModelInstanceResponseStatistics *statistics = NULL;
    DO(TRITONBACKEND_ModelInstanceResponseStatisticsNew(&statistics));
    TRITONSERVER_Error *error = TRITONBACKEND_ModelInstanceReportResponseStatistics(statistics);
    if (!error) return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, "statistics of no response are reported");
    TRITONSERVER_ErrorDelete(error);
    DO(TRITONBACKEND_ModelInstanceResponseStatisticsSetModelInstance(statistics, handles['I']));
    DO(TRITONBACKEND_ModelInstanceResponseStatisticsSetResponseFactory(statistics, handles['F']));
    DO(TRITONBACKEND_ModelInstanceResponseStatisticsSetResponseStart(statistics, 1000));
    DO(TRITONBACKEND_ModelInstanceResponseStatisticsSetComputeOutputStart(statistics, 2000));
    DO(TRITONBACKEND_ModelInstanceResponseStatisticsSetResponseEnd(statistics, 3000));
    DO(TRITONBACKEND_ModelInstanceResponseStatisticsSetError(statistics, NULL));
    DO(TRITONBACKEND_ModelInstanceReportResponseStatistics(statistics));
    return TRITONBACKEND_ModelInstanceResponseStatisticsDelete(statistics);
}

static TRITONSERVER_Error *serve(TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request *request) {
    handles['I'] = instance;
    handles['R'] = request;
    DO(TRITONBACKEND_ModelInstanceModel(instance, (TRITONBACKEND_Model **)&handles['M']));
    DO(TRITONBACKEND_ModelBackend(handles['M'], (TRITONBACKEND_Backend **)&handles['B']));
    DO(TRITONBACKEND_BackendMemoryManager(handles['B'], (TRITONBACKEND_MemoryManager **)&handles['Y']));
    DO(TRITONBACKEND_RequestInput(request, "IN", (TRITONBACKEND_Input **)&handles['N']));
    DO(TRITONBACKEND_ResponseFactoryNew((TRITONBACKEND_ResponseFactory **)&handles['F'], request));
    DO(TRITONBACKEND_ResponseNew((TRITONBACKEND_Response **)&handles['P'], request));
    int64_t shape[] = {1, 2};
    DO(TRITONBACKEND_ResponseOutput(handles['P'], (TRITONBACKEND_Output **)&handles['O'], "OUT", TRITONSERVER_TYPE_INT32, shape, 2));
    DO(TRITONBACKEND_StateNew((TRITONBACKEND_State **)&handles['S'], request, "NEXT", TRITONSERVER_TYPE_INT32, shape, 2));
    DO(TRITONBACKEND_ModelInstanceResponseStatisticsNew((TRITONBACKEND_ModelInstanceResponseStatistics **)&handles['T']));
    DO(begin());
    const char *correlation = NULL;
    DO(TRITONBACKEND_RequestCorrelationIdString(request, &correlation));
    if (strcmp(correlation, "mine") != 0) return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, correlation);
    DO(try_all("BEFGIMNOPRSTY"));

    TRITONSERVER_BufferAttributes *attributes = NULL;
    size_t size = 0;
    DO(TRITONBACKEND_StateBufferAttributes(handles['S'], &attributes));
    DO(TRITONSERVER_BufferAttributesByteSize(attributes, &size));
    if (size != 8) return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, "the state's memory is not of its size");
    DO(report());
    DO(TRITONBACKEND_ModelInstanceResponseStatisticsDelete(handles['T']));
    DO(TRITONSERVER_MessageDelete(handles['G']));
    void *buffer = NULL;
    TRITONSERVER_MemoryType type = TRITONSERVER_MEMORY_CPU;
    int64_t id = 0;
    DO(TRITONBACKEND_OutputBuffer(handles['O'], &buffer, 8, &type, &id));
    ((uint32_t *)buffer)[0] = tried;
    ((uint32_t *)buffer)[1] = sizeof rows / sizeof *rows;
    DO(TRITONBACKEND_ResponseSend(handles['P'], TRITONSERVER_RESPONSE_COMPLETE_FINAL, NULL));
    return TRITONBACKEND_ResponseFactoryDelete(handles['F']);
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceExecute(
    TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request **requests, const uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        TRITONSERVER_Error *error = serve(instance, requests[i]);
        TRITONBACKEND_Response *response = NULL;
        if (error && !TRITONBACKEND_ResponseNew(&response, requests[i]))
            TRITONSERVER_ErrorDelete(TRITONBACKEND_ResponseSend(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, error));
        TRITONSERVER_ErrorDelete(error);
        DO(TRITONBACKEND_RequestRelease(requests[i], TRITONSERVER_REQUEST_RELEASE_ALL));
    }
    return NULL;
}

// A repository agent. Each step of a model's life is a line of the file that its parameter "journal" names. "does" says what it
// does on a load: "refuses", "complains" (later steps fail), "moves" to the folder "to", or "makes" a model by itself: a
// configuration and a version folder in the folder that it is given. Every function that an agent may call is called, and
// wrongly, too.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "triton/core/tritonrepoagent.h"

#include "checks.h"

static const char *steps[] = {"load", "load complete", "load fail", "unload", "unload complete"};

// A parameter's value; "" where there is none.
static const char *parameter(TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model, const char *wanted) {
    uint32_t count = 0;
    TRITONSERVER_ErrorDelete(TRITONREPOAGENT_ModelParameterCount(agent, model, &count));
    for (uint32_t index = 0; index < count; index++) {
        const char *name = NULL, *value = NULL;
        TRITONSERVER_ErrorDelete(TRITONREPOAGENT_ModelParameter(agent, model, index, &name, &value));
        if (name && strcmp(name, wanted) == 0) return value;
    }
    return "";
}

static void note(TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model, const char *what) {
    const char *path = parameter(agent, model, "journal");
    FILE *journal = *path ? fopen(path, "a") : NULL;
    if (!journal) return;
    fprintf(journal, "%s%s\n", parameter(agent, model, "says"), what);
    fclose(journal);
}

#ifndef WITHOUT_ACTION
EXPORT TRITONSERVER_Error *TRITONREPOAGENT_Initialize(TRITONREPOAGENT_Agent *agent) {
    uint32_t major = 9, minor = 9;
    DO(TRITONREPOAGENT_ApiVersion(&major, &minor));
    HOLDS(major == TRITONREPOAGENT_API_VERSION_MAJOR && minor == TRITONREPOAGENT_API_VERSION_MINOR);
    FAILS(TRITONREPOAGENT_ApiVersion(&major, NULL));
    void *state = agent;
    DO(TRITONREPOAGENT_State(agent, &state));
    HOLDS(state == NULL);
    FAILS(TRITONREPOAGENT_State(agent, NULL));
    FAILS(TRITONREPOAGENT_State(NULL, &state));
    FAILS(TRITONREPOAGENT_SetState((TRITONREPOAGENT_Agent *)&state, &state));
    DO(TRITONREPOAGENT_SetState(agent, (void *)0x51));
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONREPOAGENT_Finalize(TRITONREPOAGENT_Agent *agent) {
    void *state = NULL;
    DO(TRITONREPOAGENT_State(agent, &state));
    HOLDS(state == (void *)0x51);
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONREPOAGENT_ModelInitialize(TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model) {
    note(agent, model, "initialize");
    DO(TRITONREPOAGENT_ModelSetState(model, strdup("kept")));
    FAILS(TRITONREPOAGENT_ModelSetState(NULL, NULL));
    FAILS(TRITONREPOAGENT_ModelSetState((TRITONREPOAGENT_AgentModel *)agent, NULL));
    // Not while it is not being loaded.
    FAILS(TRITONREPOAGENT_ModelRepositoryUpdate(agent, model, TRITONREPOAGENT_ARTIFACT_FILESYSTEM, "/tmp"));
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONREPOAGENT_ModelFinalize(TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model) {
    void *state = NULL;
    DO(TRITONREPOAGENT_ModelState(model, &state));
    FAILS(TRITONREPOAGENT_ModelState(model, NULL));
    note(agent, model, strcmp(state, "kept") == 0 ? "finalize" : "lost");
    free(state);
    return NULL;
}

static TRITONSERVER_Error *look(TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model) {
    TRITONREPOAGENT_ArtifactType type = TRITONREPOAGENT_ARTIFACT_REMOTE_FILESYSTEM;
    const char *location = NULL;
    DO(TRITONREPOAGENT_ModelRepositoryLocation(agent, model, &type, &location));
    HOLDS(type == TRITONREPOAGENT_ARTIFACT_FILESYSTEM && location[0] == '/');
    FAILS(TRITONREPOAGENT_ModelRepositoryLocation(agent, model, NULL, &location));
    FAILS(TRITONREPOAGENT_ModelRepositoryLocation(agent, NULL, &type, &location));
    FAILS(TRITONREPOAGENT_ModelRepositoryLocation(NULL, model, &type, &location));
    const char *name = NULL, *value = NULL;
    uint32_t count = 0;
    DO(TRITONREPOAGENT_ModelParameterCount(agent, model, &count));
    FAILS(TRITONREPOAGENT_ModelParameterCount(agent, model, NULL));
    FAILS(TRITONREPOAGENT_ModelParameter(agent, model, count, &name, &value));
    FAILS(TRITONREPOAGENT_ModelParameter(agent, model, 0, NULL, &value));
    TRITONSERVER_Message *config = NULL;
    DO(TRITONREPOAGENT_ModelConfig(agent, model, 1, &config));
    FAILS(TRITONREPOAGENT_ModelConfig(agent, model, 2, &config));
    FAILS(TRITONREPOAGENT_ModelConfig(agent, model, 1, NULL));
    const char *text = NULL;
    size_t size = 0;
    DO(TRITONSERVER_MessageSerializeToJson(config, &text, &size));
    HOLDS(memmem(text, size, "\"model_repository_agents\"", 25));
    DO(TRITONSERVER_MessageDelete(config));
    const char *place = NULL, *again = NULL;
    FAILS(TRITONREPOAGENT_ModelRepositoryLocationRelease(agent, model, location));
    FAILS(TRITONREPOAGENT_ModelRepositoryLocationAcquire(agent, model, TRITONREPOAGENT_ARTIFACT_REMOTE_FILESYSTEM, &place));
    FAILS(TRITONREPOAGENT_ModelRepositoryLocationAcquire(agent, model, TRITONREPOAGENT_ARTIFACT_FILESYSTEM, NULL));
    DO(TRITONREPOAGENT_ModelRepositoryLocationAcquire(agent, model, TRITONREPOAGENT_ARTIFACT_FILESYSTEM, &place));
    DO(TRITONREPOAGENT_ModelRepositoryLocationAcquire(agent, model, TRITONREPOAGENT_ARTIFACT_FILESYSTEM, &again));
    HOLDS(strcmp(place, again) == 0);
    FAILS(TRITONREPOAGENT_ModelRepositoryLocationRelease(agent, model, location));
    FAILS(TRITONREPOAGENT_ModelRepositoryLocationRelease(agent, model, NULL));
    DO(TRITONREPOAGENT_ModelRepositoryLocationRelease(agent, model, place));
    struct stat status;
    HOLDS(stat(place, &status) != 0);
    FAILS(TRITONREPOAGENT_ModelRepositoryUpdate(agent, model, TRITONREPOAGENT_ARTIFACT_REMOTE_FILESYSTEM, "/tmp"));
    FAILS(TRITONREPOAGENT_ModelRepositoryUpdate(agent, model, TRITONREPOAGENT_ARTIFACT_FILESYSTEM, NULL));
    FAILS(TRITONREPOAGENT_ModelRepositoryUpdate(agent, model, TRITONREPOAGENT_ARTIFACT_FILESYSTEM, "not/absolute"));
    return NULL;
}

static TRITONSERVER_Error *make(TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model) {
    const char *place = NULL;
    DO(TRITONREPOAGENT_ModelRepositoryLocationAcquire(agent, model, TRITONREPOAGENT_ARTIFACT_FILESYSTEM, &place));
    char path[4096];
    snprintf(path, sizeof path, "%s/1", place);
    HOLDS(mkdir(path, 0700) == 0);
    snprintf(path, sizeof path, "%s/config.pbtxt", place);
    FILE *file = fopen(path, "w");
    HOLDS(file != NULL);
    fputs("backend: \"identity\"\nmax_batch_size: 5\ninput [ { name: \"IN\", data_type: TYPE_INT32, dims: [ -1 ] } ]\n"
          "output [ { name: \"OUT\", data_type: TYPE_INT32, dims: [ -1 ] } ]\n", file);
    fclose(file);
    return TRITONREPOAGENT_ModelRepositoryUpdate(agent, model, TRITONREPOAGENT_ARTIFACT_FILESYSTEM, place);
}

EXPORT TRITONSERVER_Error *TRITONREPOAGENT_ModelAction(
    TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model, const TRITONREPOAGENT_ActionType action) {
    note(agent, model, steps[action]);
    const char *does = parameter(agent, model, "does");
    if (action != TRITONREPOAGENT_ACTION_LOAD) {
        if (strcmp(does, "complains") == 0) return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, "not like this");
        return NULL;
    }
    DO(look(agent, model));
    if (strcmp(does, "refuses") == 0) return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INVALID_ARG, "this model is not whole");
    if (strcmp(does, "makes") == 0) return make(agent, model);
    if (strcmp(does, "moves") == 0) {
        return TRITONREPOAGENT_ModelRepositoryUpdate(
            agent, model, TRITONREPOAGENT_ARTIFACT_FILESYSTEM, parameter(agent, model, "to"));
    }
    return NULL;
}
#endif

// Triton's C interface, as Halcyon offers it: what a repository agent is called with, and what it may call. The names, types
// and values are those of Triton's published interface, version 0.1; the words are ours. See tritonserver.h for what all
// functions have in common.
#ifndef HALCYON_TRITON_CORE_TRITONREPOAGENT_H
#define HALCYON_TRITON_CORE_TRITONREPOAGENT_H

#include "triton/core/tritonserver.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TRITONREPOAGENT_API_VERSION_MAJOR 0
#define TRITONREPOAGENT_API_VERSION_MINOR 1

typedef struct TRITONREPOAGENT_Agent TRITONREPOAGENT_Agent;
typedef struct TRITONREPOAGENT_AgentModel TRITONREPOAGENT_AgentModel;

typedef enum TRITONREPOAGENT_artifacttype_enum {
    TRITONREPOAGENT_ARTIFACT_FILESYSTEM,
    TRITONREPOAGENT_ARTIFACT_REMOTE_FILESYSTEM
} TRITONREPOAGENT_ArtifactType;

typedef enum TRITONREPOAGENT_actiontype_enum {
    TRITONREPOAGENT_ACTION_LOAD,
    TRITONREPOAGENT_ACTION_LOAD_COMPLETE,
    TRITONREPOAGENT_ACTION_LOAD_FAIL,
    TRITONREPOAGENT_ACTION_UNLOAD,
    TRITONREPOAGENT_ACTION_UNLOAD_COMPLETE
} TRITONREPOAGENT_ActionType;

TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONREPOAGENT_ApiVersion(uint32_t *major, uint32_t *minor);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONREPOAGENT_ModelRepositoryLocation(
    TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model, TRITONREPOAGENT_ArtifactType *artifact_type,
    const char **location);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONREPOAGENT_ModelRepositoryLocationAcquire(
    TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model, const TRITONREPOAGENT_ArtifactType artifact_type,
    const char **location);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONREPOAGENT_ModelRepositoryLocationRelease(
    TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model, const char *location);
// Only while a model is loaded: what follows reads it there.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONREPOAGENT_ModelRepositoryUpdate(
    TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model, const TRITONREPOAGENT_ArtifactType artifact_type,
    const char *location);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONREPOAGENT_ModelParameterCount(
    TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model, uint32_t *count);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONREPOAGENT_ModelParameter(
    TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model, const uint32_t index, const char **parameter_name,
    const char **parameter_value);
// The caller frees the message. The version is 1.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONREPOAGENT_ModelConfig(
    TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model, const uint32_t config_version,
    TRITONSERVER_Message **model_config);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONREPOAGENT_ModelState(TRITONREPOAGENT_AgentModel *model, void **state);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONREPOAGENT_ModelSetState(TRITONREPOAGENT_AgentModel *model, void *state);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONREPOAGENT_State(TRITONREPOAGENT_Agent *agent, void **state);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONREPOAGENT_SetState(TRITONREPOAGENT_Agent *agent, void *state);

// MARK: What an agent offers: of these, only the last must be there

typedef TRITONSERVER_Error *(*TRITONREPOAGENT_AgentFn_t)(TRITONREPOAGENT_Agent *agent);
typedef TRITONSERVER_Error *(*TRITONREPOAGENT_AgentModelFn_t)(
    TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model);
typedef TRITONSERVER_Error *(*TRITONREPOAGENT_ModelActionFn_t)(
    TRITONREPOAGENT_Agent *agent, TRITONREPOAGENT_AgentModel *model, const TRITONREPOAGENT_ActionType action_type);

#ifdef __cplusplus
}
#endif

#endif

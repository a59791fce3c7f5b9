public import CTriton
internal import JSONText
internal import ModelConfigurations
internal import Tensors

private func agentModel(_ agent: OpaquePointer?, _ model: OpaquePointer?) throws(HalcyonError) -> AgentModelObject {
    let agent = try Handles.object(agent, as: AgentObject.self, "agent")
    let model = try Handles.object(model, as: AgentModelObject.self, "model")
    guard model.agent === agent else {
        throw HalcyonError(
            .invalidArgument, "'model' is of agent '\(model.agent.name)', and 'agent' is '\(agent.name)'")
    }
    return model
}

private func checkType(_ type: TRITONREPOAGENT_ArtifactType) throws(HalcyonError) {
    guard type == TRITONREPOAGENT_ARTIFACT_FILESYSTEM else {
        throw HalcyonError(
            .invalidArgument,
            "Unexpected artifact type \(type.rawValue), expects 'TRITONREPOAGENT_ARTIFACT_FILESYSTEM' (0)")
    }
}

@c @implementation public func TRITONREPOAGENT_ApiVersion(
    _ major: UnsafeMutablePointer<UInt32>?, _ minor: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let (major, minor) = (try place(major, "major"), try place(minor, "minor"))
        major.pointee = UInt32(TRITONREPOAGENT_API_VERSION_MAJOR)
        minor.pointee = UInt32(TRITONREPOAGENT_API_VERSION_MINOR)
    }
}

@c @implementation public func TRITONREPOAGENT_ModelRepositoryLocation(
    _ agent: OpaquePointer?, _ model: OpaquePointer?,
    _ artifact_type: UnsafeMutablePointer<TRITONREPOAGENT_ArtifactType>?,
    _ location: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let found = try agentModel(agent, model)
        let (type, location) = (try place(artifact_type, "artifact_type"), try place(location, "location"))
        type.pointee = TRITONREPOAGENT_ARTIFACT_FILESYSTEM
        location.pointee = found.location
    }
}

@c @implementation public func TRITONREPOAGENT_ModelRepositoryLocationAcquire(
    _ agent: OpaquePointer?, _ model: OpaquePointer?, _ artifact_type: TRITONREPOAGENT_ArtifactType,
    _ location: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let found = try agentModel(agent, model)
        let location = try place(location, "location")
        try checkType(artifact_type)
        location.pointee = try found.acquire()
    }
}

@c @implementation public func TRITONREPOAGENT_ModelRepositoryLocationRelease(
    _ agent: OpaquePointer?, _ model: OpaquePointer?, _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try agentModel(agent, model).giveBack(try text(location, "location"))
    }
}

@c @implementation public func TRITONREPOAGENT_ModelRepositoryUpdate(
    _ agent: OpaquePointer?, _ model: OpaquePointer?, _ artifact_type: TRITONREPOAGENT_ArtifactType,
    _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let found = try agentModel(agent, model)
        try checkType(artifact_type)
        try found.move(to: try text(location, "location"))
    }
}

@c @implementation public func TRITONREPOAGENT_ModelParameterCount(
    _ agent: OpaquePointer?, _ model: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let found = try agentModel(agent, model)
        try place(count, "count").pointee = UInt32(clamping: found.parameters.count)
    }
}

@c @implementation public func TRITONREPOAGENT_ModelParameter(
    _ agent: OpaquePointer?, _ model: OpaquePointer?, _ index: UInt32,
    _ parameter_name: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
    _ parameter_value: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let found = try agentModel(agent, model)
        let (name, value) = (try place(parameter_name, "parameter_name"), try place(parameter_value, "parameter_value"))
        guard found.parameters.indices.contains(Int(index)) else {
            throw HalcyonError(
                .invalidArgument,
                "there is no parameter number \(index): the agent has \(found.parameters.count)")
        }
        name.pointee = found.parameters[Int(index)].name.pointer
        value.pointee = found.parameters[Int(index)].value.pointer
    }
}

@c @implementation public func TRITONREPOAGENT_ModelConfig(
    _ agent: OpaquePointer?, _ model: OpaquePointer?, _ config_version: UInt32,
    _ model_config: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let found = try agentModel(agent, model)
        let place = try place(model_config, "model_config")
        guard config_version == 1 else {
            throw HalcyonError(
                .unsupported, "model configuration version \(config_version) not supported, supported versions are: 1")
        }
        place.pointee = try MessageObject.give(found.configuration.jsonValue)
    }
}

@c @implementation public func TRITONREPOAGENT_ModelState(
    _ model: OpaquePointer?, _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let found = try Handles.object(model, as: AgentModelObject.self, "model")
        try place(state, "state").pointee = found.pointer
    }
}

@c @implementation public func TRITONREPOAGENT_ModelSetState(
    _ model: OpaquePointer?, _ state: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try Handles.object(model, as: AgentModelObject.self, "model").pointer = state
    }
}

@c @implementation public func TRITONREPOAGENT_State(
    _ agent: OpaquePointer?, _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let found = try Handles.object(agent, as: AgentObject.self, "agent")
        try place(state, "state").pointee = found.pointer
    }
}

@c @implementation public func TRITONREPOAGENT_SetState(
    _ agent: OpaquePointer?, _ state: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try Handles.object(agent, as: AgentObject.self, "agent").pointer = state
    }
}

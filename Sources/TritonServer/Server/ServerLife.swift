internal import CTriton
internal import Halcyon
internal import Tensors
internal import TritonInterface

private func ownServer(_ server: OpaquePointer?) throws(HalcyonError) -> ProgramServer {
    let object = try ServerObject.at(server)
    guard let program = object.program as? ProgramServer else {
        throw HalcyonError(
            .unsupported, "the server is not this program's own: who started it stops and changes it")
    }
    return program
}

@c @implementation public func TRITONSERVER_ServerNew(
    _ server: UnsafeMutablePointer<OpaquePointer?>?, _ options: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(server, "server")
        let settings = try ServerOptionsObject.state(options).settings
        place.pointee = try ProgramServer.start(settings)
    }
}

@c @implementation public func TRITONSERVER_ServerDelete(_ server: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let program = try ownServer(server)
        try program.checkThread("deleted")
        try Handles.take(server, as: ServerObject.self, "server")
        try program.stop()
    }
}

@c @implementation public func TRITONSERVER_ServerStop(_ server: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let program = try ownServer(server)
        try program.checkThread("stopped")
        try program.stop()
    }
}

@c @implementation public func TRITONSERVER_ServerSetExitTimeout(
    _ server: OpaquePointer?, _ timeout: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try ownServer(server).server.setExitTimeout(.seconds(Int64(timeout))) }
}

@c @implementation public func TRITONSERVER_ServerRegisterModelRepository(
    _ server: OpaquePointer?, _ repository_path: UnsafePointer<CChar>?,
    _ name_mapping: UnsafeMutablePointer<OpaquePointer?>?, _ mapping_count: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let program = try ownServer(server)
        let path = try text(repository_path, "repository_path")
        try program.register(path, try NameMapping.read(name_mapping, mapping_count, repository: path))
    }
}

@c @implementation public func TRITONSERVER_ServerUnregisterModelRepository(
    _ server: OpaquePointer?, _ repository_path: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let program = try ownServer(server)
        try program.unregister(try text(repository_path, "repository_path"))
    }
}

@c @implementation public func TRITONSERVER_ServerPollModelRepository(_ server: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try ownServer(server).poll() }
}

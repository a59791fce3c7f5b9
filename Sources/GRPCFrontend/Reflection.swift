internal import FoundationEssentials
internal import KServeMessages
internal import KServeProtocol
internal import SwiftProtobuf

/// The reflection service: which services there are, and the descriptors of their messages.
enum Reflection {
    private struct File {
        let name: String
        let descriptor: Data
        let dependencies: [String]
        let symbols: Set<String>

        /// - Parameter base64: the serialized `FileDescriptorProto`.
        init(_ base64: String) {
            descriptor = Data(base64Encoded: base64) ?? Data()
            let file = (try? Google_Protobuf_FileDescriptorProto(serializedBytes: descriptor)) ?? .init()
            name = file.name
            dependencies = file.dependency
            var symbols: Set<String> = []
            for message in file.messageType { Self.add(message, to: &symbols, scope: file.package) }
            for service in file.service {
                symbols.insert("\(file.package).\(service.name)")
                for method in service.method { symbols.insert("\(file.package).\(service.name).\(method.name)") }
            }
            self.symbols = symbols
        }

        private static func add(
            _ message: Google_Protobuf_DescriptorProto, to symbols: inout Set<String>, scope: String
        ) {
            let name = "\(scope).\(message.name)"
            symbols.insert(name)
            for nested in message.nestedType { add(nested, to: &symbols, scope: name) }
            for nested in message.enumType { symbols.insert("\(name).\(nested.name)") }
        }
    }

    private static let files = [grpcServiceDescriptor, modelConfigDescriptor, healthDescriptor, reflectionDescriptor]
        .map(File.init)

    static func answer(
        _ request: Grpc_Reflection_V1_ServerReflectionRequest
    ) -> Grpc_Reflection_V1_ServerReflectionResponse {
        var response = Grpc_Reflection_V1_ServerReflectionResponse()
        response.validHost = request.host
        response.originalRequest = request
        switch request.messageRequest {
        case .listServices:
            let names = [GRPCMethod.inferenceService, GRPCMethod.healthService] + GRPCMethod.reflectionServices
            response.listServicesResponse.service = names.map { name in .with { $0.name = name } }
        case .fileByFilename(let name):
            describe(&response, files.first { $0.name == name }, "file '\(name)'")
        case .fileContainingSymbol(let symbol):
            describe(&response, files.first { $0.symbols.contains(symbol) }, "symbol '\(symbol)'")
        case .fileContainingExtension, .allExtensionNumbersOfType, nil:
            describe(&response, nil, "extension")
        }
        return response
    }

    private static func describe(
        _ response: inout Grpc_Reflection_V1_ServerReflectionResponse, _ file: File?, _ what: String
    ) {
        guard let file else {
            response.errorResponse.errorCode = Int32(GRPCStatusCode.notFound.rawValue)
            response.errorResponse.errorMessage = "there is no such \(what)"
            return
        }
        var found = [file]
        for name in file.dependencies { found += files.filter { $0.name == name } }
        response.fileDescriptorResponse.fileDescriptorProto = found.map(\.descriptor)
    }
}

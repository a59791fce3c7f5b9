internal import JSONText
internal import KServeMessages
internal import KServeProtocol
internal import SwiftProtobuf
internal import Tensors

/// The log's settings as messages.
enum LogSettingsMessage {
    static func settings(_ request: Inference_LogSettingsRequest) throws(HalcyonError) -> [String: JSONValue] {
        var settings: [String: JSONValue] = [:]
        for (name, value) in request.settings {
            switch value.parameterChoice {
            case .boolParam(let flag): settings[name] = .bool(flag)
            case .uint32Param(let number): settings[name] = .integer(Int64(number))
            case .stringParam(let text): settings[name] = .string(text)
            case nil: throw HalcyonError(.invalidArgument, "log setting '\(name)' has no value")
            }
        }
        return settings
    }

    static func response(_ values: LogSettings.Values) -> Inference_LogSettingsResponse {
        .with {
            $0.settings["log_file"] = .with { $0.stringParam = values.file }
            $0.settings["log_info"] = .with { $0.boolParam = values.info }
            $0.settings["log_warning"] = .with { $0.boolParam = values.warning }
            $0.settings["log_error"] = .with { $0.boolParam = values.error }
            $0.settings["log_verbose_level"] = .with { $0.uint32Param = UInt32(clamping: values.verbosity) }
            $0.settings["log_format"] = .with { $0.stringParam = values.format }
        }
    }
}

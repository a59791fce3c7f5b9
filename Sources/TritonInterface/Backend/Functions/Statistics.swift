internal import CTriton
internal import ModelRuntime
internal import Tensors
internal import Threads

/// What a backend says of a response, piece by piece.
package final class ResponseStatisticsObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .responseStatistics }

    struct Values {
        var instance: OpaquePointer?
        var factory: OpaquePointer?
        var start: UInt64 = 0
        var outputStart: UInt64 = 0
        var end: UInt64 = 0
        var hasFailed = false
    }

    let values = Locked(Values())
}

@c @implementation public func TRITONBACKEND_ModelInstanceReportStatistics(
    _ instance: OpaquePointer?, _ request: OpaquePointer?, _ success: Bool, _ exec_start_ns: UInt64,
    _ compute_start_ns: UInt64, _ compute_end_ns: UInt64, _ exec_end_ns: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        _ = try TritonInterface.instance(instance)
        try TritonInterface.request(request).source.report(
            isSuccess: success,
            StatisticsCollector.Stages(
                start: exec_start_ns, inferenceStart: compute_start_ns, inferenceEnd: compute_end_ns, end: exec_end_ns))
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceReportBatchStatistics(
    _ instance: OpaquePointer?, _ batch_size: UInt64, _ exec_start_ns: UInt64, _ compute_start_ns: UInt64,
    _ compute_end_ns: UInt64, _ exec_end_ns: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try TritonInterface.instance(instance).statistics?.executed(
            batchSize: Int(clamping: batch_size),
            StatisticsCollector.Stages(
                start: exec_start_ns, inferenceStart: compute_start_ns, inferenceEnd: compute_end_ns, end: exec_end_ns))
    }
}

private func change(
    _ pointer: OpaquePointer?, _ body: (inout ResponseStatisticsObject.Values) throws(HalcyonError) -> Void
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try Handles.object(pointer, as: ResponseStatisticsObject.self, "response_statistics")
        try object.values.withLock { values throws(HalcyonError) in try body(&values) }
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceResponseStatisticsNew(
    _ response_statistics: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(response_statistics, "response_statistics").pointee = try Handles.give(ResponseStatisticsObject())
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceResponseStatisticsDelete(
    _ response_statistics: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try Handles.take(response_statistics, as: ResponseStatisticsObject.self, "response_statistics")
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceResponseStatisticsSetModelInstance(
    _ response_statistics: OpaquePointer?, _ model_instance: OpaquePointer?
) -> OpaquePointer? {
    change(response_statistics) { values throws(HalcyonError) in
        _ = try TritonInterface.instance(model_instance)
        values.instance = model_instance
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceResponseStatisticsSetResponseFactory(
    _ response_statistics: OpaquePointer?, _ response_factory: OpaquePointer?
) -> OpaquePointer? {
    change(response_statistics) { values throws(HalcyonError) in
        _ = try Handles.object(response_factory, as: ResponseFactoryObject.self, "response_factory")
        values.factory = response_factory
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceResponseStatisticsSetResponseStart(
    _ response_statistics: OpaquePointer?, _ response_start: UInt64
) -> OpaquePointer? { change(response_statistics) { $0.start = response_start } }

@c @implementation public func TRITONBACKEND_ModelInstanceResponseStatisticsSetComputeOutputStart(
    _ response_statistics: OpaquePointer?, _ compute_output_start: UInt64
) -> OpaquePointer? { change(response_statistics) { $0.outputStart = compute_output_start } }

@c @implementation public func TRITONBACKEND_ModelInstanceResponseStatisticsSetResponseEnd(
    _ response_statistics: OpaquePointer?, _ response_end: UInt64
) -> OpaquePointer? { change(response_statistics) { $0.end = response_end } }

@c @implementation public func TRITONBACKEND_ModelInstanceResponseStatisticsSetError(
    _ response_statistics: OpaquePointer?, _ error: OpaquePointer?
) -> OpaquePointer? {
    change(response_statistics) { values throws(HalcyonError) in
        if let error { _ = try Handles.object(error, as: ErrorObject.self, "error") }
        values.hasFailed = error != nil
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceReportResponseStatistics(
    _ response_statistics: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try Handles.object(
            response_statistics, as: ResponseStatisticsObject.self, "response_statistics")
        let values = object.values.withLock { $0 }
        let instance = try TritonInterface.instance(values.instance)
        let factory = try Handles.object(values.factory, as: ResponseFactoryObject.self, "response_factory")
        guard values.end >= values.start else {
            throw HalcyonError(
                .invalidArgument, "the response ended at \(values.end), before it began at \(values.start)")
        }
        let index = factory.nextIndex()
        // Those of a decoupled model are counted as they come.
        guard !instance.model.isDecoupled else { return }
        instance.statistics?.responded(
            index: index, isSuccess: !values.hasFailed, isEmpty: values.outputStart == 0,
            duration: values.end - values.start)
    }
}

internal import CUDADriver
internal import ModelRuntime

/// The tables of all families, in the order in which they are shown: Triton's first, by its names.
extension MetricsRenderer {
    /// A counter of which each model version has one.
    struct Counter: Sendable {
        let family: MetricFamily
        let value: @Sendable (ModelStatistics) -> UInt64

        init(_ name: String, _ help: String, _ value: @escaping @Sendable (ModelStatistics) -> UInt64) {
            family = MetricFamily(.counter, name, help)
            self.value = value
        }
    }

    /// A gauge of which each model version has one.
    struct Gauge: Sendable {
        let family: MetricFamily
        let value: @Sendable (ModelGauges) -> Double

        init(_ name: String, _ help: String, _ value: @escaping @Sendable (ModelGauges) -> Double) {
            family = MetricFamily(.gauge, name, help)
            self.value = value
        }
    }

    /// A histogram of which each model version has one.
    struct Distribution: Sendable {
        let family: MetricFamily
        /// How many of the histogram's own unit make one of the family's.
        let unit: Double
        let value: @Sendable (ModelStatistics) -> HistogramStatistic

        init(
            _ name: String, _ help: String, unit: Double,
            _ value: @escaping @Sendable (ModelStatistics) -> HistogramStatistic
        ) {
            family = MetricFamily(.histogram, name, help)
            self.unit = unit
            self.value = value
        }
    }

    // MARK: Triton's

    static let success = Counter(
        "nv_inference_request_success", "Requests that got their response, whatever their batch size."
    ) { $0.success.count }

    static let failure = MetricFamily(
        .counter, "nv_inference_request_failure", "Requests that got an error, by reason.")

    static let counts = [
        Counter("nv_inference_count", "Items inferred: a request with a batch of n counts n times.") {
            $0.inferenceCount
        },
        Counter("nv_inference_exec_count", "Batches executed.") { $0.executionCount },
    ]

    static let durations = [
        Counter("nv_inference_request_duration_us", "Time from arrival to response, in microseconds.") {
            $0.success.nanoseconds / 1000
        },
        Counter("nv_inference_queue_duration_us", "Time that requests waited before they ran, in microseconds.") {
            $0.queue.nanoseconds / 1000
        },
        Counter("nv_inference_compute_input_duration_us", "Time for handing over inputs, in microseconds.") {
            $0.computeInput.nanoseconds / 1000
        },
        Counter("nv_inference_compute_infer_duration_us", "Time in which the engine executed, in microseconds.") {
            $0.computeInfer.nanoseconds / 1000
        },
        Counter("nv_inference_compute_output_duration_us", "Time for taking over outputs, in microseconds.") {
            $0.computeOutput.nanoseconds / 1000
        },
    ]

    /// Triton's identity backend counts into it; here nothing does.
    static let inputBytes = MetricFamily(
        .counter, "input_byte_size_counter", "Bytes of input that an engine has counted itself.")

    static let firstResponse = MetricFamily(
        .histogram, "nv_inference_first_response_histogram_ms",
        "Time from arrival to the first response, in milliseconds.")

    static let gauges = [
        Gauge("nv_inference_pending_request_count", "Requests that wait to be executed.") {
            Double($0.pendingRequests)
        },
        Gauge("nv_model_load_duration_secs", "How long loading the model took, in seconds.") {
            Double($0.loadNanoseconds) / 1_000_000_000
        },
    ]

    static let cacheCounters = [
        Counter("nv_cache_num_hits_per_model", "Requests that were answered from the cache.") { $0.cacheHit.count },
        Counter("nv_cache_num_misses_per_model", "Requests that were looked for in the cache in vain.") {
            $0.cacheMiss.count
        },
        Counter("nv_cache_hit_duration_per_model", "Time for finding answers in the cache, in microseconds.") {
            $0.cacheHit.nanoseconds / 1000
        },
        Counter(
            "nv_cache_miss_duration_per_model", "Time for looking in vain and keeping answers, in microseconds."
        ) { $0.cacheMiss.nanoseconds / 1000 },
    ]

    /// A gauge of the one cache.
    struct CacheGauge: Sendable {
        let family: MetricFamily
        let value: @Sendable (CacheUsage) -> Double
    }

    static let cacheGauges = [
        CacheGauge(family: MetricFamily(.gauge, "halcyon_cache_entries", "Answers in the cache.")) {
            Double($0.entries)
        },
        CacheGauge(family: MetricFamily(.gauge, "halcyon_cache_used_bytes", "Bytes that they take.")) {
            Double($0.byteCount)
        },
        CacheGauge(family: MetricFamily(.gauge, "halcyon_cache_total_bytes", "Bytes that they may take.")) {
            Double($0.byteLimit)
        },
        CacheGauge(
            family: MetricFamily(.counter, "halcyon_cache_evictions_total", "Answers that made room for others.")
        ) {
            Double($0.evictions)
        },
    ]

    /// A gauge of the pool of page-locked memory.
    struct PoolGauge: Sendable {
        let family: MetricFamily
        let value: @Sendable (MemoryPool.Usage) -> UInt64
    }

    static let pinnedPool = [
        PoolGauge(
            family: MetricFamily(
                .gauge, "nv_pinned_memory_pool_total_bytes", "Size of the pool of pinned memory, in bytes.")
        ) { UInt64(clamping: $0.limit) },
        PoolGauge(
            family: MetricFamily(.gauge, "nv_pinned_memory_pool_used_bytes", "Pinned memory in use, in bytes.")
        ) { UInt64(clamping: $0.used) },
    ]

    /// A gauge of which each GPU has one, if it tells.
    struct GPUGauge: Sendable {
        let family: MetricFamily
        let value: @Sendable (GPUUsage) -> Double?

        init(
            _ name: String, _ help: String, _ kind: MetricFamily.Kind = .gauge,
            _ value: @escaping @Sendable (GPUUsage) -> Double?
        ) {
            family = MetricFamily(kind, name, help)
            self.value = value
        }
    }

    static let gpuGauges = [
        GPUGauge("nv_gpu_utilization", "Share of time that the GPU worked, from 0 to 1.") { $0.utilization },
        GPUGauge("nv_gpu_memory_total_bytes", "The GPU's memory, in bytes.") { $0.memoryTotalBytes.map { Double($0) } },
        GPUGauge("nv_gpu_memory_used_bytes", "The GPU's memory that is in use, in bytes.") {
            $0.memoryUsedBytes.map { Double($0) }
        },
        GPUGauge("nv_gpu_power_usage", "What the GPU draws at the moment, in watts.") { $0.powerUsage },
        GPUGauge("nv_gpu_power_limit", "What the GPU may draw, in watts.") { $0.powerLimit },
        GPUGauge("nv_energy_consumption", "What the GPU has used since the server started, in joules.", .counter) {
            $0.energy
        },
    ]

    static let cpuUtilization = MetricFamily(
        .gauge, "nv_cpu_utilization", "Share of time that the machine's processors were busy, from 0 to 1.")
    static let memoryTotal = MetricFamily(.gauge, "nv_cpu_memory_total_bytes", "The machine's memory, in bytes.")
    static let memoryUsed = MetricFamily(
        .gauge, "nv_cpu_memory_used_bytes", "The machine's memory that is in use, in bytes.")

    // MARK: Beyond Triton

    static let restarts = MetricFamily(
        .counter, "halcyon_restarts_total", "Worker processes of isolated models that went and were replaced, by cause."
    )

    static let distributions = [
        Distribution(
            "halcyon_request_duration_seconds", "Time from arrival to response, in seconds.", unit: 1_000_000_000
        ) { $0.latencies.request },
        Distribution(
            "halcyon_queue_duration_seconds", "Time that requests waited before they ran, in seconds.",
            unit: 1_000_000_000
        ) { $0.latencies.queue },
        Distribution(
            "halcyon_compute_input_duration_seconds", "Time for handing over inputs, in seconds.", unit: 1_000_000_000
        ) { $0.latencies.computeInput },
        Distribution(
            "halcyon_compute_infer_duration_seconds", "Time in which the engine executed, in seconds.",
            unit: 1_000_000_000
        ) { $0.latencies.computeInfer },
        Distribution(
            "halcyon_compute_output_duration_seconds", "Time for taking over outputs, in seconds.",
            unit: 1_000_000_000
        ) { $0.latencies.computeOutput },
        Distribution("halcyon_batch_size", "Items in the batches executed.", unit: 1) { $0.batchSizes },
    ]

    static let batchReason = MetricFamily(
        .counter, "halcyon_batch_reason_total", "Batches executed, by what closed them.")

    static let rejected = MetricFamily(
        .counter, "halcyon_rejected_total", "Valid requests that never ran, by what they were rejected for.")

    static let instances = [
        Gauge("halcyon_instances", "Instances of the model.") { Double($0.instances) },
        Gauge("halcyon_instances_busy", "Instances that execute a batch.") { Double($0.busyInstances) },
    ]
}

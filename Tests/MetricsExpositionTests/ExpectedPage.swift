extension MetricsRendererTests {
    /// The page of ``snapshot()``, with the default settings.
    static let page = """
        # HELP nv_inference_request_success Requests that got their response, whatever their batch size.
        # TYPE nv_inference_request_success counter
        nv_inference_request_success{model="simple",version="1"} 2
        # HELP nv_inference_request_failure Requests that got an error, by reason.
        # TYPE nv_inference_request_failure counter
        nv_inference_request_failure{model="simple",reason="CANCELED",version="1"} 0
        nv_inference_request_failure{model="simple",reason="REJECTED",version="1"} 1
        nv_inference_request_failure{model="simple",reason="BACKEND",version="1"} 1
        nv_inference_request_failure{model="simple",reason="OTHER",version="1"} 0
        # HELP nv_inference_count Items inferred: a request with a batch of n counts n times.
        # TYPE nv_inference_count counter
        nv_inference_count{model="simple",version="1"} 3
        # HELP nv_inference_exec_count Batches executed.
        # TYPE nv_inference_exec_count counter
        nv_inference_exec_count{model="simple",version="1"} 1
        # HELP nv_inference_request_duration_us Time from arrival to response, in microseconds.
        # TYPE nv_inference_request_duration_us counter
        nv_inference_request_duration_us{model="simple",version="1"} 694
        # HELP nv_inference_queue_duration_us Time that requests waited before they ran, in microseconds.
        # TYPE nv_inference_queue_duration_us counter
        nv_inference_queue_duration_us{model="simple",version="1"} 70
        # HELP nv_inference_compute_input_duration_us Time for handing over inputs, in microseconds.
        # TYPE nv_inference_compute_input_duration_us counter
        nv_inference_compute_input_duration_us{model="simple",version="1"} 20
        # HELP nv_inference_compute_infer_duration_us Time in which the engine executed, in microseconds.
        # TYPE nv_inference_compute_infer_duration_us counter
        nv_inference_compute_infer_duration_us{model="simple",version="1"} 600
        # HELP nv_inference_compute_output_duration_us Time for taking over outputs, in microseconds.
        # TYPE nv_inference_compute_output_duration_us counter
        nv_inference_compute_output_duration_us{model="simple",version="1"} 4
        # HELP input_byte_size_counter Bytes of input that an engine has counted itself.
        # TYPE input_byte_size_counter counter
        # HELP nv_inference_pending_request_count Requests that wait to be executed.
        # TYPE nv_inference_pending_request_count gauge
        nv_inference_pending_request_count{model="simple",version="1"} 4
        # HELP nv_model_load_duration_secs How long loading the model took, in seconds.
        # TYPE nv_model_load_duration_secs gauge
        nv_model_load_duration_secs{model="simple",version="1"} 1.25
        # HELP nv_pinned_memory_pool_total_bytes Size of the pool of pinned memory, in bytes.
        # TYPE nv_pinned_memory_pool_total_bytes gauge
        # HELP nv_pinned_memory_pool_used_bytes Pinned memory in use, in bytes.
        # TYPE nv_pinned_memory_pool_used_bytes gauge
        # HELP nv_cpu_utilization Share of time that the machine's processors were busy, from 0 to 1.
        # TYPE nv_cpu_utilization gauge
        nv_cpu_utilization 0.25
        # HELP nv_cpu_memory_total_bytes The machine's memory, in bytes.
        # TYPE nv_cpu_memory_total_bytes gauge
        nv_cpu_memory_total_bytes 8589934592
        # HELP nv_cpu_memory_used_bytes The machine's memory that is in use, in bytes.
        # TYPE nv_cpu_memory_used_bytes gauge
        nv_cpu_memory_used_bytes 4096
        # HELP halcyon_request_duration_seconds Time from arrival to response, in seconds.
        # TYPE halcyon_request_duration_seconds histogram
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="1e-05"} 0
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="2e-05"} 0
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="5e-05"} 0
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="0.0001"} 0
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="0.0002"} 0
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="0.0005"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="0.001"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="0.002"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="0.005"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="0.01"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="0.02"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="0.05"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="0.1"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="0.2"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="0.5"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="1"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="2"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="5"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="10"} 2
        halcyon_request_duration_seconds_bucket{model="simple",version="1",le="+Inf"} 2
        halcyon_request_duration_seconds_sum{model="simple",version="1"} 0.000694
        halcyon_request_duration_seconds_count{model="simple",version="1"} 2
        # HELP halcyon_queue_duration_seconds Time that requests waited before they ran, in seconds.
        # TYPE halcyon_queue_duration_seconds histogram
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="1e-05"} 0
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="2e-05"} 1
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="5e-05"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="0.0001"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="0.0002"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="0.0005"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="0.001"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="0.002"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="0.005"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="0.01"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="0.02"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="0.05"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="0.1"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="0.2"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="0.5"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="1"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="2"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="5"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="10"} 2
        halcyon_queue_duration_seconds_bucket{model="simple",version="1",le="+Inf"} 2
        halcyon_queue_duration_seconds_sum{model="simple",version="1"} 7e-05
        halcyon_queue_duration_seconds_count{model="simple",version="1"} 2
        # HELP halcyon_compute_input_duration_seconds Time for handing over inputs, in seconds.
        # TYPE halcyon_compute_input_duration_seconds histogram
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="1e-05"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="2e-05"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="5e-05"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="0.0001"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="0.0002"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="0.0005"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="0.001"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="0.002"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="0.005"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="0.01"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="0.02"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="0.05"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="0.1"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="0.2"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="0.5"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="1"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="2"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="5"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="10"} 2
        halcyon_compute_input_duration_seconds_bucket{model="simple",version="1",le="+Inf"} 2
        halcyon_compute_input_duration_seconds_sum{model="simple",version="1"} 2e-05
        halcyon_compute_input_duration_seconds_count{model="simple",version="1"} 2
        # HELP halcyon_compute_infer_duration_seconds Time in which the engine executed, in seconds.
        # TYPE halcyon_compute_infer_duration_seconds histogram
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="1e-05"} 0
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="2e-05"} 0
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="5e-05"} 0
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="0.0001"} 0
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="0.0002"} 0
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="0.0005"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="0.001"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="0.002"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="0.005"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="0.01"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="0.02"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="0.05"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="0.1"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="0.2"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="0.5"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="1"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="2"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="5"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="10"} 2
        halcyon_compute_infer_duration_seconds_bucket{model="simple",version="1",le="+Inf"} 2
        halcyon_compute_infer_duration_seconds_sum{model="simple",version="1"} 0.0006
        halcyon_compute_infer_duration_seconds_count{model="simple",version="1"} 2
        # HELP halcyon_compute_output_duration_seconds Time for taking over outputs, in seconds.
        # TYPE halcyon_compute_output_duration_seconds histogram
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="1e-05"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="2e-05"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="5e-05"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="0.0001"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="0.0002"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="0.0005"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="0.001"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="0.002"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="0.005"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="0.01"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="0.02"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="0.05"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="0.1"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="0.2"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="0.5"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="1"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="2"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="5"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="10"} 2
        halcyon_compute_output_duration_seconds_bucket{model="simple",version="1",le="+Inf"} 2
        halcyon_compute_output_duration_seconds_sum{model="simple",version="1"} 4e-06
        halcyon_compute_output_duration_seconds_count{model="simple",version="1"} 2
        # HELP halcyon_batch_size Items in the batches executed.
        # TYPE halcyon_batch_size histogram
        halcyon_batch_size_bucket{model="simple",version="1",le="1"} 0
        halcyon_batch_size_bucket{model="simple",version="1",le="2"} 0
        halcyon_batch_size_bucket{model="simple",version="1",le="4"} 1
        halcyon_batch_size_bucket{model="simple",version="1",le="8"} 1
        halcyon_batch_size_bucket{model="simple",version="1",le="16"} 1
        halcyon_batch_size_bucket{model="simple",version="1",le="32"} 1
        halcyon_batch_size_bucket{model="simple",version="1",le="64"} 1
        halcyon_batch_size_bucket{model="simple",version="1",le="128"} 1
        halcyon_batch_size_bucket{model="simple",version="1",le="256"} 1
        halcyon_batch_size_bucket{model="simple",version="1",le="512"} 1
        halcyon_batch_size_bucket{model="simple",version="1",le="1024"} 1
        halcyon_batch_size_bucket{model="simple",version="1",le="+Inf"} 1
        halcyon_batch_size_sum{model="simple",version="1"} 3
        halcyon_batch_size_count{model="simple",version="1"} 1
        # HELP halcyon_batch_reason_total Batches executed, by what closed them.
        # TYPE halcyon_batch_reason_total counter
        halcyon_batch_reason_total{model="simple",reason="unbatched",version="1"} 0
        halcyon_batch_reason_total{model="simple",reason="full",version="1"} 0
        halcyon_batch_reason_total{model="simple",reason="preferred_size",version="1"} 0
        halcyon_batch_reason_total{model="simple",reason="delay_expired",version="1"} 0
        halcyon_batch_reason_total{model="simple",reason="latency_budget",version="1"} 0
        halcyon_batch_reason_total{model="simple",reason="instance_free",version="1"} 1
        halcyon_batch_reason_total{model="simple",reason="shape_boundary",version="1"} 0
        halcyon_batch_reason_total{model="simple",reason="strategy",version="1"} 0
        halcyon_batch_reason_total{model="simple",reason="draining",version="1"} 0
        # HELP halcyon_rejected_total Valid requests that never ran, by what they were rejected for.
        # TYPE halcyon_rejected_total counter
        halcyon_rejected_total{model="simple",reason="queue_full",version="1"} 1
        halcyon_rejected_total{model="simple",reason="timeout",version="1"} 0
        halcyon_rejected_total{model="simple",reason="stopping",version="1"} 0
        halcyon_rejected_total{model="simple",reason="no_instance",version="1"} 0
        # HELP halcyon_instances Instances of the model.
        # TYPE halcyon_instances gauge
        halcyon_instances{model="simple",version="1"} 2
        # HELP halcyon_instances_busy Instances that execute a batch.
        # TYPE halcyon_instances_busy gauge
        halcyon_instances_busy{model="simple",version="1"} 1

        """
}

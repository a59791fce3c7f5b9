internal import ArgumentParser
internal import GRPCFrontend
internal import Transport

struct HTTPFlags: ParsableArguments {
    @Option(help: "Whether to listen for HTTP.")
    var allowHttp = Switch(true)

    @Option(help: ArgumentHelp("The address to listen on, or unix:PATH.", valueName: "address"))
    var httpAddress = "127.0.0.1"

    @Option(help: "The port; 0 lets the system choose one.")
    var httpPort = 8000

    @Option(help: "Whether other processes may listen on the same port.")
    var reuseHttpPort = Switch(false)

    @Option(help: "Threads that read and write; 0 for as many as the machine suggests.")
    var httpThreadCount = 0

    @Option(
        help: """
            Bytes that a request's body may have: its JSON, or all of it where it is raw or decompressed. Tensors \
            behind their JSON are limited by --max-inflight-bytes only.
            """)
    var httpMaxInputSize = 64 << 20

    @Option(help: "Seconds that a connection may be silent between two requests.")
    var httpIdleTimeoutSecs: Int64 = 120

    @Option(help: "Seconds that a request may take to come in.")
    var httpBodyTimeoutSecs: Int64 = 60

    @Option(help: "Seconds that a client may take none of the answers that it has been given.")
    var httpWriteTimeoutSecs: Int64 = 60

    @Option(
        name: .customLong("http-restricted-api"),
        help: ArgumentHelp(
            "Parts of the protocol that need a header, health,inference:key=value; may be given several times.",
            valueName: "parts:header=value"))
    var httpRestrictedApi: [String] = []

    @Option(
        help: ArgumentHelp(
            "A regular expression: headers whose name it matches become parameters of the inference.",
            valueName: "pattern"))
    var httpHeaderForwardPattern = ""

    @Option(
        help: """
            Whether / is a page for people that shows the models, live, and tries them: on, off, or auto for on \
            where the \
            server listens on this machine's own addresses only.
            """)
    var page = PageMode.auto

    enum PageMode: String, WordFlag {
        case auto
        case on
        case off
    }

    /// Whether there is a page at an address.
    func showsPage(at address: ListenAddress) -> Bool {
        switch page {
        case .auto: address.isOfThisMachineOnly
        case .on: true
        case .off: false
        }
    }

    @Option(help: "Whether to speak TLS.")
    var httpUseSsl = Switch(false)

    @Option(help: "Whether clients must show a certificate.")
    var httpUseSslMutual = Switch(false)

    @Option(help: ArgumentHelp("The server's certificate, PEM.", valueName: "file"))
    var httpServerCert: String?

    @Option(help: ArgumentHelp("The server's private key, PEM.", valueName: "file"))
    var httpServerKey: String?

    @Option(help: ArgumentHelp("The certificate that clients' certificates go back to, PEM.", valueName: "file"))
    var httpRootCert: String?

    func validate() throws {
        try FlagRange.check("http-thread-count", httpThreadCount, 0...1024)
        try FlagRange.check("http-max-input-size", httpMaxInputSize, 1...Int.max / 2)
        try FlagRange.check("http-idle-timeout-secs", httpIdleTimeoutSecs, 1...1_000_000_000)
        try FlagRange.check("http-body-timeout-secs", httpBodyTimeoutSecs, 1...1_000_000_000)
        try FlagRange.check("http-write-timeout-secs", httpWriteTimeoutSecs, 1...1_000_000_000)
    }
}

struct GRPCFlags: ParsableArguments {
    @Option(help: "Whether to listen for gRPC.")
    var allowGrpc = Switch(true)

    @Option(help: ArgumentHelp("The address to listen on, or unix:PATH.", valueName: "address"))
    var grpcAddress = "127.0.0.1"

    @Option(help: "The port; 0 lets the system choose one.")
    var grpcPort = 8001

    @Option(help: "Whether other processes may listen on the same port.")
    var reuseGrpcPort = Switch(false)

    @Option(help: "Bytes that a message may have; --max-inflight-bytes limits all of them together.")
    var grpcMaxMessageSize = Int(Int32.max)

    @Option(help: "Seconds that a message may take to come in.")
    var grpcMessageTimeoutSecs: Int64 = 60

    @Option(help: "Seconds that a client may take none of a call's responses.")
    var grpcWriteTimeoutSecs: Int64 = 60

    @Option(
        name: .customLong("grpc-restricted-protocol"),
        help: ArgumentHelp(
            "Parts of the protocol that need the header triton-grpc-protocol-NAME; may be given several times.",
            valueName: "parts:name=value"))
    var grpcRestrictedProtocol: [String] = []

    @Option(
        help: ArgumentHelp(
            "A regular expression: headers whose name it matches become parameters of the inference.",
            valueName: "pattern"))
    var grpcHeaderForwardPattern = ""

    @Option(help: "Whether to speak TLS.")
    var grpcUseSsl = Switch(false)

    @Option(help: "Whether clients must show a certificate.")
    var grpcUseSslMutual = Switch(false)

    @Option(help: ArgumentHelp("The server's certificate, PEM.", valueName: "file"))
    var grpcServerCert: String?

    @Option(help: ArgumentHelp("The server's private key, PEM.", valueName: "file"))
    var grpcServerKey: String?

    @Option(help: ArgumentHelp("The certificate that clients' certificates go back to, PEM.", valueName: "file"))
    var grpcRootCert: String?

    @Option(help: "Milliseconds of silence after which a connection is pinged.")
    var grpcKeepaliveTime: Int64 = 7_200_000

    @Option(help: "Milliseconds that a ping may stay without an answer.")
    var grpcKeepaliveTimeout: Int64 = 20_000

    @Option(help: "Whether connections without calls are pinged too.")
    var grpcKeepalivePermitWithoutCalls = Switch(false)

    @Option(
        name: .customLong("grpc-http2-max-pings-without-data"),
        help: "Pings that the server sends at most while it has nothing else to send; 0 for any number.")
    var grpcMaxPingsWithoutData = 2

    @Option(
        name: .customLong("grpc-http2-min-recv-ping-interval-without-data"),
        help: "Milliseconds that a client must let pass between two pings while the server sends nothing.")
    var grpcMinPingInterval: Int64 = 300_000

    @Option(
        name: .customLong("grpc-http2-max-ping-strikes"),
        help: "Pings that may come sooner before the connection is ended; 0 for any number.")
    var grpcMaxPingStrikes = 2

    @Option(help: "Milliseconds after which a connection is told to go; 0 for never.")
    var grpcMaxConnectionAge: Int64 = 0

    @Option(help: "Milliseconds that its calls may take to finish then; 0 for as long as they need.")
    var grpcMaxConnectionAgeGrace: Int64 = 0

    @Option(help: "Responses of a stream to decoupled models that may be under way to the client.")
    var grpcMaxResponsePoolSize = Int(Int32.max)

    @Option(help: "Taken as Triton takes it, and has no effect: all ports share the threads of --http-thread-count.")
    var grpcInferThreadCount: Int?

    @Option(help: "Taken as Triton takes it, and has no effect: nothing is kept for reuse.")
    var grpcInferAllocationPoolSize: Int?

    @Option(help: "How hard answers are compressed: none, low, medium or high.")
    var grpcInferResponseCompressionLevel = CompressionLevel.none

    enum CompressionLevel: String, WordFlag {
        case none
        case low
        case medium
        case high

        /// zlib's level; 0 for no compression.
        var zlib: Int32 {
            switch self {
            case .none: 0
            case .low: 1
            case .medium: 6
            case .high: 9
            }
        }
    }

    func validate() throws {
        try FlagRange.check("grpc-max-message-size", grpcMaxMessageSize, 1...Int(UInt32.max))
        try FlagRange.check("grpc-message-timeout-secs", grpcMessageTimeoutSecs, 1...1_000_000_000)
        try FlagRange.check("grpc-write-timeout-secs", grpcWriteTimeoutSecs, 1...1_000_000_000)
        let milliseconds: ClosedRange<Int64> = 0...1_000_000_000_000
        try FlagRange.check("grpc-keepalive-time", grpcKeepaliveTime, 1...milliseconds.upperBound)
        try FlagRange.check("grpc-keepalive-timeout", grpcKeepaliveTimeout, 1...milliseconds.upperBound)
        try FlagRange.check("grpc-http2-max-pings-without-data", grpcMaxPingsWithoutData, 0...Int(Int32.max))
        try FlagRange.check("grpc-http2-min-recv-ping-interval-without-data", grpcMinPingInterval, milliseconds)
        try FlagRange.check("grpc-http2-max-ping-strikes", grpcMaxPingStrikes, 0...Int(Int32.max))
        try FlagRange.check("grpc-max-connection-age", grpcMaxConnectionAge, milliseconds)
        try FlagRange.check("grpc-max-connection-age-grace", grpcMaxConnectionAgeGrace, milliseconds)
        try FlagRange.check("grpc-max-response-pool-size", grpcMaxResponsePoolSize, 1...Int(Int32.max))
        if let grpcInferThreadCount { try FlagRange.check("grpc-infer-thread-count", grpcInferThreadCount, 2...128) }
        if let size = grpcInferAllocationPoolSize {
            try FlagRange.check("grpc-infer-allocation-pool-size", size, 0...Int(Int32.max))
        }
    }

    /// What was given and has no effect here, with the reason.
    var notices: [(flag: String, reason: String)] {
        var notices: [(flag: String, reason: String)] = []
        if grpcInferThreadCount != nil {
            notices.append(("grpc-infer-thread-count", "all ports share the threads of --http-thread-count"))
        }
        if grpcInferAllocationPoolSize != nil {
            notices.append(("grpc-infer-allocation-pool-size", "nothing is kept for reuse"))
        }
        return notices
    }

    var options: GRPCOptions {
        var options = GRPCOptions()
        options.maximumMessageSize = grpcMaxMessageSize
        options.compressionLevel = grpcInferResponseCompressionLevel.zlib
        options.messageTimeout = grpcMessageTimeoutSecs
        options.writeTimeout = grpcWriteTimeoutSecs
        options.keepaliveTime = grpcKeepaliveTime
        options.keepaliveTimeout = grpcKeepaliveTimeout
        options.pingsWithoutCalls = grpcKeepalivePermitWithoutCalls.isOn
        options.maximumPingsWithoutData = grpcMaxPingsWithoutData
        options.minimumPingInterval = grpcMinPingInterval
        options.maximumPingStrikes = grpcMaxPingStrikes
        options.maximumConnectionAge = grpcMaxConnectionAge
        options.connectionAgeGrace = grpcMaxConnectionAgeGrace
        options.maximumPendingResponses = grpcMaxResponsePoolSize
        return options
    }
}

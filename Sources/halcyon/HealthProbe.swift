internal import Glibc
internal import Tensors
internal import Transport

/// One question to a server, over HTTP and on a connection of its own, by nothing but the system's calls: it is asked
/// every few seconds, for the whole life of a container.
struct HealthProbe {
    var address: ListenAddress
    var path: String
    /// For each step: connecting, and each read.
    var timeoutSeconds: Int

    /// - Throws: `unavailable` with the reason why the answer is no, or why there is none.
    func ask() throws(HalcyonError) {
        let connection = try connect()
        defer { close(connection) }
        let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        guard send(connection, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count else {
            throw failure("does not take the question", errno)
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !bytes.contains(UInt8(ascii: "\n")), bytes.count < 1 << 16 {
            let count = recv(connection, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("does not answer", errno) }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        try check(answer: bytes)
    }

    /// - Parameter bytes: what came, from the first byte on.
    func check(answer bytes: [UInt8]) throws(HalcyonError) {
        let line = String(
            decoding: bytes.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        let words = line.split(separator: " ")
        guard line.hasPrefix("HTTP/1."), words.count >= 2, let status = Int(words[1]) else {
            throw HalcyonError(
                .unavailable, "\(address) did not answer in HTTP: is it another server's port, or does it speak TLS?")
        }
        guard status == 200 else { throw HalcyonError(.unavailable, "\(path) of \(address) answers \(status)") }
    }

    private func failure(_ what: String, _ number: Int32) -> HalcyonError {
        let isLate = number == EAGAIN || number == EINPROGRESS
        let reason = isLate ? "nothing came within \(timeoutSeconds) s" : String(cString: strerror(number))
        return HalcyonError(.unavailable, "\(address) \(what): \(reason)")
    }

    // MARK: Connecting

    private func connect() throws(HalcyonError) -> Int32 {
        switch address {
        case .unix(let path): return try connect(path: path)
        case .internet(let host, let port): return try connect(host: host, port: port)
        }
    }

    private func connect(path: String) throws(HalcyonError) -> Int32 {
        var name = sockaddr_un()
        let room = MemoryLayout.size(ofValue: name.sun_path)
        guard path.utf8.count < room else {
            throw HalcyonError(.invalidArgument, "a socket's path has at most \(room - 1) bytes, got '\(path)'")
        }
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        return try withUnsafePointer(to: &name) { (pointer) throws(HalcyonError) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { (pointer) throws(HalcyonError) in
                try connect(AF_UNIX, pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private func connect(host: String, port: Int) throws(HalcyonError) -> Int32 {
        // A server that listens on every address is asked on loopback.
        let host = ["0.0.0.0": "127.0.0.1", "::": "::1"][host] ?? host
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &found)
        guard status == 0 else {
            throw HalcyonError(.unavailable, "there is no address '\(host)': \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(found) }
        var last: HalcyonError?
        var next = found
        while let entry = next?.pointee {
            do throws(HalcyonError) {
                return try connect(entry.ai_family, entry.ai_addr, entry.ai_addrlen)
            } catch {
                last = error
            }
            next = entry.ai_next
        }
        throw last ?? HalcyonError(.unavailable, "there is no address '\(host)'")
    }

    private func connect(
        _ family: Int32, _ name: UnsafePointer<sockaddr>?, _ size: socklen_t
    ) throws(HalcyonError) -> Int32 {
        let connection = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        guard connection >= 0 else { throw failure("can't be asked", errno) }
        var time = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(connection, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
        guard Glibc.connect(connection, name, size) == 0 else {
            let number = errno
            close(connection)
            throw failure("can't be reached", number)
        }
        return connection
    }
}

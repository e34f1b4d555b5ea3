#if Server
package import NIOCore
package import OctantModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The addresses of a host.
package enum HostAddresses {
    /// Asks the system for all addresses of a host. Blocks.
    package static func resolve(_ host: String, port: Int) throws(OctantError) -> [SocketAddress] {
        var hints = addrinfo()
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0 else {
            throw OctantError(.badRequest, "the host \(host) is not known")
        }
        defer { freeaddrinfo(found) }
        var addresses: [SocketAddress] = []
        var next = found
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let pointer = entry.ai_addr else { continue }
            switch entry.ai_family {
            case AF_INET:
                pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    addresses.append(SocketAddress($0.pointee, host: host))
                }
            case AF_INET6:
                pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    addresses.append(SocketAddress($0.pointee, host: host))
                }
            default: break
            }
        }
        guard !addresses.isEmpty else { throw OctantError(.badRequest, "the host \(host) has no address") }
        return addresses
    }
}

extension SocketAddress {
    /// Whether it is of the public internet.
    package var isPublic: Bool {
        switch self {
        case .v4(let address): PublicAddress.contains(v4: UInt32(bigEndian: address.address.sin_addr.s_addr))
        case .v6(let address):
            PublicAddress.contains(v6: withUnsafeBytes(of: address.address.sin6_addr) { Array($0) })
        case .unixDomainSocket: false
        }
    }
}
#endif

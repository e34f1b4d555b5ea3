import OctantModel
import OctantRemote
import Testing

#if Server
import NIOCore
#endif

@Suite struct RemoteURLTests {
    @Test("URLs are taken apart")
    func parts() throws {
        let plain = try RemoteURL("http://Example.org")
        #expect(plain.host == "example.org" && plain.port == 80 && plain.target == "/" && !plain.isSecure)
        #expect(plain.authority == "example.org")
        let full = try RemoteURL("HTTPS://host:8443/a/b%20c?x=1&y=/#fragment")
        #expect(full.isSecure && full.port == 8443 && full.target == "/a/b%20c?x=1&y=/")
        #expect(full.authority == "host:8443" && full.origin == "https://host:8443")
        let six = try RemoteURL("http://[::1]:6333?q")
        #expect(six.host == "::1" && six.port == 6333 && six.target == "/?q" && six.authority == "[::1]:6333")
    }

    @Test(
        "URLs that could hide something are refused",
        arguments: [
            "", "http:", "http://", "http:///x", "ftp://host/x", "//host/x", "host/x", "http://user@host/",
            "http://user:secret@host/", "http://host:0/", "http://host:65536/", "http://host:x/", "http://[::1/",
            "http://[::1]x/", "http://host/a b", "http://host/a\r\nx: y", "http://host\\@other/", "http://hö/",
        ])
    func refused(_ text: String) {
        let error = #expect(throws: OctantError.self) { try RemoteURL(text) }
        #expect(error?.code == .badRequest)
        #expect(error?.message.contains("secret") == false, "passwords are not repeated")
    }

    #if Server
    @Test("Addresses of this machine, of private networks and of clouds' services are not public")
    func addresses() throws {
        let inside = [
            "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
            "127.255.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1",
            "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1",
            "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
            "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd12:3456::1", "fe80::1",
            "fec0::1", "ff02::1", "3fff::1", "::7f00:1", "4000::1",
        ]
        let outside = [
            "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255",
            "128.0.0.1", "169.253.0.1", "172.15.255.255", "172.32.0.1", "192.167.0.1", "198.17.0.1", "198.20.0.1",
            "223.255.255.255", "2606:4700:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ]
        for text in inside { #expect(try !SocketAddress(ipAddress: text, port: 80).isPublic, "\(text)") }
        for text in outside { #expect(try SocketAddress(ipAddress: text, port: 80).isPublic, "\(text)") }
    }
    #endif
}

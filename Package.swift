// swift-tools-version: 6.1
import PackageDescription

/// Dependencies of the server alone. With `traits: []` none of them is resolved or built.
let server: TargetDependencyCondition? = .when(traits: ["Server"])

/// The C library of stemmers. Without it, English alone has a stemmer.
let snowball: TargetDependencyCondition? = .when(traits: ["Snowball"])

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "octant",
    platforms: [.macOS(.v15), .iOS(.v18)],
    products: [
        .library(name: "Octant", targets: ["Octant"]),
        .executable(name: "octant", targets: ["octant"]),
    ],
    traits: [
        .trait(name: "Server", description: "The server: REST, configuration and the octant executable."),
        .trait(name: "Snowball", description: "Stemmers of 18 more languages, from the C library libstemmer."),
        .default(enabledTraits: ["Server", "Snowball"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // The engine: nothing outside the toolchain.
        .target(name: "COctantKernels", cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "OctantModel", swiftSettings: strict),
        .target(name: "OctantStorage", dependencies: ["COctantKernels"], swiftSettings: strict),
        .target(name: "OctantVectors", dependencies: ["COctantKernels", "OctantModel"], swiftSettings: strict),
        .systemLibrary(name: "CStemmer", path: "Sources/CStemmer"),
        .target(
            name: "OctantPayload",
            dependencies: ["OctantModel", .target(name: "CStemmer", condition: snowball)], swiftSettings: strict),
        .target(
            name: "OctantEngine",
            dependencies: ["COctantKernels", "OctantModel", "OctantStorage", "OctantVectors", "OctantPayload"],
            swiftSettings: strict),
        .target(name: "Octant", dependencies: ["OctantEngine", "OctantModel"], swiftSettings: strict),

        // The server.
        .target(name: "OctantService", dependencies: ["Octant", "OctantModel"], swiftSettings: strict),
        .target(
            name: "OctantNetwork",
            dependencies: [
                "OctantModel",
                .product(name: "NIOCore", package: "swift-nio", condition: server),
                .product(name: "NIOPosix", package: "swift-nio", condition: server),
            ],
            swiftSettings: strict),
        .target(
            name: "OctantREST",
            dependencies: [
                "OctantService", "OctantNetwork", "OctantModel",
                .product(name: "NIOCore", package: "swift-nio", condition: server),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: server),
                .product(name: "NIOHTTPCompression", package: "swift-nio-extras", condition: server),
            ],
            swiftSettings: strict),
        .target(
            name: "OctantRemote",
            dependencies: [
                "Octant", "OctantService", "OctantNetwork", "OctantModel", "OctantStorage",
                .product(name: "NIOCore", package: "swift-nio", condition: server),
                .product(name: "NIOPosix", package: "swift-nio", condition: server),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: server),
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: server),
            ],
            swiftSettings: strict),
        .target(
            name: "OctantProtocol",
            dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf", condition: server)],
            exclude: ["Protos"],
            swiftSettings: strict),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib"),
        .target(
            name: "OctantGRPC",
            dependencies: [
                "OctantProtocol", "OctantService", "OctantNetwork", "OctantModel",
                .target(name: "CZlib", condition: server),
                .product(name: "SwiftProtobuf", package: "swift-protobuf", condition: server),
                .product(name: "NIOCore", package: "swift-nio", condition: server),
                .product(name: "NIOHTTP2", package: "swift-nio-http2", condition: server),
                .product(name: "NIOHPACK", package: "swift-nio-http2", condition: server),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "octant",
            dependencies: [
                "Octant", "OctantService", "OctantNetwork", "OctantREST", "OctantGRPC", "OctantRemote",
                .product(name: "Logging", package: "swift-log", condition: server),
                .product(name: "ArgumentParser", package: "swift-argument-parser", condition: server),
                .product(name: "Yams", package: "Yams", condition: server),
            ],
            path: "Sources/octant-server",
            swiftSettings: strict),

        // Benchmarks in this process, driven by the scripts in Benchmarks/.
        .target(
            name: "BenchSupport", dependencies: ["OctantVectors"], path: "Benchmarks/Support", swiftSettings: strict),
        .executableTarget(
            name: "octant-index-bench", dependencies: ["BenchSupport", "OctantVectors", "OctantModel"],
            path: "Benchmarks/IndexBench", swiftSettings: strict),
        .executableTarget(
            name: "octant-library-bench", dependencies: ["BenchSupport", "Octant", "OctantEngine", "OctantVectors"],
            path: "Benchmarks/LibraryBench", swiftSettings: strict),

        .testTarget(name: "OctantModelTests", dependencies: ["OctantModel"], swiftSettings: strict),
        .testTarget(
            name: "OctantStorageTests", dependencies: ["OctantStorage", "COctantKernels"], swiftSettings: strict),
        .testTarget(
            name: "OctantVectorsTests", dependencies: ["OctantVectors", "OctantModel", "COctantKernels"],
            swiftSettings: strict),
        .testTarget(name: "OctantPayloadTests", dependencies: ["OctantPayload", "OctantModel"], swiftSettings: strict),
        .testTarget(
            name: "OctantEngineTests",
            dependencies: ["OctantEngine", "Octant", "OctantModel", "OctantStorage", "OctantVectors", "OctantPayload"],
            swiftSettings: strict),
        .testTarget(
            name: "OctantRESTTests", dependencies: ["OctantREST", "OctantNetwork", "OctantModel"], swiftSettings: strict
        ),
        .testTarget(
            name: "OctantRemoteTests",
            dependencies: [
                "OctantRemote", "OctantNetwork", "OctantModel",
                .product(name: "NIOCore", package: "swift-nio", condition: server),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "OctantGRPCTests",
            dependencies: [
                "OctantGRPC", "OctantProtocol", "OctantModel",
                .product(name: "SwiftProtobuf", package: "swift-protobuf", condition: server),
            ],
            swiftSettings: strict),
    ],
    cLanguageStandard: .gnu11
)

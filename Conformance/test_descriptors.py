"""Every service, method, message, field and enum value of the official client's descriptors is in what this server tells of itself.

Names, numbers, types and presence decide whether clients and server understand each other. What is missing on purpose stands in `ABSENT`.
"""
import importlib
import pkgutil

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2
from qdrant_client import grpc as client

# Full name of a service, method, message, field or value: the reason. The client of 1.20 has nothing that is not here.
ABSENT = {}


def of_client():
    """The files that the client was made from."""
    files = []
    for module in pkgutil.iter_modules(client.__path__):
        if module.name.endswith("_pb2"):
            files.append(descriptor_pb2.FileDescriptorProto())
            importlib.import_module(f"{client.__name__}.{module.name}").DESCRIPTOR.CopyToProto(files[-1])
    return files


def of_server(server):
    channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}")
    ask = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                reflection_pb2.ServerReflectionRequest.SerializeToString, reflection_pb2.ServerReflectionResponse.FromString)
    R = reflection_pb2.ServerReflectionRequest
    (listed,) = ask(iter([R(list_services="")]), timeout=30)
    services = [s.name for s in listed.list_services_response.service]
    files = {}
    for answer in ask(iter([R(file_containing_symbol=s) for s in services]), timeout=30):
        for data in answer.file_descriptor_response.file_descriptor_proto:
            file = descriptor_pb2.FileDescriptorProto.FromString(data)
            files[file.name] = file
    channel.close()
    return list(files.values())


def facts(files):
    """All that the wire depends on, by full name."""
    out = {}

    def message(m, scope):
        name = f"{scope}.{m.name}"
        out[name] = "message"
        for f in m.field:
            oneof = m.oneof_decl[f.oneof_index].name if f.HasField("oneof_index") and not f.proto3_optional else ""
            out[f"{name}.{f.name}"] = ("field", f.number, f.label, f.type, f.type_name, f.proto3_optional, oneof)
        for inner in m.nested_type:
            message(inner, name)
            if inner.options.map_entry:
                out[f"{name}.{inner.name}"] = "map"
        for e in m.enum_type:
            enum(e, name)

    def enum(e, scope):
        for v in e.value:
            out[f"{scope}.{e.name}.{v.name}"] = ("value", v.number)

    for file in files:
        for m in file.message_type:
            message(m, file.package)
        for e in file.enum_type:
            enum(e, file.package)
        for s in file.service:
            out[f"{file.package}.{s.name}"] = "service"
            for method in s.method:
                out[f"{file.package}.{s.name}/{method.name}"] = (
                    "method", method.input_type, method.output_type, method.client_streaming, method.server_streaming)
    return out


@pytest.fixture(scope="module")
def both(shared):
    return facts(of_client()), facts(of_server(shared))


def test_the_client_has_what_is_compared(both):
    theirs, _ = both
    assert sum(1 for v in theirs.values() if v == "service") >= 4
    assert sum(1 for v in theirs.values() if v[0] == "method") >= 50
    assert sum(1 for v in theirs.values() if v[0] == "field") >= 900, len(theirs)


def test_all_of_it_is_in_ours(both):
    theirs, ours = both
    known = {name: fact for name, fact in theirs.items() if name not in ABSENT}
    missing = [f"{name}: {fact}" for name, fact in known.items() if name not in ours]
    other = [f"{name}: {fact} there, {ours[name]} here" for name, fact in known.items() if name in ours and ours[name] != fact]
    assert not missing and not other, "\n".join(missing + other)


def test_nothing_else_is_in_our_package(both):
    theirs, ours = both
    assert [name for name in ours if name.startswith("qdrant.") and name not in theirs] == []

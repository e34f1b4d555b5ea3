// The messages of the gRPC protocol, generated from the files in Protos/.

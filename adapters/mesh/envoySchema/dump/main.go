// Writes the descriptors of Envoy's v3 API, with all that they import and with the rules of protoc-gen-validate in
// their options, as one gzipped FileDescriptorSet. Run it in this folder:
//
//	go run . ../envoy-1.40.binpb.gz
//
// To move to another version of Envoy: `go get github.com/envoyproxy/go-control-plane/envoy@vX`, `go generate`,
// `go mod tidy`, run it with the new name, and name the file in ../registry.ts.
package main

//go:generate sh imports.sh
//go:generate gofmt -w imports.go

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: go run . OUT.binpb.gz")
	}
	var set descriptorpb.FileDescriptorSet
	done := map[string]bool{}
	var add func(protoreflect.FileDescriptor)
	add = func(file protoreflect.FileDescriptor) {
		if done[file.Path()] || file.IsPlaceholder() {
			return
		}
		done[file.Path()] = true
		for i := 0; i < file.Imports().Len(); i++ {
			add(file.Imports().Get(i).FileDescriptor)
		}
		set.File = append(set.File, protodesc.ToFileDescriptorProto(file))
	}
	for _, root := range roots() {
		add(root)
	}
	binary, err := proto.MarshalOptions{Deterministic: true}.Marshal(&set)
	check(err)
	var zipped bytes.Buffer
	writer, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	check(err)
	_, err = writer.Write(binary)
	check(err)
	check(writer.Close())
	check(os.WriteFile(os.Args[1], zipped.Bytes(), 0o644))
	fmt.Println(len(set.File), "files,", len(binary), "bytes,", zipped.Len(), "bytes zipped")
}

// roots are in the order of their paths: the registry gives them in another order each time. Without the second
// version of the API: no Envoy of today reads it.
func roots() []protoreflect.FileDescriptor {
	var files []protoreflect.FileDescriptor
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for _, prefix := range []string{"envoy/", "xds/type/", "udpa/type/"} {
			if strings.HasPrefix(file.Path(), prefix) && !strings.Contains(file.Path(), "/v2") {
				files = append(files, file)
			}
		}
		return true
	})
	sort.Slice(files, func(i, j int) bool { return files[i].Path() < files[j].Path() })
	return files
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

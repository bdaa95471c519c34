// The Go snippets of Qdrant's documentation, against the server whose gRPC port is the first argument.
//
// Each snippet that did what it says is told by a line "ok NAME"; the first that didn't ends the program.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"reflect"
	"strconv"

	"github.com/qdrant/go-client/qdrant"
)

// Suite is what the checks share: a client, and where they are.
type Suite struct {
	client *qdrant.Client
	ctx    context.Context
	name   string
}

type check struct {
	name string
	run  func(*Suite)
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: snippets GRPC_PORT")
	}
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	client, err := qdrant.NewClient(&qdrant.Config{Host: "127.0.0.1", Port: port})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	suite := &Suite{client: client, ctx: context.Background()}
	for _, checks := range [][]check{uploads, changes, reads, optimizing} {
		for _, one := range checks {
			suite.name = one.name
			one.run(suite)
			fmt.Println("ok", one.name)
		}
	}
}

// must ends the program where a call failed.
func must[T any](s *Suite, value T, err error) T {
	s.succeed(err)
	return value
}

func (s *Suite) succeed(err error) {
	if err != nil {
		log.Fatalf("FAILED %s: %v", s.name, err)
	}
}

// equal ends the program where two values differ.
func (s *Suite) equal(got, wanted any) {
	if !reflect.DeepEqual(got, wanted) {
		log.Fatalf("FAILED %s: got %v, wanted %v", s.name, got, wanted)
	}
}

// collection makes an empty collection, in the place of the one before it.
func (s *Suite) collection(vectors *qdrant.VectorsConfig) string {
	return s.create(&qdrant.CreateCollection{VectorsConfig: vectors})
}

func (s *Suite) create(request *qdrant.CreateCollection) string {
	request.CollectionName = "go-snippets"
	exists, err := s.client.CollectionExists(s.ctx, request.CollectionName)
	if must(s, exists, err) {
		s.succeed(s.client.DeleteCollection(s.ctx, request.CollectionName))
	}
	s.succeed(s.client.CreateCollection(s.ctx, request))
	return request.CollectionName
}

func params(size uint64) *qdrant.VectorParams {
	return &qdrant.VectorParams{Size: size, Distance: qdrant.Distance_Dot}
}

func plain(size uint64) *qdrant.VectorsConfig { return qdrant.NewVectorsConfig(params(size)) }

func named() *qdrant.VectorsConfig {
	return qdrant.NewVectorsConfigMap(map[string]*qdrant.VectorParams{"image": params(4), "text": params(8)})
}

func nums(ids ...uint64) []*qdrant.PointId {
	found := make([]*qdrant.PointId, len(ids))
	for i, id := range ids {
		found[i] = qdrant.NewIDNum(id)
	}
	return found
}

func color(name string) *qdrant.Filter {
	return &qdrant.Filter{Must: []*qdrant.Condition{qdrant.NewMatch("color", name)}}
}

// point reads one point back whole; nil if there is none.
func (s *Suite) point(collection string, id *qdrant.PointId) *qdrant.RetrievedPoint {
	found, err := s.client.Get(s.ctx, &qdrant.GetPoints{
		CollectionName: collection,
		Ids:            []*qdrant.PointId{id},
		WithPayload:    qdrant.NewWithPayload(true),
		WithVectors:    qdrant.NewWithVectors(true),
	})
	if len(must(s, found, err)) == 0 {
		return nil
	}
	return found[0]
}

func dense(point *qdrant.RetrievedPoint) []float32 {
	return point.GetVectors().GetVector().GetDenseVector().GetData()
}

func denseOf(point *qdrant.RetrievedPoint, name string) []float32 {
	return point.GetVectors().GetVectors().GetVectors()[name].GetDenseVector().GetData()
}

// plainValue is a payload's value without its message.
func plainValue(value *qdrant.Value) any {
	switch kind := value.GetKind().(type) {
	case *qdrant.Value_StringValue:
		return kind.StringValue
	case *qdrant.Value_IntegerValue:
		return kind.IntegerValue
	case *qdrant.Value_DoubleValue:
		return kind.DoubleValue
	case *qdrant.Value_BoolValue:
		return kind.BoolValue
	case *qdrant.Value_StructValue:
		return plainPayload(kind.StructValue.GetFields())
	case *qdrant.Value_ListValue:
		var values []any
		for _, one := range kind.ListValue.GetValues() {
			values = append(values, plainValue(one))
		}
		return values
	default:
		return nil
	}
}

func plainPayload(payload map[string]*qdrant.Value) map[string]any {
	found := map[string]any{}
	for key, value := range payload {
		found[key] = plainValue(value)
	}
	return found
}

func ids(points []*qdrant.RetrievedPoint) []uint64 {
	var found []uint64
	for _, point := range points {
		found = append(found, point.GetId().GetNum())
	}
	return found
}

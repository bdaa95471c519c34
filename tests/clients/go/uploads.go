package main

import "github.com/qdrant/go-client/qdrant"

var uploads = []check{
	{"upsert: a UUID as id", upsertUUID},
	{"upsert: a number as id", upsertNumber},
	{"upsert: several points", upsertSeveral},
	{"upsert: named vectors", upsertNamed},
	{"upsert: a point anew, with one of its vectors", upsertOneOfTwo},
	{"upsert: sparse vectors", upsertSparse},
	{"upsert: multivectors", upsertMulti},
	{"upsert: payload of every type", upsertPayload},
	{"upsert: where a filter passes", upsertConditionally},
	{"upsert: only what is new", upsertNew},
}

const uuid = "5c56c793-69f3-4fbf-87e6-c4bf54c28c26"

// upsert sends points and waits until they are there.
func (s *Suite) upsert(collection string, points ...*qdrant.PointStruct) {
	done, err := s.client.Upsert(s.ctx, &qdrant.UpsertPoints{
		CollectionName: collection,
		Wait:           qdrant.PtrOf(true),
		Points:         points,
	})
	s.equal(must(s, done, err).GetStatus(), qdrant.UpdateStatus_Completed)
}

func upsertUUID(s *Suite) {
	collection := s.collection(plain(4))
	s.upsert(collection, &qdrant.PointStruct{
		Id:      qdrant.NewID(uuid),
		Vectors: qdrant.NewVectors(0.05, 0.61, 0.76, 0.74),
		Payload: qdrant.NewValueMap(map[string]any{"color": "Red"}),
	})
	found := s.point(collection, qdrant.NewID(uuid))
	s.equal(found.GetId().GetUuid(), uuid)
	s.equal(dense(found), []float32{0.05, 0.61, 0.76, 0.74})
	s.equal(plainPayload(found.GetPayload()), map[string]any{"color": "Red"})
}

func upsertNumber(s *Suite) {
	collection := s.collection(plain(4))
	s.upsert(collection, &qdrant.PointStruct{
		Id:      qdrant.NewIDNum(1),
		Vectors: qdrant.NewVectors(0.05, 0.61, 0.76, 0.74),
		Payload: qdrant.NewValueMap(map[string]any{"color": "Red"}),
	})
	found := s.point(collection, qdrant.NewIDNum(1))
	s.equal(found.GetId().GetNum(), uint64(1))
	s.equal(dense(found), []float32{0.05, 0.61, 0.76, 0.74})
	s.equal(plainPayload(found.GetPayload()), map[string]any{"color": "Red"})
}

// colors makes a collection of three points: red, green and blue.
func (s *Suite) colors() string {
	collection := s.collection(plain(3))
	s.upsert(collection,
		&qdrant.PointStruct{
			Id:      qdrant.NewIDNum(1),
			Vectors: qdrant.NewVectors(0.9, 0.1, 0.1),
			Payload: qdrant.NewValueMap(map[string]any{"color": "red"}),
		},
		&qdrant.PointStruct{
			Id:      qdrant.NewIDNum(2),
			Vectors: qdrant.NewVectors(0.1, 0.9, 0.1),
			Payload: qdrant.NewValueMap(map[string]any{"color": "green"}),
		},
		&qdrant.PointStruct{
			Id:      qdrant.NewIDNum(3),
			Vectors: qdrant.NewVectors(0.1, 0.1, 0.9),
			Payload: qdrant.NewValueMap(map[string]any{"color": "blue"}),
		},
	)
	return collection
}

func upsertSeveral(s *Suite) {
	collection := s.colors()
	count, err := s.client.Count(s.ctx, &qdrant.CountPoints{CollectionName: collection})
	s.equal(must(s, count, err), uint64(3))
	vectors := [][]float32{{0.9, 0.1, 0.1}, {0.1, 0.9, 0.1}, {0.1, 0.1, 0.9}}
	for i, name := range []string{"red", "green", "blue"} {
		found := s.point(collection, qdrant.NewIDNum(uint64(i+1)))
		s.equal(dense(found), vectors[i])
		s.equal(plainPayload(found.GetPayload()), map[string]any{"color": name})
	}
}

// pictures makes a collection of two points with two vectors each.
func (s *Suite) pictures() string {
	collection := s.collection(named())
	s.upsert(collection,
		&qdrant.PointStruct{
			Id: qdrant.NewIDNum(1),
			Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{
				"image": qdrant.NewVector(0.9, 0.1, 0.1, 0.2),
				"text":  qdrant.NewVector(0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2),
			}),
		},
		&qdrant.PointStruct{
			Id: qdrant.NewIDNum(2),
			Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{
				"image": qdrant.NewVector(0.2, 0.1, 0.3, 0.9),
				"text":  qdrant.NewVector(0.5, 0.2, 0.7, 0.4, 0.7, 0.2, 0.3, 0.9),
			}),
		},
	)
	return collection
}

func upsertNamed(s *Suite) {
	collection := s.pictures()
	first, second := s.point(collection, qdrant.NewIDNum(1)), s.point(collection, qdrant.NewIDNum(2))
	s.equal(denseOf(first, "image"), []float32{0.9, 0.1, 0.1, 0.2})
	s.equal(denseOf(first, "text"), []float32{0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2})
	s.equal(denseOf(second, "image"), []float32{0.2, 0.1, 0.3, 0.9})
	s.equal(denseOf(second, "text"), []float32{0.5, 0.2, 0.7, 0.4, 0.7, 0.2, 0.3, 0.9})
}

func upsertOneOfTwo(s *Suite) {
	collection := s.pictures()
	s.upsert(collection, &qdrant.PointStruct{
		Id: qdrant.NewIDNum(1),
		Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{
			"image": qdrant.NewVector(0.5, 0.5, 0.5, 0.5),
		}),
	})
	found := s.point(collection, qdrant.NewIDNum(1))
	s.equal(denseOf(found, "image"), []float32{0.5, 0.5, 0.5, 0.5})
	s.equal(len(found.GetVectors().GetVectors().GetVectors()), 1)
}

func upsertSparse(s *Suite) {
	collection := s.create(&qdrant.CreateCollection{
		SparseVectorsConfig: qdrant.NewSparseVectorsConfig(map[string]*qdrant.SparseVectorParams{"text": {}}),
	})
	s.upsert(collection,
		&qdrant.PointStruct{
			Id: qdrant.NewIDNum(1),
			Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{
				"text": qdrant.NewVectorSparse([]uint32{6, 7}, []float32{1.0, 2.0}),
			}),
		},
		&qdrant.PointStruct{
			Id: qdrant.NewIDNum(2),
			Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{
				"text": qdrant.NewVectorSparse([]uint32{1, 2, 3, 4, 5}, []float32{0.1, 0.2, 0.3, 0.4, 0.5}),
			}),
		},
	)
	first := s.point(collection, qdrant.NewIDNum(1)).GetVectors().GetVectors().GetVectors()["text"].GetSparseVector()
	s.equal(first.GetIndices(), []uint32{6, 7})
	s.equal(first.GetValues(), []float32{1.0, 2.0})
	found, err := s.client.Query(s.ctx, &qdrant.QueryPoints{
		CollectionName: collection,
		Query:          qdrant.NewQuerySparse([]uint32{5, 6}, []float32{2.0, 0.25}),
		Using:          qdrant.PtrOf("text"),
	})
	must(s, found, err)
	s.equal([]uint64{found[0].GetId().GetNum(), found[1].GetId().GetNum()}, []uint64{2, 1})
	s.equal([]float32{found[0].GetScore(), found[1].GetScore()}, []float32{1.0, 0.25})
}

func upsertMulti(s *Suite) {
	collection := s.collection(qdrant.NewVectorsConfig(&qdrant.VectorParams{
		Size:     3,
		Distance: qdrant.Distance_Dot,
		MultivectorConfig: &qdrant.MultiVectorConfig{
			Comparator: qdrant.MultiVectorComparator_MaxSim,
		},
	}))
	s.upsert(collection,
		&qdrant.PointStruct{
			Id:      qdrant.NewIDNum(1),
			Vectors: qdrant.NewVectorsMulti([][]float32{{1, 0, 0}, {0, 1, 0}}),
		},
		&qdrant.PointStruct{Id: qdrant.NewIDNum(2), Vectors: qdrant.NewVectorsMulti([][]float32{{0, 0, 1}})},
	)
	rows := s.point(collection, qdrant.NewIDNum(1)).GetVectors().GetVector().GetMultiVector().GetVectors()
	s.equal(len(rows), 2)
	s.equal(rows[0].GetData(), []float32{1, 0, 0})
	s.equal(rows[1].GetData(), []float32{0, 1, 0})
	found, err := s.client.Query(s.ctx, &qdrant.QueryPoints{
		CollectionName: collection,
		Query:          qdrant.NewQueryMulti([][]float32{{1, 0, 0}, {0, 0.5, 0}}),
	})
	must(s, found, err)
	s.equal(found[0].GetId().GetNum(), uint64(1))
	s.equal(found[0].GetScore(), float32(1.5))
}

func upsertPayload(s *Suite) {
	collection := s.collection(plain(3))
	payload := map[string]any{
		"string":  "value",
		"integer": int64(-7),
		"float":   0.25,
		"bool":    true,
		"null":    nil,
		"list":    []any{"a", int64(1), false},
		"object":  map[string]any{"nested": map[string]any{"key": "inner"}},
	}
	s.upsert(collection, &qdrant.PointStruct{
		Id:      qdrant.NewIDNum(1),
		Vectors: qdrant.NewVectors(0.9, 0.1, 0.1),
		Payload: qdrant.NewValueMap(payload),
	})
	s.equal(plainPayload(s.point(collection, qdrant.NewIDNum(1)).GetPayload()), payload)
}

func upsertConditionally(s *Suite) {
	collection := s.colors()
	for _, name := range []string{"yellow", "red"} {
		done, err := s.client.Upsert(s.ctx, &qdrant.UpsertPoints{
			CollectionName: collection,
			Wait:           qdrant.PtrOf(true),
			UpdateFilter:   color(name),
			Points: []*qdrant.PointStruct{{
				Id:      qdrant.NewIDNum(1),
				Vectors: qdrant.NewVectors(0.5, 0.5, 0.5),
				Payload: qdrant.NewValueMap(map[string]any{"color": "after " + name}),
			}},
		})
		must(s, done, err)
		wanted := map[string]string{"yellow": "red", "red": "after red"}[name]
		s.equal(s.point(collection, qdrant.NewIDNum(1)).GetPayload()["color"].GetStringValue(), wanted)
	}
	s.equal(dense(s.point(collection, qdrant.NewIDNum(1))), []float32{0.5, 0.5, 0.5})
}

func upsertNew(s *Suite) {
	collection := s.colors()
	done, err := s.client.Upsert(s.ctx, &qdrant.UpsertPoints{
		CollectionName: collection,
		Wait:           qdrant.PtrOf(true),
		UpdateMode:     qdrant.UpdateMode_InsertOnly.Enum(),
		Points: []*qdrant.PointStruct{
			{Id: qdrant.NewIDNum(3), Vectors: qdrant.NewVectors(0.5, 0.5, 0.5)},
			{Id: qdrant.NewIDNum(4), Vectors: qdrant.NewVectors(0.5, 0.5, 0.5)},
		},
	})
	must(s, done, err)
	s.equal(dense(s.point(collection, qdrant.NewIDNum(3))), []float32{0.1, 0.1, 0.9})
	s.equal(dense(s.point(collection, qdrant.NewIDNum(4))), []float32{0.5, 0.5, 0.5})
}

package main

import "github.com/qdrant/go-client/qdrant"

var reads = []check{
	{"retrieve: ids", retrieve},
	{"retrieve: parts of a point", retrieveParts},
	{"scroll: a filter, page by page", scrollPages},
	{"scroll: in the order of a key", scrollOrdered},
	{"scroll: descending, from a value", scrollFrom},
	{"count: a filter", count},
}

func retrieve(s *Suite) {
	collection := s.colors()
	found, err := s.client.Get(s.ctx, &qdrant.GetPoints{
		CollectionName: collection,
		Ids: []*qdrant.PointId{
			qdrant.NewIDNum(0), qdrant.NewIDNum(3), qdrant.NewIDNum(100),
		},
	})
	s.equal(ids(must(s, found, err)), []uint64{3})
}

func retrieveParts(s *Suite) {
	collection := s.collection(named())
	s.upsert(collection, &qdrant.PointStruct{
		Id: qdrant.NewIDNum(1),
		Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{
			"image": qdrant.NewVector(0.9, 0.1, 0.1, 0.2),
			"text":  qdrant.NewVector(0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2),
		}),
		Payload: qdrant.NewValueMap(map[string]any{"color": "red", "city": "Berlin", "price": 12}),
	})
	found, err := s.client.Get(s.ctx, &qdrant.GetPoints{
		CollectionName: collection,
		Ids:            nums(1),
		WithPayload:    qdrant.NewWithPayloadInclude("color", "city"),
		WithVectors:    qdrant.NewWithVectorsInclude("image"),
	})
	must(s, found, err)
	s.equal(plainPayload(found[0].GetPayload()), map[string]any{"color": "red", "city": "Berlin"})
	s.equal(denseOf(found[0], "image"), []float32{0.9, 0.1, 0.1, 0.2})
	s.equal(len(found[0].GetVectors().GetVectors().GetVectors()), 1)
	found, err = s.client.Get(s.ctx, &qdrant.GetPoints{
		CollectionName: collection,
		Ids:            nums(1),
		WithPayload:    qdrant.NewWithPayloadExclude("color", "city"),
	})
	must(s, found, err)
	s.equal(plainPayload(found[0].GetPayload()), map[string]any{"price": int64(12)})
	s.equal(found[0].GetVectors() == nil, true)
}

// dated makes a collection of points with a color and a timestamp, which is indexed.
func (s *Suite) dated() string {
	collection := s.collection(plain(3))
	stamps := []int64{300, 100, 123, 200, 50}
	for i, name := range []string{"red", "green", "red", "blue", "red"} {
		s.upsert(collection, &qdrant.PointStruct{
			Id:      qdrant.NewIDNum(uint64(i)),
			Vectors: qdrant.NewVectors(0.9, 0.1, 0.1),
			Payload: qdrant.NewValueMap(map[string]any{"color": name, "timestamp": stamps[i]}),
		})
	}
	done, err := s.client.CreateFieldIndex(s.ctx, &qdrant.CreateFieldIndexCollection{
		CollectionName: collection,
		Wait:           qdrant.PtrOf(true),
		FieldName:      "timestamp",
		FieldType:      qdrant.FieldType_FieldTypeInteger.Enum(),
	})
	must(s, done, err)
	return collection
}

func scrollPages(s *Suite) {
	collection := s.dated()
	var seen []uint64
	var offset *qdrant.PointId
	for {
		page, next, err := s.client.ScrollAndOffset(s.ctx, &qdrant.ScrollPoints{
			CollectionName: collection,
			Filter: &qdrant.Filter{
				Must: []*qdrant.Condition{
					qdrant.NewMatch("color", "red"),
				},
			},
			Limit:       qdrant.PtrOf(uint32(1)),
			Offset:      offset,
			WithPayload: qdrant.NewWithPayload(true),
		})
		must(s, page, err)
		s.equal(len(page), 1)
		s.equal(page[0].GetPayload()["color"].GetStringValue(), "red")
		s.equal(page[0].GetVectors() == nil, true)
		seen = append(seen, ids(page)...)
		if offset = next; offset == nil {
			break
		}
	}
	s.equal(seen, []uint64{0, 2, 4})
}

func scrollOrdered(s *Suite) {
	found, err := s.client.Scroll(s.ctx, &qdrant.ScrollPoints{
		CollectionName: s.dated(),
		Limit:          qdrant.PtrOf(uint32(15)),
		OrderBy: &qdrant.OrderBy{
			Key: "timestamp",
		},
	})
	s.equal(ids(must(s, found, err)), []uint64{4, 1, 2, 3, 0})
	s.equal(found[0].GetOrderValue().GetInt(), int64(50))
}

func scrollFrom(s *Suite) {
	found, err := s.client.Scroll(s.ctx, &qdrant.ScrollPoints{
		CollectionName: s.dated(),
		Limit:          qdrant.PtrOf(uint32(15)),
		OrderBy: &qdrant.OrderBy{
			Key:       "timestamp",
			Direction: qdrant.Direction_Desc.Enum(),
			StartFrom: qdrant.NewStartFromInt(123),
		},
	})
	s.equal(ids(must(s, found, err)), []uint64{2, 1, 4})
}

func count(s *Suite) {
	found, err := s.client.Count(s.ctx, &qdrant.CountPoints{
		CollectionName: s.dated(),
		Filter: &qdrant.Filter{
			Must: []*qdrant.Condition{
				qdrant.NewMatch("color", "red"),
			},
		},
		Exact: qdrant.PtrOf(true),
	})
	s.equal(must(s, found, err), uint64(3))
}

package main

import (
	"time"

	"github.com/qdrant/go-client/qdrant"
)

var changes = []check{
	{"update vectors", updateVectors},
	{"delete vectors", deleteVectors},
	{"payload: set", setPayload},
	{"payload: overwrite", overwritePayload},
	{"payload: delete keys", deletePayload},
	{"payload: clear", clearPayload},
	{"delete: ids", deleteIDs},
	{"delete: a filter", deleteFilter},
	{"batch update: until the payload is changed", batchChanges},
	{"batch update: every operation", batchEverything},
	{"awaiting the result, and not", awaiting},
}

func updateVectors(s *Suite) {
	collection := s.pictures()
	done, err := s.client.UpdateVectors(s.ctx, &qdrant.UpdatePointVectors{
		CollectionName: collection,
		Wait:           qdrant.PtrOf(true),
		Points: []*qdrant.PointVectors{
			{
				Id: qdrant.NewIDNum(1),
				Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{
					"image": qdrant.NewVector(0.1, 0.2, 0.3, 0.4),
				}),
			},
			{
				Id: qdrant.NewIDNum(2),
				Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{
					"text": qdrant.NewVector(0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2),
				}),
			},
		},
	})
	must(s, done, err)
	first, second := s.point(collection, qdrant.NewIDNum(1)), s.point(collection, qdrant.NewIDNum(2))
	s.equal(denseOf(first, "image"), []float32{0.1, 0.2, 0.3, 0.4})
	s.equal(denseOf(first, "text"), []float32{0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2})
	s.equal(denseOf(second, "image"), []float32{0.2, 0.1, 0.3, 0.9})
	s.equal(denseOf(second, "text"), []float32{0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2})
}

func deleteVectors(s *Suite) {
	collection := s.collection(named())
	for _, id := range nums(0, 3, 10) {
		s.upsert(collection, &qdrant.PointStruct{
			Id: id,
			Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{
				"image": qdrant.NewVector(0.9, 0.1, 0.1, 0.2),
			}),
		})
	}
	done, err := s.client.DeleteVectors(s.ctx, &qdrant.DeletePointVectors{
		CollectionName: collection,
		Wait:           qdrant.PtrOf(true),
		PointsSelector: qdrant.NewPointsSelector(
			qdrant.NewIDNum(0), qdrant.NewIDNum(3), qdrant.NewIDNum(10)),
		Vectors: &qdrant.VectorsSelector{
			Names: []string{"text", "image"},
		},
	})
	must(s, done, err)
	for _, id := range nums(0, 3, 10) {
		found := s.point(collection, id)
		s.equal(found.GetId().GetNum(), id.GetNum())
		s.equal(len(found.GetVectors().GetVectors().GetVectors()), 0)
	}
}

func setPayload(s *Suite) {
	collection := s.colors()
	done, err := s.client.SetPayload(s.ctx, &qdrant.SetPayloadPoints{
		CollectionName: collection,
		Wait:           qdrant.PtrOf(true),
		Payload:        qdrant.NewValueMap(map[string]any{"property1": "string"}),
		PointsSelector: qdrant.NewPointsSelector(nums(1, 3)...),
	})
	must(s, done, err)
	s.equal(plainPayload(s.point(collection, qdrant.NewIDNum(1)).GetPayload()),
		map[string]any{"color": "red", "property1": "string"})
	s.equal(plainPayload(s.point(collection, qdrant.NewIDNum(2)).GetPayload()), map[string]any{"color": "green"})
	done, err = s.client.SetPayload(s.ctx, &qdrant.SetPayloadPoints{
		CollectionName: collection,
		Wait:           qdrant.PtrOf(true),
		Payload:        qdrant.NewValueMap(map[string]any{"inner": 1}),
		Key:            qdrant.PtrOf("nested"),
		PointsSelector: qdrant.NewPointsSelectorFilter(color("green")),
	})
	must(s, done, err)
	s.equal(plainPayload(s.point(collection, qdrant.NewIDNum(2)).GetPayload()),
		map[string]any{"color": "green", "nested": map[string]any{"inner": int64(1)}})
}

func overwritePayload(s *Suite) {
	collection := s.colors()
	done, err := s.client.OverwritePayload(s.ctx, &qdrant.SetPayloadPoints{
		CollectionName: collection,
		Wait:           qdrant.PtrOf(true),
		Payload:        qdrant.NewValueMap(map[string]any{"property1": "string"}),
		PointsSelector: qdrant.NewPointsSelector(nums(1)...),
	})
	must(s, done, err)
	s.equal(plainPayload(s.point(collection, qdrant.NewIDNum(1)).GetPayload()), map[string]any{"property1": "string"})
}

func deletePayload(s *Suite) {
	collection := s.colors()
	done, err := s.client.DeletePayload(s.ctx, &qdrant.DeletePayloadPoints{
		CollectionName: collection,
		Wait:           qdrant.PtrOf(true),
		Keys:           []string{"color", "price"},
		PointsSelector: qdrant.NewPointsSelector(nums(1)...),
	})
	must(s, done, err)
	s.equal(len(s.point(collection, qdrant.NewIDNum(1)).GetPayload()), 0)
	s.equal(len(s.point(collection, qdrant.NewIDNum(2)).GetPayload()), 1)
}

func clearPayload(s *Suite) {
	collection := s.colors()
	done, err := s.client.ClearPayload(s.ctx, &qdrant.ClearPayloadPoints{
		CollectionName: collection,
		Wait:           qdrant.PtrOf(true),
		Points:         qdrant.NewPointsSelectorFilter(color("red")),
	})
	must(s, done, err)
	s.equal(len(s.point(collection, qdrant.NewIDNum(1)).GetPayload()), 0)
	s.equal(len(s.point(collection, qdrant.NewIDNum(2)).GetPayload()), 1)
}

// remaining is which points there are.
func (s *Suite) remaining(collection string) []uint64 {
	found, err := s.client.Scroll(s.ctx, &qdrant.ScrollPoints{CollectionName: collection})
	return ids(must(s, found, err))
}

func deleteIDs(s *Suite) {
	collection := s.colors()
	done, err := s.client.Delete(s.ctx, &qdrant.DeletePoints{
		CollectionName: collection,
		Wait:           qdrant.PtrOf(true),
		Points: qdrant.NewPointsSelector(
			qdrant.NewIDNum(0), qdrant.NewIDNum(3), qdrant.NewIDNum(100),
		),
	})
	must(s, done, err)
	s.equal(s.remaining(collection), []uint64{1, 2})
}

func deleteFilter(s *Suite) {
	collection := s.colors()
	done, err := s.client.Delete(s.ctx, &qdrant.DeletePoints{
		CollectionName: collection,
		Wait:           qdrant.PtrOf(true),
		Points: qdrant.NewPointsSelectorFilter(
			&qdrant.Filter{
				Must: []*qdrant.Condition{
					qdrant.NewMatch("color", "red"),
				},
			},
		),
	})
	must(s, done, err)
	s.equal(s.remaining(collection), []uint64{2, 3})
}

// operations are those of the documentation's batch, in its order.
func operations() []*qdrant.PointsUpdateOperation {
	one := qdrant.NewPointsSelector(qdrant.NewIDNum(1))
	return []*qdrant.PointsUpdateOperation{
		qdrant.NewPointsUpdateUpsert(&qdrant.PointsUpdateOperation_PointStructList{
			Points: []*qdrant.PointStruct{{
				Id:      qdrant.NewIDNum(1),
				Vectors: qdrant.NewVectors(1.0, 2.0, 3.0, 4.0),
				Payload: qdrant.NewValueMap(map[string]any{}),
			}},
		}),
		qdrant.NewPointsUpdateUpdateVectors(&qdrant.PointsUpdateOperation_UpdateVectors{
			Points: []*qdrant.PointVectors{{
				Id:      qdrant.NewIDNum(1),
				Vectors: qdrant.NewVectors(1.0, 2.0, 3.0, 4.0),
			}},
		}),
		qdrant.NewPointsUpdateDeleteVectors(&qdrant.PointsUpdateOperation_DeleteVectors{
			PointsSelector: one,
			Vectors:        &qdrant.VectorsSelector{Names: []string{""}},
		}),
		qdrant.NewPointsUpdateOverwritePayload(&qdrant.PointsUpdateOperation_OverwritePayload{
			PointsSelector: one,
			Payload:        qdrant.NewValueMap(map[string]any{"test_payload": 1}),
		}),
		qdrant.NewPointsUpdateSetPayload(&qdrant.PointsUpdateOperation_SetPayload{
			PointsSelector: one,
			Payload:        qdrant.NewValueMap(map[string]any{"test_payload_2": 2, "test_payload_3": 3}),
		}),
		qdrant.NewPointsUpdateDeletePayload(&qdrant.PointsUpdateOperation_DeletePayload{
			PointsSelector: one,
			Keys:           []string{"test_payload_2"},
		}),
		qdrant.NewPointsUpdateClearPayload(&qdrant.PointsUpdateOperation_ClearPayload{Points: one}),
		qdrant.NewPointsUpdateDeletePoints(&qdrant.PointsUpdateOperation_DeletePoints{Points: one}),
	}
}

func (s *Suite) batch(collection string, operations []*qdrant.PointsUpdateOperation) {
	done, err := s.client.UpdateBatch(s.ctx, &qdrant.UpdateBatchPoints{
		CollectionName: collection,
		Wait:           qdrant.PtrOf(true),
		Operations:     operations,
	})
	s.equal(len(must(s, done, err)), len(operations))
	for _, one := range done {
		s.equal(one.GetStatus(), qdrant.UpdateStatus_Completed)
	}
}

func batchChanges(s *Suite) {
	collection := s.collection(plain(4))
	s.batch(collection, operations()[:6])
	found := s.point(collection, qdrant.NewIDNum(1))
	s.equal(plainPayload(found.GetPayload()), map[string]any{"test_payload": int64(1), "test_payload_3": int64(3)})
	s.equal(len(dense(found)), 0)
}

func batchEverything(s *Suite) {
	collection := s.collection(plain(4))
	s.batch(collection, operations())
	s.equal(len(s.remaining(collection)), 0)
}

func awaiting(s *Suite) {
	collection := s.collection(plain(3))
	s.upsert(collection, &qdrant.PointStruct{Id: qdrant.NewIDNum(1), Vectors: qdrant.NewVectors(0.9, 0.1, 0.1)})
	done, err := s.client.Upsert(s.ctx, &qdrant.UpsertPoints{
		CollectionName: collection,
		Points:         []*qdrant.PointStruct{{Id: qdrant.NewIDNum(2), Vectors: qdrant.NewVectors(0.1, 0.9, 0.1)}},
	})
	s.equal(must(s, done, err).GetStatus(), qdrant.UpdateStatus_Acknowledged)
	for deadline := time.Now().Add(time.Minute); s.point(collection, qdrant.NewIDNum(2)) == nil; {
		s.equal(time.Now().Before(deadline), true)
		time.Sleep(10 * time.Millisecond)
	}
}

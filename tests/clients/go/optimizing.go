package main

import "github.com/qdrant/go-client/qdrant"

var optimizing = []check{
	{"create: vectors on disk, quantized in memory", createQuantizedOnDisk},
	{"query: without rescoring", queryWithoutRescoring},
	{"create: vectors and graph on disk", createOnDisk},
	{"create: a denser graph", createDenser},
	{"create: quantized in memory", createQuantized},
	{"query: hnsw_ef", queryEf},
	{"query: exact", queryExact},
	{"create: 16 segments", func(s *Suite) { createSegments(s, 16) }},
	{"create: 2 segments", func(s *Suite) { createSegments(s, 2) }},
	{"update a collection", updateCollection},
}

func cosine(size uint64, onDisk *bool) *qdrant.VectorsConfig {
	return qdrant.NewVectorsConfig(&qdrant.VectorParams{
		Size:     size,
		Distance: qdrant.Distance_Cosine,
		OnDisk:   onDisk,
	})
}

func scalar() *qdrant.QuantizationConfig {
	return qdrant.NewQuantizationScalar(&qdrant.ScalarQuantization{
		Type:      qdrant.QuantizationType_Int8,
		AlwaysRam: qdrant.PtrOf(true),
	})
}

func (s *Suite) config(collection string) *qdrant.CollectionConfig {
	found, err := s.client.GetCollectionInfo(s.ctx, collection)
	return must(s, found, err).GetConfig()
}

func (s *Suite) checkVectors(config *qdrant.CollectionConfig, onDisk bool) {
	vectors := config.GetParams().GetVectorsConfig().GetParams()
	s.equal(vectors.GetSize(), uint64(768))
	s.equal(vectors.GetDistance(), qdrant.Distance_Cosine)
	s.equal(vectors.GetOnDisk(), onDisk)
}

func (s *Suite) checkScalar(config *qdrant.CollectionConfig) {
	s.equal(config.GetQuantizationConfig().GetScalar().GetType(), qdrant.QuantizationType_Int8)
	s.equal(config.GetQuantizationConfig().GetScalar().GetAlwaysRam(), true)
}

func createQuantizedOnDisk(s *Suite) {
	config := s.config(s.create(&qdrant.CreateCollection{
		VectorsConfig:      cosine(768, qdrant.PtrOf(true)),
		QuantizationConfig: scalar(),
	}))
	s.checkVectors(config, true)
	s.checkScalar(config)
}

// searched makes a collection of quantized vectors to search in; the fourth is what the queries ask for.
func (s *Suite) searched() string {
	collection := s.create(&qdrant.CreateCollection{
		VectorsConfig:      cosine(4, qdrant.PtrOf(true)),
		QuantizationConfig: scalar(),
	})
	vectors := [][]float32{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0.2, 0.1, 0.9, 0.7}}
	for i, vector := range vectors {
		s.upsert(collection, &qdrant.PointStruct{
			Id:      qdrant.NewIDNum(uint64(i + 1)),
			Vectors: qdrant.NewVectorsDense(vector),
		})
	}
	return collection
}

func (s *Suite) checkNearest(found []*qdrant.ScoredPoint) {
	var order []uint64
	for _, one := range found {
		order = append(order, one.GetId().GetNum())
	}
	s.equal(order, []uint64{4, 3, 1})
	s.equal(found[0].GetScore() > 0.98 && found[0].GetScore() < 1.02, true)
}

func queryWithoutRescoring(s *Suite) {
	found, err := s.client.Query(s.ctx, &qdrant.QueryPoints{
		CollectionName: s.searched(),
		Query:          qdrant.NewQuery(0.2, 0.1, 0.9, 0.7),
		Params: &qdrant.SearchParams{
			Quantization: &qdrant.QuantizationSearchParams{
				Rescore: qdrant.PtrOf(false),
			},
		},
		Limit: qdrant.PtrOf(uint64(3)),
	})
	s.checkNearest(must(s, found, err))
}

func createOnDisk(s *Suite) {
	config := s.config(s.create(&qdrant.CreateCollection{
		VectorsConfig: cosine(768, qdrant.PtrOf(true)),
		HnswConfig: &qdrant.HnswConfigDiff{
			OnDisk: qdrant.PtrOf(true),
		},
	}))
	s.checkVectors(config, true)
	s.equal(config.GetHnswConfig().GetOnDisk(), true)
}

func createDenser(s *Suite) {
	graph := s.config(s.create(&qdrant.CreateCollection{
		VectorsConfig: cosine(768, qdrant.PtrOf(true)),
		HnswConfig: &qdrant.HnswConfigDiff{
			M:           qdrant.PtrOf(uint64(64)),
			EfConstruct: qdrant.PtrOf(uint64(512)),
			OnDisk:      qdrant.PtrOf(true),
		},
	})).GetHnswConfig()
	s.equal([]uint64{graph.GetM(), graph.GetEfConstruct()}, []uint64{64, 512})
	s.equal(graph.GetOnDisk(), true)
}

func createQuantized(s *Suite) {
	config := s.config(s.create(&qdrant.CreateCollection{
		VectorsConfig:      cosine(768, nil),
		QuantizationConfig: scalar(),
	}))
	s.checkVectors(config, false)
	s.checkScalar(config)
}

func queryEf(s *Suite) {
	found, err := s.client.Query(s.ctx, &qdrant.QueryPoints{
		CollectionName: s.searched(),
		Query:          qdrant.NewQuery(0.2, 0.1, 0.9, 0.7),
		Params: &qdrant.SearchParams{
			HnswEf: qdrant.PtrOf(uint64(128)),
			Exact:  qdrant.PtrOf(false),
		},
		Limit: qdrant.PtrOf(uint64(3)),
	})
	s.checkNearest(must(s, found, err))
}

func queryExact(s *Suite) {
	found, err := s.client.Query(s.ctx, &qdrant.QueryPoints{
		CollectionName: s.searched(),
		Query:          qdrant.NewQuery(0.2, 0.1, 0.9, 0.7),
		Params:         &qdrant.SearchParams{Exact: qdrant.PtrOf(true)},
		Limit:          qdrant.PtrOf(uint64(3)),
	})
	s.checkNearest(must(s, found, err))
}

func createSegments(s *Suite, number uint64) {
	config := s.config(s.create(&qdrant.CreateCollection{
		VectorsConfig: cosine(768, nil),
		OptimizersConfig: &qdrant.OptimizersConfigDiff{
			DefaultSegmentNumber: qdrant.PtrOf(number),
		},
	}))
	s.checkVectors(config, false)
	s.equal(config.GetOptimizerConfig().GetDefaultSegmentNumber(), number)
}

func updateCollection(s *Suite) {
	collection := s.collection(cosine(768, nil))
	s.succeed(s.client.UpdateCollection(s.ctx, &qdrant.UpdateCollection{
		CollectionName: collection,
		VectorsConfig:  qdrant.NewVectorsConfigDiff(&qdrant.VectorParamsDiff{OnDisk: qdrant.PtrOf(true)}),
		HnswConfig:     &qdrant.HnswConfigDiff{M: qdrant.PtrOf(uint64(32))},
		OptimizersConfig: &qdrant.OptimizersConfigDiff{
			IndexingThreshold: qdrant.PtrOf(uint64(10000)),
		},
		QuantizationConfig: qdrant.NewQuantizationDiffScalar(&qdrant.ScalarQuantization{
			Type:      qdrant.QuantizationType_Int8,
			AlwaysRam: qdrant.PtrOf(true),
		}),
	}))
	config := s.config(collection)
	s.checkVectors(config, true)
	s.checkScalar(config)
	s.equal(config.GetHnswConfig().GetM(), uint64(32))
	s.equal(config.GetOptimizerConfig().GetIndexingThreshold(), uint64(10000))
}

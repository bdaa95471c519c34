package snippets;

import static io.qdrant.client.PointIdFactory.id;
import static io.qdrant.client.QueryFactory.nearest;
import static io.qdrant.client.VectorsFactory.vectors;
import static snippets.Suite.equal;

import io.qdrant.client.grpc.Collections.CollectionConfig;
import io.qdrant.client.grpc.Collections.CreateCollection;
import io.qdrant.client.grpc.Collections.Distance;
import io.qdrant.client.grpc.Collections.HnswConfigDiff;
import io.qdrant.client.grpc.Collections.OptimizersConfigDiff;
import io.qdrant.client.grpc.Collections.QuantizationConfig;
import io.qdrant.client.grpc.Collections.QuantizationConfigDiff;
import io.qdrant.client.grpc.Collections.QuantizationType;
import io.qdrant.client.grpc.Collections.ScalarQuantization;
import io.qdrant.client.grpc.Collections.UpdateCollection;
import io.qdrant.client.grpc.Collections.VectorParams;
import io.qdrant.client.grpc.Collections.VectorParamsDiff;
import io.qdrant.client.grpc.Collections.VectorsConfig;
import io.qdrant.client.grpc.Collections.VectorsConfigDiff;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.QuantizationSearchParams;
import io.qdrant.client.grpc.Points.QueryPoints;
import io.qdrant.client.grpc.Points.ScoredPoint;
import io.qdrant.client.grpc.Points.SearchParams;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

final class Optimizing {
    private final Suite suite;

    Optimizing(Suite suite) {
        this.suite = suite;
    }

    Map<String, Check> checks() {
        Map<String, Check> checks = new LinkedHashMap<>();
        checks.put("create: vectors on disk, quantized in memory", this::createQuantizedOnDisk);
        checks.put("query: without rescoring", this::queryWithoutRescoring);
        checks.put("create: vectors and graph on disk", this::createOnDisk);
        checks.put("create: a denser graph", this::createDenser);
        checks.put("create: quantized in memory", this::createQuantized);
        checks.put("query: hnsw_ef", this::queryEf);
        checks.put("query: exact", this::queryExact);
        checks.put("create: 16 segments", () -> createSegments(16));
        checks.put("create: 2 segments", () -> createSegments(2));
        checks.put("update a collection", this::updateCollection);
        return checks;
    }

    private CollectionConfig config(String collection) throws Exception {
        return suite.client.getCollectionInfoAsync(collection).get().getConfig();
    }

    private static void checkVectors(CollectionConfig config, boolean onDisk) {
        VectorParams vectors = config.getParams().getVectorsConfig().getParams();
        equal(vectors.getSize(), 768L);
        equal(vectors.getDistance(), Distance.Cosine);
        equal(vectors.getOnDisk(), onDisk);
    }

    private static void checkScalar(CollectionConfig config) {
        ScalarQuantization scalar = config.getQuantizationConfig().getScalar();
        equal(scalar.getType(), QuantizationType.Int8);
        equal(scalar.getAlwaysRam(), true);
    }

    private static VectorsConfig cosine() {
        return VectorsConfig.newBuilder()
            .setParams(
                VectorParams.newBuilder()
                    .setSize(768)
                    .setDistance(Distance.Cosine)
                    .build())
            .build();
    }

    private static VectorsConfig onDisk(int size) {
        return VectorsConfig.newBuilder()
            .setParams(
                VectorParams.newBuilder()
                    .setSize(size)
                    .setDistance(Distance.Cosine)
                    .setOnDisk(true)
                    .build())
            .build();
    }

    private static QuantizationConfig scalar() {
        return QuantizationConfig.newBuilder()
            .setScalar(
                ScalarQuantization.newBuilder()
                    .setType(QuantizationType.Int8)
                    .setAlwaysRam(true)
                    .build())
            .build();
    }

    private void createQuantizedOnDisk() throws Exception {
        CollectionConfig config = config(suite.create(
            CreateCollection.newBuilder()
                .setVectorsConfig(onDisk(768))
                .setQuantizationConfig(scalar())));
        checkVectors(config, true);
        checkScalar(config);
    }

    /** Makes a collection of quantized vectors to search in; the fourth is what the queries ask for. */
    private String searched() throws Exception {
        String collection = suite.create(
            CreateCollection.newBuilder()
                .setVectorsConfig(onDisk(4))
                .setQuantizationConfig(scalar()));
        suite.upsert(
            collection,
            PointStruct.newBuilder().setId(id(1)).setVectors(vectors(1f, 0f, 0f, 0f)).build(),
            PointStruct.newBuilder().setId(id(2)).setVectors(vectors(0f, 1f, 0f, 0f)).build(),
            PointStruct.newBuilder().setId(id(3)).setVectors(vectors(0f, 0f, 1f, 0f)).build(),
            PointStruct.newBuilder().setId(id(4)).setVectors(vectors(0.2f, 0.1f, 0.9f, 0.7f)).build());
        return collection;
    }

    private static void checkNearest(List<ScoredPoint> found) {
        equal(found.stream().map(point -> point.getId().getNum()).toList(), List.of(4L, 3L, 1L));
        equal(found.get(0).getScore() > 0.98 && found.get(0).getScore() < 1.02, true);
    }

    private void queryWithoutRescoring() throws Exception {
        checkNearest(suite.client.queryAsync(
                QueryPoints.newBuilder()
                        .setCollectionName(searched())
                        .setQuery(nearest(0.2f, 0.1f, 0.9f, 0.7f))
                        .setParams(
                                SearchParams.newBuilder()
                                        .setQuantization(
                                                QuantizationSearchParams.newBuilder().setRescore(false).build())
                                        .build())
                        .setLimit(3)
                        .build())
                .get());
    }

    private void createOnDisk() throws Exception {
        CollectionConfig config = config(suite.create(
            CreateCollection.newBuilder()
                .setVectorsConfig(onDisk(768))
                .setHnswConfig(HnswConfigDiff.newBuilder().setOnDisk(true).build())));
        checkVectors(config, true);
        equal(config.getHnswConfig().getOnDisk(), true);
    }

    private void createDenser() throws Exception {
        CollectionConfig config = config(suite.create(
            CreateCollection.newBuilder()
                .setVectorsConfig(onDisk(768))
                .setHnswConfig(
                    HnswConfigDiff.newBuilder().setM(64).setEfConstruct(512).setOnDisk(true).build())));
        equal(config.getHnswConfig().getM(), 64L);
        equal(config.getHnswConfig().getEfConstruct(), 512L);
        equal(config.getHnswConfig().getOnDisk(), true);
    }

    private void createQuantized() throws Exception {
        CollectionConfig config = config(suite.create(
            CreateCollection.newBuilder()
                .setVectorsConfig(cosine())
                .setQuantizationConfig(scalar())));
        checkVectors(config, false);
        checkScalar(config);
    }

    private void queryEf() throws Exception {
        checkNearest(suite.client.queryAsync(
                QueryPoints.newBuilder()
                        .setCollectionName(searched())
                        .setQuery(nearest(0.2f, 0.1f, 0.9f, 0.7f))
                        .setParams(SearchParams.newBuilder().setHnswEf(128).setExact(false).build())
                        .setLimit(3)
                        .build())
                .get());
    }

    private void queryExact() throws Exception {
        checkNearest(suite.client.queryAsync(
                QueryPoints.newBuilder()
                        .setCollectionName(searched())
                        .setQuery(nearest(0.2f, 0.1f, 0.9f, 0.7f))
                        .setParams(SearchParams.newBuilder().setExact(true).build())
                        .setLimit(3)
                        .build())
                .get());
    }

    private void createSegments(int number) throws Exception {
        CollectionConfig config = config(suite.create(
            CreateCollection.newBuilder()
                .setVectorsConfig(cosine())
                .setOptimizersConfig(
                    OptimizersConfigDiff.newBuilder().setDefaultSegmentNumber(number).build())));
        checkVectors(config, false);
        equal(config.getOptimizerConfig().getDefaultSegmentNumber(), (long) number);
    }

    private void updateCollection() throws Exception {
        String collection = suite.create(CreateCollection.newBuilder().setVectorsConfig(cosine()));
        suite.client
            .updateCollectionAsync(
                UpdateCollection.newBuilder()
                    .setCollectionName(collection)
                    .setVectorsConfig(
                        VectorsConfigDiff.newBuilder()
                            .setParams(VectorParamsDiff.newBuilder().setOnDisk(true)))
                    .setHnswConfig(HnswConfigDiff.newBuilder().setM(32))
                    .setOptimizersConfig(OptimizersConfigDiff.newBuilder().setIndexingThreshold(10000))
                    .setQuantizationConfig(QuantizationConfigDiff.newBuilder().setScalar(scalar().getScalar()))
                    .build())
            .get();
        CollectionConfig config = config(collection);
        checkVectors(config, true);
        checkScalar(config);
        equal(config.getHnswConfig().getM(), 32L);
        equal(config.getOptimizerConfig().getIndexingThreshold(), 10000L);
    }
}

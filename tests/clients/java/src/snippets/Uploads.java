package snippets;

import static io.qdrant.client.ConditionFactory.matchKeyword;
import static io.qdrant.client.PointIdFactory.id;
import static io.qdrant.client.QueryFactory.nearest;
import static io.qdrant.client.QueryFactory.nearestMultiVector;
import static io.qdrant.client.ValueFactory.list;
import static io.qdrant.client.ValueFactory.nullValue;
import static io.qdrant.client.ValueFactory.value;
import static io.qdrant.client.VectorFactory.multiVector;
import static io.qdrant.client.VectorFactory.vector;
import static io.qdrant.client.VectorsFactory.namedVectors;
import static io.qdrant.client.VectorsFactory.vectors;
import static snippets.Suite.dense;
import static snippets.Suite.equal;
import static snippets.Suite.floats;
import static snippets.Suite.params;

import io.qdrant.client.VectorOutputHelper;
import io.qdrant.client.grpc.Collections.CreateCollection;
import io.qdrant.client.grpc.Collections.MultiVectorComparator;
import io.qdrant.client.grpc.Collections.MultiVectorConfig;
import io.qdrant.client.grpc.Collections.SparseVectorConfig;
import io.qdrant.client.grpc.Collections.SparseVectorParams;
import io.qdrant.client.grpc.Common.Filter;
import io.qdrant.client.grpc.JsonWithInt.Value;
import io.qdrant.client.grpc.Points.DenseVector;
import io.qdrant.client.grpc.Points.NamedVectors;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.QueryPoints;
import io.qdrant.client.grpc.Points.RetrievedPoint;
import io.qdrant.client.grpc.Points.ScoredPoint;
import io.qdrant.client.grpc.Points.SparseVector;
import io.qdrant.client.grpc.Points.UpdateMode;
import io.qdrant.client.grpc.Points.UpsertPoints;
import io.qdrant.client.grpc.Points.Vectors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

final class Uploads {
    private static final UUID UNIQUE = UUID.fromString("5c56c793-69f3-4fbf-87e6-c4bf54c28c26");

    private final Suite suite;

    Uploads(Suite suite) {
        this.suite = suite;
    }

    Map<String, Check> checks() {
        Map<String, Check> checks = new LinkedHashMap<>();
        checks.put("upsert: a UUID as id", this::unique);
        checks.put("upsert: a number as id", this::number);
        checks.put("upsert: several points", this::several);
        checks.put("upsert: named vectors", this::named);
        checks.put("upsert: a point anew, with one of its vectors", this::oneOfTwo);
        checks.put("upsert: sparse vectors", this::sparse);
        checks.put("upsert: multivectors", this::multi);
        checks.put("upsert: payload of every type", this::payload);
        checks.put("upsert: where a filter passes", this::conditionally);
        checks.put("upsert: only what is new", this::onlyNew);
        return checks;
    }

    private void unique() throws Exception {
        String collection = suite.create(params(4));
        suite.client
            .upsertAsync(
                collection,
                List.of(
                    PointStruct.newBuilder()
                        .setId(id(UNIQUE))
                        .setVectors(vectors(0.05f, 0.61f, 0.76f, 0.74f))
                        .putAllPayload(Map.of("color", value("Red")))
                        .build()))
            .get();
        RetrievedPoint found = suite.point(collection, id(UNIQUE));
        equal(found.getId().getUuid(), UNIQUE.toString());
        equal(dense(found), floats(0.05, 0.61, 0.76, 0.74));
        equal(found.getPayloadMap(), Map.of("color", value("Red")));
    }

    private void number() throws Exception {
        String collection = suite.create(params(4));
        suite.client
            .upsertAsync(
                collection,
                List.of(
                    PointStruct.newBuilder()
                        .setId(id(1))
                        .setVectors(vectors(0.05f, 0.61f, 0.76f, 0.74f))
                        .putAllPayload(Map.of("color", value("Red")))
                        .build()))
            .get();
        RetrievedPoint found = suite.point(collection, 1);
        equal(found.getId().getNum(), 1L);
        equal(dense(found), floats(0.05, 0.61, 0.76, 0.74));
        equal(found.getPayloadMap(), Map.of("color", value("Red")));
    }

    private void several() throws Exception {
        String collection = suite.colors();
        equal(suite.client.countAsync(collection).get(), 3L);
        equal(dense(suite.point(collection, 1)), floats(0.9, 0.1, 0.1));
        equal(dense(suite.point(collection, 2)), floats(0.1, 0.9, 0.1));
        equal(dense(suite.point(collection, 3)), floats(0.1, 0.1, 0.9));
        equal(suite.point(collection, 1).getPayloadMap(), Map.of("color", value("red")));
        equal(suite.point(collection, 2).getPayloadMap(), Map.of("color", value("green")));
        equal(suite.point(collection, 3).getPayloadMap(), Map.of("color", value("blue")));
    }

    private void named() throws Exception {
        String collection = suite.pictures();
        RetrievedPoint first = suite.point(collection, 1);
        RetrievedPoint second = suite.point(collection, 2);
        equal(dense(first, "image"), floats(0.9, 0.1, 0.1, 0.2));
        equal(dense(first, "text"), floats(0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2));
        equal(dense(second, "image"), floats(0.2, 0.1, 0.3, 0.9));
        equal(dense(second, "text"), floats(0.5, 0.2, 0.7, 0.4, 0.7, 0.2, 0.3, 0.9));
    }

    private void oneOfTwo() throws Exception {
        String collection = suite.pictures();
        suite.upsert(
            collection,
            PointStruct.newBuilder()
                .setId(id(1))
                .setVectors(namedVectors(Map.of("image", vector(0.5f, 0.5f, 0.5f, 0.5f))))
                .build());
        RetrievedPoint found = suite.point(collection, 1);
        equal(dense(found, "image"), floats(0.5, 0.5, 0.5, 0.5));
        equal(found.getVectors().getVectors().getVectorsCount(), 1);
    }

    private void sparse() throws Exception {
        String collection = suite.create(CreateCollection.newBuilder()
            .setSparseVectorsConfig(
                SparseVectorConfig.newBuilder().putMap("text", SparseVectorParams.getDefaultInstance())));
        suite.client
            .upsertAsync(
                collection,
                List.of(
                    PointStruct.newBuilder()
                        .setId(id(1))
                        .setVectors(
                            Vectors.newBuilder()
                                .setVectors(
                                    NamedVectors.newBuilder()
                                        .putAllVectors(
                                            Map.of(
                                                "text", vector(List.of(1.0f, 2.0f), List.of(6, 7))))
                                        .build())
                                .build())
                        .build(),
                    PointStruct.newBuilder()
                        .setId(id(2))
                        .setVectors(
                            Vectors.newBuilder()
                                .setVectors(
                                    NamedVectors.newBuilder()
                                        .putAllVectors(
                                            Map.of(
                                                "text",
                                                vector(
                                                    List.of(0.1f, 0.2f, 0.3f, 0.4f, 0.5f),
                                                    List.of(1, 2, 3, 4, 5))))
                                        .build())
                                .build())
                        .build()))
            .get();
        SparseVector first = VectorOutputHelper.getSparseVector(
            suite.point(collection, 1).getVectors().getVectors().getVectorsMap().get("text"));
        equal(first.getIndicesList(), List.of(6, 7));
        equal(first.getValuesList(), floats(1.0, 2.0));
        List<ScoredPoint> found = suite.client
            .queryAsync(
                QueryPoints.newBuilder()
                    .setCollectionName(collection)
                    .setQuery(nearest(List.of(2.0f, 0.25f), List.of(5, 6)))
                    .setUsing("text")
                    .build())
            .get();
        equal(found.stream().map(point -> point.getId().getNum()).toList(), List.of(2L, 1L));
        equal(found.stream().map(ScoredPoint::getScore).toList(), floats(1.0, 0.25));
    }

    private void multi() throws Exception {
        String collection = suite.create(params(3).toBuilder()
            .setMultivectorConfig(MultiVectorConfig.newBuilder().setComparator(MultiVectorComparator.MaxSim))
            .build());
        suite.upsert(
            collection,
            PointStruct.newBuilder()
                .setId(id(1))
                .setVectors(vectors(multiVector(List.of(floats(1, 0, 0), floats(0, 1, 0)))))
                .build(),
            PointStruct.newBuilder()
                .setId(id(2))
                .setVectors(vectors(multiVector(List.of(floats(0, 0, 1)))))
                .build());
        List<DenseVector> rows = VectorOutputHelper.getMultiVector(
            suite.point(collection, 1).getVectors().getVector()).getVectorsList();
        equal(rows.stream().map(DenseVector::getDataList).toList(), List.of(floats(1, 0, 0), floats(0, 1, 0)));
        ScoredPoint found = suite.client
            .queryAsync(
                QueryPoints.newBuilder()
                    .setCollectionName(collection)
                    .setQuery(nearestMultiVector(List.of(floats(1, 0, 0), floats(0, 0.5, 0))))
                    .build())
            .get()
            .get(0);
        equal(found.getId().getNum(), 1L);
        equal(found.getScore(), 1.5f);
    }

    private void payload() throws Exception {
        String collection = suite.create(params(3));
        Map<String, Value> payload = Map.of(
            "string", value("value"),
            "integer", value(-7),
            "float", value(0.25),
            "bool", value(true),
            "null", nullValue(),
            "list", list(List.of(value("a"), value(1), value(false))),
            "object", value(Map.of("nested", value(Map.of("key", value("inner"))))));
        suite.upsert(
            collection,
            PointStruct.newBuilder()
                .setId(id(1))
                .setVectors(vectors(0.9f, 0.1f, 0.1f))
                .putAllPayload(payload)
                .build());
        equal(suite.point(collection, 1).getPayloadMap(), payload);
    }

    private void conditionally() throws Exception {
        String collection = suite.colors();
        Map<String, String> wanted = new LinkedHashMap<>();
        wanted.put("yellow", "red");
        wanted.put("red", "after red");
        for (Map.Entry<String, String> one : wanted.entrySet()) {
            suite.client
                .upsertAsync(
                    UpsertPoints.newBuilder()
                        .setCollectionName(collection)
                        .setWait(true)
                        .setUpdateFilter(Filter.newBuilder().addMust(matchKeyword("color", one.getKey())))
                        .addPoints(
                            PointStruct.newBuilder()
                                .setId(id(1))
                                .setVectors(vectors(0.5f, 0.5f, 0.5f))
                                .putAllPayload(Map.of("color", value("after " + one.getKey()))))
                        .build())
                .get();
            equal(suite.point(collection, 1).getPayloadMap(), Map.of("color", value(one.getValue())));
        }
        equal(dense(suite.point(collection, 1)), floats(0.5, 0.5, 0.5));
    }

    private void onlyNew() throws Exception {
        String collection = suite.colors();
        suite.client
            .upsertAsync(
                UpsertPoints.newBuilder()
                    .setCollectionName(collection)
                    .setWait(true)
                    .setUpdateMode(UpdateMode.InsertOnly)
                    .addPoints(PointStruct.newBuilder().setId(id(3)).setVectors(vectors(0.5f, 0.5f, 0.5f)))
                    .addPoints(PointStruct.newBuilder().setId(id(4)).setVectors(vectors(0.5f, 0.5f, 0.5f)))
                    .build())
            .get();
        equal(dense(suite.point(collection, 3)), floats(0.1, 0.1, 0.9));
        equal(dense(suite.point(collection, 4)), floats(0.5, 0.5, 0.5));
    }
}

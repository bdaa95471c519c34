package snippets;

import static io.qdrant.client.ConditionFactory.matchKeyword;
import static io.qdrant.client.PointIdFactory.id;
import static io.qdrant.client.ValueFactory.value;
import static io.qdrant.client.VectorFactory.vector;
import static io.qdrant.client.VectorsFactory.namedVectors;
import static io.qdrant.client.VectorsFactory.vectors;
import static snippets.Suite.dense;
import static snippets.Suite.equal;
import static snippets.Suite.floats;
import static snippets.Suite.params;

import io.qdrant.client.grpc.Common.Filter;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.PointVectors;
import io.qdrant.client.grpc.Points.PointsUpdateOperation;
import io.qdrant.client.grpc.Points.RetrievedPoint;
import io.qdrant.client.grpc.Points.UpdateResult;
import io.qdrant.client.grpc.Points.UpdateStatus;
import io.qdrant.client.grpc.Points.UpsertPoints;
import io.qdrant.client.grpc.Points.SetPayloadPoints;
import io.qdrant.client.grpc.Points.PointsSelector;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

final class Changes {
    private final Suite suite;

    Changes(Suite suite) {
        this.suite = suite;
    }

    Map<String, Check> checks() {
        Map<String, Check> checks = new LinkedHashMap<>();
        checks.put("update vectors", this::updateVectors);
        checks.put("delete vectors", this::deleteVectors);
        checks.put("payload: set", this::setPayload);
        checks.put("payload: overwrite", this::overwritePayload);
        checks.put("payload: delete keys", this::deletePayload);
        checks.put("payload: clear", this::clearPayload);
        checks.put("delete: ids", this::deleteIds);
        checks.put("delete: a filter", this::deleteFilter);
        checks.put("batch update: until the payload is changed", this::batchChanges);
        checks.put("batch update: every operation", this::batchEverything);
        checks.put("awaiting the result, and not", this::awaiting);
        return checks;
    }

    private static Filter color(String name) {
        return Filter.newBuilder().addMust(matchKeyword("color", name)).build();
    }

    private void updateVectors() throws Exception {
        String collection = suite.pictures();
        suite.client
            .updateVectorsAsync(
                collection,
                List.of(
                    PointVectors.newBuilder()
                        .setId(id(1))
                        .setVectors(namedVectors(Map.of("image", vector(List.of(0.1f, 0.2f, 0.3f, 0.4f)))))
                        .build(),
                    PointVectors.newBuilder()
                        .setId(id(2))
                        .setVectors(
                            namedVectors(
                                Map.of(
                                    "text", vector(List.of(0.9f, 0.8f, 0.7f, 0.6f, 0.5f, 0.4f, 0.3f, 0.2f)))))
                        .build()))
            .get();
        RetrievedPoint first = suite.point(collection, 1);
        RetrievedPoint second = suite.point(collection, 2);
        equal(dense(first, "image"), floats(0.1, 0.2, 0.3, 0.4));
        equal(dense(first, "text"), floats(0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2));
        equal(dense(second, "image"), floats(0.2, 0.1, 0.3, 0.9));
        equal(dense(second, "text"), floats(0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2));
    }

    private void deleteVectors() throws Exception {
        String collection = suite.createNamed();
        for (long number : List.of(0L, 3L, 10L)) {
            suite.upsert(
                collection,
                PointStruct.newBuilder()
                    .setId(id(number))
                    .setVectors(namedVectors(Map.of("image", vector(0.9f, 0.1f, 0.1f, 0.2f))))
                    .build());
        }
        suite.client
            .deleteVectorsAsync(
                collection, List.of("text", "image"), List.of(id(0), id(3), id(10)))
            .get();
        for (long number : List.of(0L, 3L, 10L)) {
            RetrievedPoint found = suite.point(collection, number);
            equal(found.getId().getNum(), number);
            equal(found.getVectors().getVectors().getVectorsCount(), 0);
        }
    }

    private void setPayload() throws Exception {
        String collection = suite.colors();
        suite.client
            .setPayloadAsync(
                collection, Map.of("property1", value("string")), List.of(id(1), id(3)), true, null, null)
            .get();
        equal(
            suite.point(collection, 1).getPayloadMap(),
            Map.of("color", value("red"), "property1", value("string")));
        equal(suite.point(collection, 2).getPayloadMap(), Map.of("color", value("green")));
        suite.client
            .setPayloadAsync(
                SetPayloadPoints.newBuilder()
                    .setCollectionName(collection)
                    .setWait(true)
                    .putAllPayload(Map.of("inner", value(1)))
                    .setKey("nested")
                    .setPointsSelector(PointsSelector.newBuilder().setFilter(color("green")))
                    .build(),
                null)
            .get();
        equal(
            suite.point(collection, 2).getPayloadMap(),
            Map.of("color", value("green"), "nested", value(Map.of("inner", value(1)))));
    }

    private void overwritePayload() throws Exception {
        String collection = suite.colors();
        suite.client
            .overwritePayloadAsync(collection, Map.of("property1", value("string")), id(1), true, null, null)
            .get();
        equal(suite.point(collection, 1).getPayloadMap(), Map.of("property1", value("string")));
    }

    private void deletePayload() throws Exception {
        String collection = suite.colors();
        suite.client
            .deletePayloadAsync(collection, List.of("color", "price"), id(1), true, null, null)
            .get();
        equal(suite.point(collection, 1).getPayloadMap(), Map.of());
        equal(suite.point(collection, 2).getPayloadMap(), Map.of("color", value("green")));
    }

    private void clearPayload() throws Exception {
        String collection = suite.colors();
        suite.client.clearPayloadAsync(collection, color("red"), true, null, null).get();
        equal(suite.point(collection, 1).getPayloadMap(), Map.of());
        equal(suite.point(collection, 2).getPayloadMap(), Map.of("color", value("green")));
    }

    private void deleteIds() throws Exception {
        String collection = suite.colors();
        suite.client.deleteAsync(collection, List.of(id(0), id(3), id(100))).get();
        equal(suite.remaining(collection), List.of(1L, 2L));
    }

    private void deleteFilter() throws Exception {
        String collection = suite.colors();
        suite.client
            .deleteAsync(
                collection,
                Filter.newBuilder().addMust(matchKeyword("color", "red")).build())
            .get();
        equal(suite.remaining(collection), List.of(2L, 3L));
    }

    private void batch(String collection, List<PointsUpdateOperation> operations) throws Exception {
        List<UpdateResult> done = suite.client.batchUpdateAsync(collection, operations).get();
        equal(
            done.stream().map(UpdateResult::getStatus).toList(),
            Collections.nCopies(operations.size(), UpdateStatus.Completed));
    }

    private void batchChanges() throws Exception {
        String collection = suite.create(params(4));
        batch(collection, Batches.OPERATIONS.subList(0, 6));
        RetrievedPoint found = suite.point(collection, 1);
        equal(found.getPayloadMap(), Map.of("test_payload", value(1), "test_payload_3", value(3)));
        equal(found.getVectors().hasVector(), false);
    }

    private void batchEverything() throws Exception {
        String collection = suite.create(params(4));
        batch(collection, Batches.OPERATIONS);
        equal(suite.remaining(collection), List.of());
    }

    private void awaiting() throws Exception {
        String collection = suite.create(params(3));
        suite.upsert(
            collection,
            PointStruct.newBuilder().setId(id(1)).setVectors(vectors(0.9f, 0.1f, 0.1f)).build());
        equal(suite.remaining(collection), List.of(1L));
        UpdateResult done = suite.client
            .upsertAsync(
                UpsertPoints.newBuilder()
                    .setCollectionName(collection)
                    .setWait(false)
                    .addPoints(PointStruct.newBuilder().setId(id(2)).setVectors(vectors(0.1f, 0.9f, 0.1f)))
                    .build())
            .get();
        equal(done.getStatus(), UpdateStatus.Acknowledged);
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (suite.point(collection, 2) == null) {
            equal(System.nanoTime() < deadline, true);
            Thread.sleep(10);
        }
    }
}

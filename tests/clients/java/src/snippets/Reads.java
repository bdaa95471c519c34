package snippets;

import static io.qdrant.client.ConditionFactory.matchKeyword;
import static io.qdrant.client.PointIdFactory.id;
import static io.qdrant.client.ValueFactory.value;
import static io.qdrant.client.VectorFactory.vector;
import static io.qdrant.client.VectorsFactory.namedVectors;
import static io.qdrant.client.VectorsFactory.vectors;
import static io.qdrant.client.WithPayloadSelectorFactory.enable;
import static io.qdrant.client.WithPayloadSelectorFactory.exclude;
import static io.qdrant.client.WithPayloadSelectorFactory.include;
import static snippets.Suite.dense;
import static snippets.Suite.equal;
import static snippets.Suite.floats;
import static snippets.Suite.params;

import io.qdrant.client.WithVectorsSelectorFactory;
import io.qdrant.client.grpc.Collections.PayloadSchemaType;
import io.qdrant.client.grpc.Common.Filter;
import io.qdrant.client.grpc.Points.Direction;
import io.qdrant.client.grpc.Points.OrderBy;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.RetrievedPoint;
import io.qdrant.client.grpc.Points.ScrollPoints;
import io.qdrant.client.grpc.Points.ScrollResponse;
import io.qdrant.client.grpc.Points.StartFrom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

final class Reads {
    private final Suite suite;

    Reads(Suite suite) {
        this.suite = suite;
    }

    Map<String, Check> checks() {
        Map<String, Check> checks = new LinkedHashMap<>();
        checks.put("retrieve: ids", this::retrieve);
        checks.put("retrieve: parts of a point", this::retrieveParts);
        checks.put("scroll: a filter, page by page", this::scrollPages);
        checks.put("scroll: in the order of a key", this::scrollOrdered);
        checks.put("scroll: descending, from a value", this::scrollFrom);
        checks.put("count: a filter", this::count);
        return checks;
    }

    private void retrieve() throws Exception {
        List<RetrievedPoint> found = suite.client
            .retrieveAsync(suite.colors(), List.of(id(0), id(3), id(100)), false, false, null)
            .get();
        equal(Suite.ids(found), List.of(3L));
        equal(found.get(0).getPayloadMap(), Map.of());
        equal(found.get(0).hasVectors(), false);
    }

    private void retrieveParts() throws Exception {
        String collection = suite.createNamed();
        suite.upsert(
            collection,
            PointStruct.newBuilder()
                .setId(id(1))
                .setVectors(
                    namedVectors(
                        Map.of(
                            "image",
                            vector(0.9f, 0.1f, 0.1f, 0.2f),
                            "text",
                            vector(0.4f, 0.7f, 0.1f, 0.8f, 0.1f, 0.1f, 0.9f, 0.2f))))
                .putAllPayload(Map.of("color", value("red"), "city", value("Berlin"), "price", value(12)))
                .build());
        RetrievedPoint some = suite.client
            .retrieveAsync(
                collection,
                List.of(id(1)),
                include(List.of("color", "city")),
                WithVectorsSelectorFactory.include(List.of("image")),
                null)
            .get()
            .get(0);
        equal(some.getPayloadMap(), Map.of("color", value("red"), "city", value("Berlin")));
        equal(dense(some, "image"), floats(0.9, 0.1, 0.1, 0.2));
        equal(some.getVectors().getVectors().getVectorsCount(), 1);
        RetrievedPoint others = suite.client
            .retrieveAsync(
                collection,
                List.of(id(1)),
                exclude(List.of("color", "city")),
                WithVectorsSelectorFactory.enable(false),
                null)
            .get()
            .get(0);
        equal(others.getPayloadMap(), Map.of("price", value(12)));
        equal(others.hasVectors(), false);
    }

    /** Makes a collection of points with a color and a timestamp, which is indexed. */
    private String dated() throws Exception {
        String collection = suite.create(params(3));
        List<Integer> stamps = List.of(300, 100, 123, 200, 50);
        List<String> colors = List.of("red", "green", "red", "blue", "red");
        for (int i = 0; i < colors.size(); i++) {
            suite.upsert(
                collection,
                PointStruct.newBuilder()
                    .setId(id(i))
                    .setVectors(vectors(0.9f, 0.1f, 0.1f))
                    .putAllPayload(Map.of("color", value(colors.get(i)), "timestamp", value(stamps.get(i))))
                    .build());
        }
        suite.client
            .createPayloadIndexAsync(
                collection, "timestamp", PayloadSchemaType.Integer, null, true, null, null)
            .get();
        return collection;
    }

    private void scrollPages() throws Exception {
        String collection = dated();
        List<Long> seen = new ArrayList<>();
        ScrollPoints.Builder request = ScrollPoints.newBuilder()
            .setCollectionName(collection)
            .setFilter(Filter.newBuilder().addMust(matchKeyword("color", "red")).build())
            .setLimit(1)
            .setWithPayload(enable(true));
        ScrollResponse page;
        do {
            page = suite.client.scrollAsync(request.build()).get();
            equal(page.getResultCount(), 1);
            equal(page.getResult(0).getPayloadMap().get("color"), value("red"));
            equal(page.getResult(0).hasVectors(), false);
            seen.add(page.getResult(0).getId().getNum());
            request.setOffset(page.getNextPageOffset());
        } while (page.hasNextPageOffset());
        equal(seen, List.of(0L, 2L, 4L));
    }

    private void scrollOrdered() throws Exception {
        List<RetrievedPoint> found = suite.client.scrollAsync(ScrollPoints.newBuilder()
          .setCollectionName(dated())
          .setLimit(15)
          .setOrderBy(OrderBy.newBuilder().setKey("timestamp").build())
          .build()).get().getResultList();
        equal(Suite.ids(found), List.of(4L, 1L, 2L, 3L, 0L));
        equal(found.get(0).getOrderValue().getInt(), 50L);
    }

    private void scrollFrom() throws Exception {
        List<RetrievedPoint> found = suite.client.scrollAsync(ScrollPoints.newBuilder()
          .setCollectionName(dated())
          .setLimit(15)
          .setOrderBy(OrderBy.newBuilder()
            .setKey("timestamp")
            .setDirection(Direction.Desc)
            .setStartFrom(StartFrom.newBuilder()
              .setInteger(123)
              .build())
            .build())
          .build()).get().getResultList();
        equal(Suite.ids(found), List.of(2L, 1L, 4L));
    }

    private void count() throws Exception {
        long found = suite.client
            .countAsync(
                dated(),
                Filter.newBuilder().addMust(matchKeyword("color", "red")).build(),
                true)
            .get();
        equal(found, 3L);
    }
}

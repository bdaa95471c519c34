package snippets;

import static io.qdrant.client.PointIdFactory.id;
import static io.qdrant.client.ValueFactory.value;
import static io.qdrant.client.VectorFactory.vector;
import static io.qdrant.client.VectorsFactory.namedVectors;
import static io.qdrant.client.VectorsFactory.vectors;

import io.qdrant.client.QdrantClient;
import io.qdrant.client.VectorOutputHelper;
import io.qdrant.client.grpc.Collections.CreateCollection;
import io.qdrant.client.grpc.Collections.Distance;
import io.qdrant.client.grpc.Collections.VectorParams;
import io.qdrant.client.grpc.Collections.VectorParamsMap;
import io.qdrant.client.grpc.Collections.VectorsConfig;
import io.qdrant.client.grpc.Common.PointId;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.RetrievedPoint;
import io.qdrant.client.grpc.Points.ScrollPoints;
import io.qdrant.client.grpc.Points.UpdateResult;
import io.qdrant.client.grpc.Points.UpdateStatus;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What the checks share: a client, and collections to work on. */
final class Suite {
    private static final String COLLECTION = "java-snippets";

    final QdrantClient client;

    Suite(QdrantClient client) {
        this.client = client;
    }

    static void equal(Object got, Object wanted) {
        if (!Objects.equals(got, wanted)) {
            throw new AssertionError("got " + got + ", wanted " + wanted);
        }
    }

    static VectorParams params(int size) {
        return VectorParams.newBuilder().setSize(size).setDistance(Distance.Dot).build();
    }

    /** Makes an empty collection, in the place of the one before it. */
    String create(CreateCollection.Builder config) throws Exception {
        if (client.collectionExistsAsync(COLLECTION).get()) {
            client.deleteCollectionAsync(COLLECTION).get();
        }
        client.createCollectionAsync(config.setCollectionName(COLLECTION).build()).get();
        return COLLECTION;
    }

    String create(VectorParams params) throws Exception {
        return create(CreateCollection.newBuilder().setVectorsConfig(VectorsConfig.newBuilder().setParams(params)));
    }

    String createNamed() throws Exception {
        VectorParamsMap.Builder params = VectorParamsMap.newBuilder()
                .putMap("image", params(4))
                .putMap("text", params(8));
        return create(CreateCollection.newBuilder().setVectorsConfig(VectorsConfig.newBuilder().setParamsMap(params)));
    }

    /** Sends points and waits until they are there. */
    void upsert(String collection, PointStruct... points) throws Exception {
        UpdateResult done = client.upsertAsync(collection, List.of(points)).get();
        equal(done.getStatus(), UpdateStatus.Completed);
    }

    /** Makes a collection of three points: red, green and blue. */
    String colors() throws Exception {
        String collection = create(params(3));
        client
            .upsertAsync(
                collection,
                List.of(
                    PointStruct.newBuilder()
                        .setId(id(1))
                        .setVectors(vectors(0.9f, 0.1f, 0.1f))
                        .putAllPayload(Map.of("color", value("red")))
                        .build(),
                    PointStruct.newBuilder()
                        .setId(id(2))
                        .setVectors(vectors(0.1f, 0.9f, 0.1f))
                        .putAllPayload(Map.of("color", value("green")))
                        .build(),
                    PointStruct.newBuilder()
                        .setId(id(3))
                        .setVectors(vectors(0.1f, 0.1f, 0.9f))
                        .putAllPayload(Map.of("color", value("blue")))
                        .build()))
            .get();
        return collection;
    }

    /** Makes a collection of two points with two vectors each. */
    String pictures() throws Exception {
        String collection = createNamed();
        client
            .upsertAsync(
                collection,
                List.of(
                    PointStruct.newBuilder()
                        .setId(id(1))
                        .setVectors(
                            namedVectors(
                                Map.of(
                                    "image",
                                    vector(List.of(0.9f, 0.1f, 0.1f, 0.2f)),
                                    "text",
                                    vector(List.of(0.4f, 0.7f, 0.1f, 0.8f, 0.1f, 0.1f, 0.9f, 0.2f)))))
                        .build(),
                    PointStruct.newBuilder()
                        .setId(id(2))
                        .setVectors(
                            namedVectors(
                                Map.of(
                                    "image",
                                    vector(List.of(0.2f, 0.1f, 0.3f, 0.9f)),
                                    "text",
                                    vector(List.of(0.5f, 0.2f, 0.7f, 0.4f, 0.7f, 0.2f, 0.3f, 0.9f)))))
                        .build()))
            .get();
        return collection;
    }

    /** Reads one point back whole; null if there is none. */
    RetrievedPoint point(String collection, PointId id) throws Exception {
        List<RetrievedPoint> found = client.retrieveAsync(collection, List.of(id), true, true, null).get();
        return found.isEmpty() ? null : found.get(0);
    }

    RetrievedPoint point(String collection, long number) throws Exception {
        return point(collection, id(number));
    }

    /** Which points there are. */
    List<Long> remaining(String collection) throws Exception {
        return ids(client.scrollAsync(ScrollPoints.newBuilder().setCollectionName(collection).build())
                .get()
                .getResultList());
    }

    static List<Long> ids(List<RetrievedPoint> points) {
        return points.stream().map(point -> point.getId().getNum()).toList();
    }

    static List<Float> dense(RetrievedPoint point) {
        return VectorOutputHelper.getDenseVector(point.getVectors().getVector()).getDataList();
    }

    static List<Float> dense(RetrievedPoint point, String name) {
        return VectorOutputHelper.getDenseVector(point.getVectors().getVectors().getVectorsMap().get(name))
                .getDataList();
    }

    static List<Float> floats(double... values) {
        return Arrays.stream(values).mapToObj(value -> (float) value).toList();
    }
}

package snippets;

import static io.qdrant.client.PointIdFactory.id;
import static io.qdrant.client.ValueFactory.value;
import static io.qdrant.client.VectorsFactory.vectors;

import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.PointVectors;
import io.qdrant.client.grpc.Points.PointsIdsList;
import io.qdrant.client.grpc.Points.PointsSelector;
import io.qdrant.client.grpc.Points.PointsUpdateOperation;
import io.qdrant.client.grpc.Points.PointsUpdateOperation.ClearPayload;
import io.qdrant.client.grpc.Points.PointsUpdateOperation.DeletePayload;
import io.qdrant.client.grpc.Points.PointsUpdateOperation.DeletePoints;
import io.qdrant.client.grpc.Points.PointsUpdateOperation.DeleteVectors;
import io.qdrant.client.grpc.Points.PointsUpdateOperation.OverwritePayload;
import io.qdrant.client.grpc.Points.PointsUpdateOperation.PointStructList;
import io.qdrant.client.grpc.Points.PointsUpdateOperation.SetPayload;
import io.qdrant.client.grpc.Points.PointsUpdateOperation.UpdateVectors;
import io.qdrant.client.grpc.Points.VectorsSelector;
import java.util.List;
import java.util.Map;

/** The operations of the documentation's batch, in its order. */
final class Batches {
    private static final PointsSelector ONE = PointsSelector.newBuilder()
        .setPoints(PointsIdsList.newBuilder().addIds(id(1)).build())
        .build();

    static final List<PointsUpdateOperation> OPERATIONS = List.of(
        PointsUpdateOperation.newBuilder()
            .setUpsert(
                PointStructList.newBuilder()
                    .addPoints(
                        PointStruct.newBuilder()
                            .setId(id(1))
                            .setVectors(vectors(1.0f, 2.0f, 3.0f, 4.0f))
                            .build())
                    .build())
            .build(),
        PointsUpdateOperation.newBuilder()
            .setUpdateVectors(
                UpdateVectors.newBuilder()
                    .addPoints(
                        PointVectors.newBuilder()
                            .setId(id(1))
                            .setVectors(vectors(1.0f, 2.0f, 3.0f, 4.0f))
                            .build())
                    .build())
            .build(),
        PointsUpdateOperation.newBuilder()
            .setDeleteVectors(
                DeleteVectors.newBuilder()
                    .setPointsSelector(ONE)
                    .setVectors(VectorsSelector.newBuilder().addNames("").build())
                    .build())
            .build(),
        PointsUpdateOperation.newBuilder()
            .setOverwritePayload(
                OverwritePayload.newBuilder()
                    .setPointsSelector(ONE)
                    .putAllPayload(Map.of("test_payload", value(1)))
                    .build())
            .build(),
        PointsUpdateOperation.newBuilder()
            .setSetPayload(
                SetPayload.newBuilder()
                    .setPointsSelector(ONE)
                    .putAllPayload(Map.of("test_payload_2", value(2), "test_payload_3", value(3)))
                    .build())
            .build(),
        PointsUpdateOperation.newBuilder()
            .setDeletePayload(
                DeletePayload.newBuilder()
                    .setPointsSelector(ONE)
                    .addKeys("test_payload_2")
                    .build())
            .build(),
        PointsUpdateOperation.newBuilder()
            .setClearPayload(ClearPayload.newBuilder().setPoints(ONE).build())
            .build(),
        PointsUpdateOperation.newBuilder()
            .setDeletePoints(DeletePoints.newBuilder().setPoints(ONE).build())
            .build());

    private Batches() {}
}

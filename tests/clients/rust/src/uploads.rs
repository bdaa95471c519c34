use std::collections::HashMap;

use qdrant_client::qdrant::{
    point_id::PointIdOptions, value::Kind, vector_output, CountPointsBuilder, DenseVector, Distance, ListValue,
    MultiDenseVector, MultiVectorComparator, MultiVectorConfigBuilder, PointStruct, QueryPointsBuilder, SparseVector,
    SparseVectorParamsBuilder, SparseVectorsConfigBuilder, Struct, UpdateMode, UpsertPointsBuilder, Value, Vector,
    VectorParamsBuilder,
};
use qdrant_client::Payload;

use crate::suite::{color, dense, named_dense, number as num, payload as made, unnamed, vectors, Outcome, Suite};

const UUID: &str = "5c56c793-69f3-4fbf-87e6-c4bf54c28c26";

pub async fn unique(suite: &Suite) -> Outcome {
    let collection = suite.plain(3).await?;
    suite
        .client
        .upsert_points(
            UpsertPointsBuilder::new(
                collection,
                vec![PointStruct::new(
                    "5c56c793-69f3-4fbf-87e6-c4bf54c28c26",
                    vec![0.9, 0.1, 0.1],
                    [("color", "Red".into())],
                )],
            )
            .wait(true),
        )
        .await?;
    let found = suite.point(collection, UUID).await?;
    let id = found.id.clone().and_then(|id| id.point_id_options);
    assert_eq!(id, Some(PointIdOptions::Uuid(UUID.to_string())));
    assert_eq!(unnamed(&found), Some(dense(&[0.9, 0.1, 0.1])));
    assert_eq!(found.payload, made([("color", "Red".into())]));
    Ok(())
}

pub async fn number(suite: &Suite) -> Outcome {
    let collection = suite.plain(3).await?;
    suite
        .client
        .upsert_points(
            UpsertPointsBuilder::new(
                collection,
                vec![PointStruct::new(1, vec![0.9, 0.1, 0.1], [("color", "Red".into())])],
            )
            .wait(true),
        )
        .await?;
    let found = suite.point(collection, 1).await?;
    assert_eq!(num(&found.id), 1);
    assert_eq!(unnamed(&found), Some(dense(&[0.9, 0.1, 0.1])));
    assert_eq!(found.payload, made([("color", "Red".into())]));
    Ok(())
}

pub async fn several(suite: &Suite) -> Outcome {
    let collection = suite.colors().await?;
    let counted = suite.client.count(CountPointsBuilder::new(collection)).await?;
    assert_eq!(counted.result.unwrap().count, 3);
    let wanted = [("red", [0.9, 0.1, 0.1]), ("green", [0.1, 0.9, 0.1]), ("blue", [0.1, 0.1, 0.9])];
    for (id, (name, vector)) in (1..).zip(wanted) {
        let found = suite.point(collection, id).await?;
        assert_eq!(unnamed(&found), Some(dense(&vector)));
        assert_eq!(found.payload, made([("color", name.into())]));
    }
    Ok(())
}

pub async fn named(suite: &Suite) -> Outcome {
    let collection = suite.pictures().await?;
    let image: &[f32] = &[0.9, 0.1, 0.1, 0.2];
    let text: &[f32] = &[0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2];
    let first = suite.point(collection, 1).await?;
    assert_eq!(vectors(&first), named_dense([("image", image), ("text", text)]));
    let image: &[f32] = &[0.2, 0.1, 0.3, 0.9];
    let text: &[f32] = &[0.5, 0.2, 0.7, 0.4, 0.7, 0.2, 0.3, 0.9];
    let second = suite.point(collection, 2).await?;
    assert_eq!(vectors(&second), named_dense([("image", image), ("text", text)]));
    Ok(())
}

pub async fn one_of_two(suite: &Suite) -> Outcome {
    let collection = suite.pictures().await?;
    let vector = HashMap::from([("image".to_string(), vec![0.5, 0.5, 0.5, 0.5])]);
    suite.upsert(collection, vec![PointStruct::new(1, vector, Payload::default())]).await?;
    let found = suite.point(collection, 1).await?;
    assert_eq!(vectors(&found), named_dense([("image", &[0.5, 0.5, 0.5, 0.5][..])]));
    Ok(())
}

pub async fn sparse(suite: &Suite) -> Outcome {
    let mut config = SparseVectorsConfigBuilder::default();
    config.add_named_vector_params("text", SparseVectorParamsBuilder::default());
    let collection = suite.create(|made| made.sparse_vectors_config(config)).await?;
    suite
        .client
        .upsert_points(
            UpsertPointsBuilder::new(
                collection,
                vec![
                    PointStruct::new(
                        1,
                        HashMap::from([("text".to_string(), vec![(6, 1.0), (7, 2.0)])]),
                        Payload::default(),
                    ),
                    PointStruct::new(
                        2,
                        HashMap::from([("text".to_string(), vec![(1, 0.1), (2, 0.2), (3, 0.3), (4, 0.4), (5, 0.5)])]),
                        Payload::default(),
                    ),
                ],
            )
            .wait(true),
        )
        .await?;
    let first = suite.point(collection, 1).await?;
    let wanted = SparseVector { values: vec![1.0, 2.0], indices: vec![6, 7] };
    assert_eq!(vectors(&first)["text"], vector_output::Vector::Sparse(wanted));
    let request = QueryPointsBuilder::new(collection).query(vec![(5, 2.0), (6, 0.25)]).using("text");
    let found = suite.client.query(request).await?.result;
    let order: Vec<(u64, f32)> = found.iter().map(|point| (num(&point.id), point.score)).collect();
    assert_eq!(order, [(2, 1.0), (1, 0.25)]);
    Ok(())
}

pub async fn multi(suite: &Suite) -> Outcome {
    let params = VectorParamsBuilder::new(3, Distance::Dot)
        .multivector_config(MultiVectorConfigBuilder::new(MultiVectorComparator::MaxSim));
    let collection = suite.create(|made| made.vectors_config(params)).await?;
    let rows = vec![vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0]];
    suite
        .upsert(
            collection,
            vec![
                PointStruct::new(1, Vector::from(rows.clone()), Payload::default()),
                PointStruct::new(2, Vector::from(vec![vec![0.0, 0.0, 1.0]]), Payload::default()),
            ],
        )
        .await?;
    let wanted = MultiDenseVector { vectors: rows.into_iter().map(|data| DenseVector { data }).collect() };
    let first = suite.point(collection, 1).await?;
    assert_eq!(unnamed(&first), Some(vector_output::Vector::MultiDense(wanted)));
    let query = vec![vec![1.0, 0.0, 0.0], vec![0.0, 0.5, 0.0]];
    let found = suite.client.query(QueryPointsBuilder::new(collection).query(query)).await?.result;
    assert_eq!((num(&found[0].id), found[0].score), (1, 1.5));
    Ok(())
}

pub async fn payload(suite: &Suite) -> Outcome {
    let collection = suite.plain(3).await?;
    let list = ListValue { values: vec!["a".into(), 1.into(), false.into()] };
    let inner = Struct { fields: made([("key", "inner".into())]) };
    let object = Struct { fields: made([("nested", Kind::StructValue(inner).into())]) };
    let values: HashMap<String, Value> = made([
        ("string", "value".into()),
        ("integer", (-7).into()),
        ("float", 0.25.into()),
        ("bool", true.into()),
        ("null", Kind::NullValue(0).into()),
        ("list", Kind::ListValue(list).into()),
        ("object", Kind::StructValue(object).into()),
    ]);
    let point = PointStruct::new(1, vec![0.9, 0.1, 0.1], values.clone());
    suite.upsert(collection, vec![point]).await?;
    assert_eq!(suite.point(collection, 1).await?.payload, values);
    Ok(())
}

pub async fn conditionally(suite: &Suite) -> Outcome {
    let collection = suite.colors().await?;
    for (name, wanted) in [("yellow", "red"), ("red", "after red")] {
        let after = format!("after {name}");
        let point = PointStruct::new(1, vec![0.5, 0.5, 0.5], [("color", after.into())]);
        suite
            .client
            .upsert_points(UpsertPointsBuilder::new(collection, vec![point]).update_filter(color(name)).wait(true))
            .await?;
        assert_eq!(suite.point(collection, 1).await?.payload, made([("color", wanted.into())]));
    }
    assert_eq!(unnamed(&suite.point(collection, 1).await?), Some(dense(&[0.5, 0.5, 0.5])));
    Ok(())
}

pub async fn only_new(suite: &Suite) -> Outcome {
    let collection = suite.colors().await?;
    let points: Vec<PointStruct> =
        [3, 4].map(|id| PointStruct::new(id, vec![0.5, 0.5, 0.5], Payload::default())).to_vec();
    suite
        .client
        .upsert_points(UpsertPointsBuilder::new(collection, points).update_mode(UpdateMode::InsertOnly).wait(true))
        .await?;
    assert_eq!(unnamed(&suite.point(collection, 3).await?), Some(dense(&[0.1, 0.1, 0.9])));
    assert_eq!(unnamed(&suite.point(collection, 4).await?), Some(dense(&[0.5, 0.5, 0.5])));
    Ok(())
}

use std::collections::HashMap;
use std::time::{Duration, Instant};

use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::{
    ClearPayloadPointsBuilder, Condition, DeletePayloadPointsBuilder, DeletePointVectorsBuilder, DeletePointsBuilder,
    Filter, PointStruct, PointVectors, PointsIdsList, SetPayloadPointsBuilder, Struct, UpdatePointVectorsBuilder,
    UpdateStatus, UpsertPointsBuilder,
};
use qdrant_client::Payload;

use crate::suite::{color, named_dense, number, payload, vectors, Outcome, Suite};

fn these(ids: &[u64]) -> PointsIdsList {
    PointsIdsList { ids: ids.iter().map(|id| (*id).into()).collect() }
}

pub async fn update_vectors(suite: &Suite) -> Outcome {
    let collection = suite.pictures().await?;
    suite
        .client
        .update_vectors(
            UpdatePointVectorsBuilder::new(
                collection,
                vec![
                    PointVectors {
                        id: Some(1.into()),
                        vectors: Some(HashMap::from([("image".to_string(), vec![0.1, 0.2, 0.3, 0.4])]).into()),
                    },
                    PointVectors {
                        id: Some(2.into()),
                        vectors: Some(
                            HashMap::from([("text".to_string(), vec![0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])]).into(),
                        ),
                    },
                ],
            )
            .wait(true),
        )
        .await?;
    let image: &[f32] = &[0.1, 0.2, 0.3, 0.4];
    let text: &[f32] = &[0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2];
    let first = suite.point(collection, 1).await?;
    assert_eq!(vectors(&first), named_dense([("image", image), ("text", text)]));
    let image: &[f32] = &[0.2, 0.1, 0.3, 0.9];
    let text: &[f32] = &[0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2];
    let second = suite.point(collection, 2).await?;
    assert_eq!(vectors(&second), named_dense([("image", image), ("text", text)]));
    Ok(())
}

pub async fn delete_vectors(suite: &Suite) -> Outcome {
    let collection = suite.named().await?;
    for id in [0, 3, 10] {
        let vector = HashMap::from([("image".to_string(), vec![0.9, 0.1, 0.1, 0.2])]);
        suite.upsert(collection, vec![PointStruct::new(id, vector, Payload::default())]).await?;
    }
    suite
        .client
        .delete_vectors(
            DeletePointVectorsBuilder::new(collection)
                .points_selector(PointsIdsList { ids: vec![0.into(), 3.into(), 10.into()] })
                .vectors(vec!["text".into(), "image".into()])
                .wait(true),
        )
        .await?;
    for id in [0, 3, 10] {
        let found = suite.point(collection, id).await?;
        assert_eq!(number(&found.id), id);
        assert!(vectors(&found).is_empty());
    }
    Ok(())
}

pub async fn set_payload(suite: &Suite) -> Outcome {
    let collection = suite.colors().await?;
    suite
        .client
        .set_payload(
            SetPayloadPointsBuilder::new(collection, payload([("property1", "string".into())]))
                .points_selector(these(&[1, 3]))
                .wait(true),
        )
        .await?;
    assert_eq!(
        suite.point(collection, 1).await?.payload,
        payload([("color", "red".into()), ("property1", "string".into())])
    );
    assert_eq!(suite.point(collection, 2).await?.payload, payload([("color", "green".into())]));
    suite
        .client
        .set_payload(
            SetPayloadPointsBuilder::new(collection, payload([("inner", 1.into())]))
                .key("nested")
                .points_selector(color("green"))
                .wait(true),
        )
        .await?;
    let nested = Struct { fields: payload([("inner", 1.into())]) };
    assert_eq!(
        suite.point(collection, 2).await?.payload,
        payload([("color", "green".into()), ("nested", Kind::StructValue(nested).into())])
    );
    Ok(())
}

pub async fn overwrite_payload(suite: &Suite) -> Outcome {
    let collection = suite.colors().await?;
    suite
        .client
        .overwrite_payload(
            SetPayloadPointsBuilder::new(collection, payload([("property1", "string".into())]))
                .points_selector(these(&[1]))
                .wait(true),
        )
        .await?;
    assert_eq!(suite.point(collection, 1).await?.payload, payload([("property1", "string".into())]));
    Ok(())
}

pub async fn delete_payload(suite: &Suite) -> Outcome {
    let collection = suite.colors().await?;
    suite
        .client
        .delete_payload(
            DeletePayloadPointsBuilder::new(collection, vec!["color".to_string(), "price".to_string()])
                .points_selector(these(&[1]))
                .wait(true),
        )
        .await?;
    assert!(suite.point(collection, 1).await?.payload.is_empty());
    assert_eq!(suite.point(collection, 2).await?.payload, payload([("color", "green".into())]));
    Ok(())
}

pub async fn clear_payload(suite: &Suite) -> Outcome {
    let collection = suite.colors().await?;
    suite.client.clear_payload(ClearPayloadPointsBuilder::new(collection).points(color("red")).wait(true)).await?;
    assert!(suite.point(collection, 1).await?.payload.is_empty());
    assert_eq!(suite.point(collection, 2).await?.payload, payload([("color", "green".into())]));
    Ok(())
}

pub async fn delete_ids(suite: &Suite) -> Outcome {
    let collection = suite.colors().await?;
    suite
        .client
        .delete_points(
            DeletePointsBuilder::new(collection)
                .points(PointsIdsList { ids: vec![0.into(), 3.into(), 100.into()] })
                .wait(true),
        )
        .await?;
    assert_eq!(suite.remaining(collection).await?, [1, 2]);
    Ok(())
}

pub async fn delete_filter(suite: &Suite) -> Outcome {
    let collection = suite.colors().await?;
    suite
        .client
        .delete_points(
            DeletePointsBuilder::new(collection)
                .points(Filter::must([Condition::matches("color", "red".to_string())]))
                .wait(true),
        )
        .await?;
    assert_eq!(suite.remaining(collection).await?, [2, 3]);
    Ok(())
}

pub async fn awaiting(suite: &Suite) -> Outcome {
    let collection = suite.plain(3).await?;
    suite.upsert(collection, vec![PointStruct::new(1, vec![0.9, 0.1, 0.1], Payload::default())]).await?;
    assert_eq!(suite.remaining(collection).await?, [1]);
    let point = PointStruct::new(2, vec![0.1, 0.9, 0.1], Payload::default());
    let done = suite.client.upsert_points(UpsertPointsBuilder::new(collection, vec![point])).await?;
    assert_eq!(done.result.unwrap().status(), UpdateStatus::Acknowledged);
    let started = Instant::now();
    while suite.find(collection, 2).await?.is_none() {
        assert!(started.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

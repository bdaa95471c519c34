use std::collections::HashMap;

use qdrant_client::qdrant::{
    order_value::Variant, start_from, Condition, CountPointsBuilder, CreateFieldIndexCollectionBuilder, Direction,
    FieldType, Filter, GetPointsBuilder, OrderByBuilder, PayloadExcludeSelector, PayloadIncludeSelector, PointStruct,
    ScrollPointsBuilder, VectorsSelector,
};

use crate::suite::{ids, named_dense, payload, vectors, Outcome, Suite};

pub async fn retrieve(suite: &Suite) -> Outcome {
    let collection = suite.colors().await?;
    let found =
        suite.client.get_points(GetPointsBuilder::new(collection, vec![0.into(), 3.into(), 100.into()])).await?;
    assert_eq!(ids(&found.result), [3]);
    Ok(())
}

pub async fn retrieve_parts(suite: &Suite) -> Outcome {
    let collection = suite.named().await?;
    let image: &[f32] = &[0.9, 0.1, 0.1, 0.2];
    let stored = HashMap::from([
        ("image".to_string(), image.to_vec()),
        ("text".to_string(), vec![0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2]),
    ]);
    let values = [("color", "red".into()), ("city", "Berlin".into()), ("price", 12.into())];
    suite.upsert(collection, vec![PointStruct::new(1, stored, values)]).await?;
    let keys = vec!["color".to_string(), "city".to_string()];
    let request = GetPointsBuilder::new(collection, vec![1.into()])
        .with_payload(PayloadIncludeSelector::new(keys.clone()))
        .with_vectors(VectorsSelector::new(vec!["image".to_string()]));
    let some = suite.client.get_points(request).await?.result.remove(0);
    assert_eq!(some.payload, payload([("color", "red".into()), ("city", "Berlin".into())]));
    assert_eq!(vectors(&some), named_dense([("image", image)]));
    let request = GetPointsBuilder::new(collection, vec![1.into()]).with_payload(PayloadExcludeSelector::new(keys));
    let others = suite.client.get_points(request).await?.result.remove(0);
    assert_eq!(others.payload, payload([("price", 12.into())]));
    assert_eq!(others.vectors, None);
    Ok(())
}

/// Makes a collection of points with a color and a timestamp, which is indexed.
async fn dated(suite: &Suite) -> Outcome<&'static str> {
    let collection = suite.plain(3).await?;
    let values = [("red", 300), ("green", 100), ("red", 123), ("blue", 200), ("red", 50)];
    for (id, (color, stamp)) in (0..).zip(values) {
        let values = [("color", color.into()), ("timestamp", stamp.into())];
        suite.upsert(collection, vec![PointStruct::new(id, vec![0.9, 0.1, 0.1], values)]).await?;
    }
    suite
        .client
        .create_field_index(
            CreateFieldIndexCollectionBuilder::new(collection, "timestamp", FieldType::Integer).wait(true),
        )
        .await?;
    Ok(collection)
}

pub async fn scroll_pages(suite: &Suite) -> Outcome {
    let collection = dated(suite).await?;
    let mut seen = vec![];
    let mut offset = None;
    loop {
        let mut request = ScrollPointsBuilder::new(collection)
            .filter(Filter::must([Condition::matches("color", "red".to_string())]))
            .limit(1)
            .with_payload(true)
            .with_vectors(false);
        if let Some(from) = offset.take() {
            request = request.offset::<qdrant_client::qdrant::PointId>(from);
        }
        let page = suite.client.scroll(request).await?;
        assert_eq!(page.result.len(), 1);
        assert_eq!(page.result[0].payload["color"], "red".into());
        assert_eq!(page.result[0].vectors, None);
        seen.extend(ids(&page.result));
        match page.next_page_offset {
            Some(next) => offset = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, [0, 2, 4]);
    Ok(())
}

pub async fn scroll_ordered(suite: &Suite) -> Outcome {
    let collection = dated(suite).await?;
    let found = suite
        .client
        .scroll(ScrollPointsBuilder::new(collection).limit(15).order_by(OrderByBuilder::new("timestamp")))
        .await?;
    assert_eq!(ids(&found.result), [4, 1, 2, 3, 0]);
    let value = found.result[0].order_value.and_then(|value| value.variant);
    assert_eq!(value, Some(Variant::Int(50)));
    Ok(())
}

pub async fn scroll_from(suite: &Suite) -> Outcome {
    let collection = dated(suite).await?;
    let found = suite
        .client
        .scroll(
            ScrollPointsBuilder::new(collection).limit(15).order_by(
                OrderByBuilder::new("timestamp")
                    .direction(Direction::Desc.into())
                    .start_from(start_from::Value::Integer(123)),
            ),
        )
        .await?;
    assert_eq!(ids(&found.result), [2, 1, 4]);
    Ok(())
}

pub async fn count(suite: &Suite) -> Outcome {
    let collection = dated(suite).await?;
    let found = suite
        .client
        .count(
            CountPointsBuilder::new(collection)
                .filter(Filter::must([Condition::matches("color", "red".to_string())]))
                .exact(true),
        )
        .await?;
    assert_eq!(found.result.unwrap().count, 3);
    Ok(())
}

//! What the checks share: a client, and collections to work on.

use std::collections::HashMap;
use std::error::Error;

use qdrant_client::qdrant::{point_id::PointIdOptions, vectors_output::VectorsOptions, Condition};
use qdrant_client::qdrant::{
    vector_output::Vector, CreateCollectionBuilder, DenseVector, Distance, Filter, GetPointsBuilder, PointId,
    PointStruct, RetrievedPoint, ScrollPointsBuilder, UpdateStatus, UpsertPointsBuilder, Value, VectorParamsBuilder,
    VectorsConfigBuilder, VectorsOutput,
};
use qdrant_client::{Payload, Qdrant, QdrantError};

pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const COLLECTION: &str = "rust-snippets";

pub struct Suite {
    pub client: Qdrant,
}

impl Suite {
    pub fn new(port: u16) -> Result<Self, QdrantError> {
        let client = Qdrant::from_url(&format!("http://127.0.0.1:{port}")).build()?;
        Ok(Self { client })
    }

    /// Makes an empty collection, in the place of the one before it.
    pub async fn create(
        &self,
        config: impl FnOnce(CreateCollectionBuilder) -> CreateCollectionBuilder,
    ) -> Outcome<&'static str> {
        if self.client.collection_exists(COLLECTION).await? {
            self.client.delete_collection(COLLECTION).await?;
        }
        self.client.create_collection(config(CreateCollectionBuilder::new(COLLECTION))).await?;
        Ok(COLLECTION)
    }

    pub async fn plain(&self, size: u64) -> Outcome<&'static str> {
        self.create(|made| made.vectors_config(VectorParamsBuilder::new(size, Distance::Dot))).await
    }

    pub async fn named(&self) -> Outcome<&'static str> {
        let mut params = VectorsConfigBuilder::default();
        params.add_named_vector_params("image", VectorParamsBuilder::new(4, Distance::Dot));
        params.add_named_vector_params("text", VectorParamsBuilder::new(8, Distance::Dot));
        self.create(|made| made.vectors_config(params)).await
    }

    /// Sends points and waits until they are there.
    pub async fn upsert(&self, collection: &str, points: Vec<PointStruct>) -> Outcome {
        let done = self.client.upsert_points(UpsertPointsBuilder::new(collection, points).wait(true)).await?;
        assert_eq!(done.result.unwrap().status(), UpdateStatus::Completed);
        Ok(())
    }

    /// Makes a collection of three points: red, green and blue.
    pub async fn colors(&self) -> Outcome<&'static str> {
        let collection = self.plain(3).await?;
        self.client
            .upsert_points(
                UpsertPointsBuilder::new(
                    collection,
                    vec![
                        PointStruct::new(1, vec![0.9, 0.1, 0.1], [("color", "red".into())]),
                        PointStruct::new(2, vec![0.1, 0.9, 0.1], [("color", "green".into())]),
                        PointStruct::new(3, vec![0.1, 0.1, 0.9], [("color", "blue".into())]),
                    ],
                )
                .wait(true),
            )
            .await?;
        Ok(collection)
    }

    /// Makes a collection of two points with two vectors each.
    pub async fn pictures(&self) -> Outcome<&'static str> {
        let collection = self.named().await?;
        self.client
            .upsert_points(
                UpsertPointsBuilder::new(
                    collection,
                    vec![
                        PointStruct::new(
                            1,
                            HashMap::from([
                                ("image".to_string(), vec![0.9, 0.1, 0.1, 0.2]),
                                ("text".to_string(), vec![0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2]),
                            ]),
                            Payload::default(),
                        ),
                        PointStruct::new(
                            2,
                            HashMap::from([
                                ("image".to_string(), vec![0.2, 0.1, 0.3, 0.9]),
                                ("text".to_string(), vec![0.5, 0.2, 0.7, 0.4, 0.7, 0.2, 0.3, 0.9]),
                            ]),
                            Payload::default(),
                        ),
                    ],
                )
                .wait(true),
            )
            .await?;
        Ok(collection)
    }

    /// Reads one point back whole; None if there is none.
    pub async fn find(&self, collection: &str, id: impl Into<PointId>) -> Outcome<Option<RetrievedPoint>> {
        let request = GetPointsBuilder::new(collection, vec![id.into()]).with_payload(true).with_vectors(true);
        Ok(self.client.get_points(request).await?.result.pop())
    }

    pub async fn point(&self, collection: &str, id: impl Into<PointId>) -> Outcome<RetrievedPoint> {
        Ok(self.find(collection, id).await?.ok_or("the point is not there")?)
    }

    /// Which points there are.
    pub async fn remaining(&self, collection: &str) -> Outcome<Vec<u64>> {
        Ok(ids(&self.client.scroll(ScrollPointsBuilder::new(collection)).await?.result))
    }
}

pub fn color(name: &str) -> Filter {
    Filter::must([Condition::matches("color", name.to_string())])
}

pub fn payload<const N: usize>(entries: [(&str, Value); N]) -> HashMap<String, Value> {
    entries.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
}

pub fn number(id: &Option<PointId>) -> u64 {
    match id.as_ref().and_then(|id| id.point_id_options.as_ref()) {
        Some(PointIdOptions::Num(found)) => *found,
        other => panic!("not a number: {other:?}"),
    }
}

pub fn ids(points: &[RetrievedPoint]) -> Vec<u64> {
    points.iter().map(|point| number(&point.id)).collect()
}

fn options(point: &RetrievedPoint) -> Option<&VectorsOptions> {
    let VectorsOutput { vectors_options } = point.vectors.as_ref()?;
    vectors_options.as_ref()
}

/// The vector without a name.
pub fn unnamed(point: &RetrievedPoint) -> Option<Vector> {
    match options(point) {
        Some(VectorsOptions::Vector(found)) => Some(found.clone().into_vector()),
        _ => None,
    }
}

/// The vectors with names.
pub fn vectors(point: &RetrievedPoint) -> HashMap<String, Vector> {
    match options(point) {
        Some(VectorsOptions::Vectors(found)) => {
            found.vectors.iter().map(|(name, one)| (name.clone(), one.clone().into_vector())).collect()
        }
        _ => HashMap::new(),
    }
}

pub fn dense(data: &[f32]) -> Vector {
    Vector::Dense(DenseVector { data: data.to_vec() })
}

pub fn named_dense<const N: usize>(entries: [(&str, &[f32]); N]) -> HashMap<String, Vector> {
    entries.into_iter().map(|(name, data)| (name.to_string(), dense(data))).collect()
}

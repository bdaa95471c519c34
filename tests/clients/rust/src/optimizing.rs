// The snippets have fields that newer clients call deprecated.
#![allow(deprecated)]

use qdrant_client::qdrant::vectors_config_diff;
use qdrant_client::qdrant::{
    quantization_config::Quantization, vectors_config, CollectionConfig, Distance, HnswConfigDiffBuilder,
    OptimizersConfigDiffBuilder, PointStruct, QuantizationSearchParamsBuilder, QuantizationType, QueryPointsBuilder,
    QueryResponse, ScalarQuantizationBuilder, SearchParamsBuilder, UpdateCollectionBuilder, VectorParamsBuilder,
    VectorParamsDiffBuilder,
};
use qdrant_client::Payload;

use crate::suite::{number, Outcome, Suite};

async fn config(suite: &Suite, collection: &str) -> Outcome<CollectionConfig> {
    let found = suite.client.collection_info(collection).await?.result;
    Ok(found.and_then(|info| info.config).ok_or("no configuration")?)
}

fn check_vectors(config: &CollectionConfig, on_disk: bool) {
    let vectors = config.params.as_ref().and_then(|params| params.vectors_config.as_ref());
    let Some(vectors_config::Config::Params(vectors)) = vectors.and_then(|vectors| vectors.config.as_ref()) else {
        panic!("{config:?}");
    };
    assert_eq!(vectors.size, 768);
    assert_eq!(vectors.distance(), Distance::Cosine);
    assert_eq!(vectors.on_disk.unwrap_or_default(), on_disk);
}

fn check_scalar(config: &CollectionConfig) {
    let quantization = config.quantization_config.and_then(|config| config.quantization);
    let Some(Quantization::Scalar(scalar)) = quantization else {
        panic!("{config:?}");
    };
    assert_eq!(scalar.r#type(), QuantizationType::Int8);
    assert_eq!(scalar.always_ram, Some(true));
}

fn scalar() -> ScalarQuantizationBuilder {
    ScalarQuantizationBuilder::default().r#type(QuantizationType::Int8.into()).always_ram(true)
}

pub async fn create_quantized_on_disk(suite: &Suite) -> Outcome {
    let collection = suite
        .create(|made| {
            made.vectors_config(VectorParamsBuilder::new(768, Distance::Cosine).on_disk(true)).quantization_config(
                ScalarQuantizationBuilder::default().r#type(QuantizationType::Int8.into()).always_ram(true),
            )
        })
        .await?;
    let config = config(suite, collection).await?;
    check_vectors(&config, true);
    check_scalar(&config);
    Ok(())
}

/// Makes a collection of quantized vectors to search in; the fourth is what the queries ask for.
async fn searched(suite: &Suite) -> Outcome<&'static str> {
    let params = VectorParamsBuilder::new(4, Distance::Cosine).on_disk(true);
    let collection = suite.create(|made| made.vectors_config(params).quantization_config(scalar())).await?;
    let vectors = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.2, 0.1, 0.9, 0.7]];
    let points = (1..).zip(vectors).map(|(id, vector)| PointStruct::new(id, vector.to_vec(), Payload::default()));
    suite.upsert(collection, points.collect()).await?;
    Ok(collection)
}

fn check_nearest(found: &QueryResponse) {
    let order: Vec<u64> = found.result.iter().map(|point| number(&point.id)).collect();
    assert_eq!(order, [4, 3, 1]);
    let score = found.result[0].score;
    assert!(score > 0.98 && score < 1.02, "{score}");
}

pub async fn query_without_rescoring(suite: &Suite) -> Outcome {
    let collection = searched(suite).await?;
    let found = suite
        .client
        .query(QueryPointsBuilder::new(collection).query(vec![0.2, 0.1, 0.9, 0.7]).limit(3).params(
            SearchParamsBuilder::default().quantization(QuantizationSearchParamsBuilder::default().rescore(false)),
        ))
        .await?;
    check_nearest(&found);
    Ok(())
}

pub async fn create_on_disk(suite: &Suite) -> Outcome {
    let collection = suite
        .create(|made| {
            made.vectors_config(VectorParamsBuilder::new(768, Distance::Cosine).on_disk(true))
                .hnsw_config(HnswConfigDiffBuilder::default().on_disk(true))
        })
        .await?;
    let config = config(suite, collection).await?;
    check_vectors(&config, true);
    assert_eq!(config.hnsw_config.and_then(|graph| graph.on_disk), Some(true));
    Ok(())
}

pub async fn create_denser(suite: &Suite) -> Outcome {
    let graph = HnswConfigDiffBuilder::default().m(64).ef_construct(512).on_disk(true);
    let collection = suite
        .create(|made| {
            made.vectors_config(VectorParamsBuilder::new(768, Distance::Cosine).on_disk(true)).hnsw_config(graph)
        })
        .await?;
    let graph = config(suite, collection).await?.hnsw_config.unwrap();
    assert_eq!((graph.m, graph.ef_construct, graph.on_disk), (Some(64), Some(512), Some(true)));
    Ok(())
}

pub async fn create_quantized(suite: &Suite) -> Outcome {
    let collection = suite
        .create(|made| {
            made.vectors_config(VectorParamsBuilder::new(768, Distance::Cosine)).quantization_config(
                ScalarQuantizationBuilder::default().r#type(QuantizationType::Int8.into()).always_ram(true),
            )
        })
        .await?;
    let config = config(suite, collection).await?;
    check_vectors(&config, false);
    check_scalar(&config);
    Ok(())
}

pub async fn query_ef(suite: &Suite) -> Outcome {
    let collection = searched(suite).await?;
    let found = suite
        .client
        .query(
            QueryPointsBuilder::new(collection)
                .query(vec![0.2, 0.1, 0.9, 0.7])
                .limit(3)
                .params(SearchParamsBuilder::default().hnsw_ef(128).exact(false)),
        )
        .await?;
    check_nearest(&found);
    Ok(())
}

pub async fn query_exact(suite: &Suite) -> Outcome {
    let collection = searched(suite).await?;
    let found = suite
        .client
        .query(
            QueryPointsBuilder::new(collection)
                .query(vec![0.2, 0.1, 0.9, 0.7])
                .limit(3)
                .params(SearchParamsBuilder::default().exact(true)),
        )
        .await?;
    check_nearest(&found);
    Ok(())
}

async fn create_segments(suite: &Suite, number: u64) -> Outcome {
    let collection = suite
        .create(|made| {
            made.vectors_config(VectorParamsBuilder::new(768, Distance::Cosine))
                .optimizers_config(OptimizersConfigDiffBuilder::default().default_segment_number(number))
        })
        .await?;
    let config = config(suite, collection).await?;
    check_vectors(&config, false);
    assert_eq!(config.optimizer_config.unwrap().default_segment_number, Some(number));
    Ok(())
}

pub async fn create_16_segments(suite: &Suite) -> Outcome {
    create_segments(suite, 16).await
}

pub async fn create_2_segments(suite: &Suite) -> Outcome {
    create_segments(suite, 2).await
}

pub async fn update_collection(suite: &Suite) -> Outcome {
    let params = VectorParamsBuilder::new(768, Distance::Cosine);
    let collection = suite.create(|made| made.vectors_config(params)).await?;
    suite
        .client
        .update_collection(
            UpdateCollectionBuilder::new(collection)
                .vectors_config(vectors_config_diff::Config::from(VectorParamsDiffBuilder::default().on_disk(true)))
                .hnsw_config(HnswConfigDiffBuilder::default().m(32))
                .optimizers_config(OptimizersConfigDiffBuilder::default().indexing_threshold(10000))
                .quantization_config(scalar()),
        )
        .await?;
    let config = config(suite, collection).await?;
    check_vectors(&config, true);
    check_scalar(&config);
    assert_eq!(config.hnsw_config.unwrap().m, Some(32));
    assert_eq!(config.optimizer_config.unwrap().indexing_threshold, Some(10000));
    Ok(())
}

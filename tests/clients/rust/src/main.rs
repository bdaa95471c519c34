//! The Rust snippets of Qdrant's documentation, against the server whose gRPC port is the first argument.
//!
//! Each snippet that did what it says is told by a line "ok NAME"; the first that didn't ends the program.

mod batch;
mod changes;
mod optimizing;
mod reads;
mod suite;
mod uploads;

use suite::{Outcome, Suite};

/// Runs checks one after the other and tells of each.
macro_rules! run {
    ($suite:expr, $($name:literal => $check:path),+ $(,)?) => {
        $(
            $check($suite).await.map_err(|error| format!("FAILED {}: {error}", $name))?;
            println!("ok {}", $name);
        )+
    };
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let port: u16 = std::env::args().nth(1).ok_or("usage: snippets GRPC_PORT")?.parse()?;
    let suite = &Suite::new(port)?;
    run!(suite,
        "upsert: a UUID as id" => uploads::unique,
        "upsert: a number as id" => uploads::number,
        "upsert: several points" => uploads::several,
        "upsert: named vectors" => uploads::named,
        "upsert: a point anew, with one of its vectors" => uploads::one_of_two,
        "upsert: sparse vectors" => uploads::sparse,
        "upsert: multivectors" => uploads::multi,
        "upsert: payload of every type" => uploads::payload,
        "upsert: where a filter passes" => uploads::conditionally,
        "upsert: only what is new" => uploads::only_new,
    );
    run!(suite,
        "update vectors" => changes::update_vectors,
        "delete vectors" => changes::delete_vectors,
        "payload: set" => changes::set_payload,
        "payload: overwrite" => changes::overwrite_payload,
        "payload: delete keys" => changes::delete_payload,
        "payload: clear" => changes::clear_payload,
        "delete: ids" => changes::delete_ids,
        "delete: a filter" => changes::delete_filter,
        "batch update: until the payload is changed" => batch::changes,
        "batch update: every operation" => batch::everything,
        "awaiting the result, and not" => changes::awaiting,
    );
    run!(suite,
        "retrieve: ids" => reads::retrieve,
        "retrieve: parts of a point" => reads::retrieve_parts,
        "scroll: a filter, page by page" => reads::scroll_pages,
        "scroll: in the order of a key" => reads::scroll_ordered,
        "scroll: descending, from a value" => reads::scroll_from,
        "count: a filter" => reads::count,
    );
    run!(suite,
        "create: vectors on disk, quantized in memory" => optimizing::create_quantized_on_disk,
        "query: without rescoring" => optimizing::query_without_rescoring,
        "create: vectors and graph on disk" => optimizing::create_on_disk,
        "create: a denser graph" => optimizing::create_denser,
        "create: quantized in memory" => optimizing::create_quantized,
        "query: hnsw_ef" => optimizing::query_ef,
        "query: exact" => optimizing::query_exact,
        "create: 16 segments" => optimizing::create_16_segments,
        "create: 2 segments" => optimizing::create_2_segments,
        "update a collection" => optimizing::update_collection,
    );
    Ok(())
}

//! The loopback control port of a running party: what `counterfoil where` and `counterfoil status` ask, as JSON over HTTP.

use crate::config::security::PartyModule;
use crate::driver::{Driven, DriverHandle};
use crate::metrics;
use crate::view::{self, SaleView};
use acquirer::Acquirer;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use network::Network;
use payment::Surroundings;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// What a party says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Its name.
    pub party: String,
    /// It stopped taking work, and why.
    pub stopped: Option<String>,
    /// Inputs decided since the start.
    pub inputs: u64,
    /// Records written since the start.
    pub records: u64,
    /// Gatherings flushed since the start.
    pub gatherings: u64,
    /// Bytes of records written since the start.
    pub record_bytes: u64,
    /// Flushes since the start; gatherings that waited together share one.
    pub flushes: u64,
    /// Half of the flushes took no longer, in microseconds.
    pub flush_p50_us: u64,
    /// 99 of 100 flushes took no longer, in microseconds.
    pub flush_p99_us: u64,
    /// What its links counted since the start, by name.
    pub links: BTreeMap<&'static str, u64>,
}

/// Serves `routes` on `address`, loopback only. Must be called on the runtime.
pub async fn serve(address: SocketAddr, routes: Router) -> Result<SocketAddr, String> {
    if !address.ip().is_loopback() {
        return Err(format!("control {address}: must be a loopback address"));
    }
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| format!("control {address}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

/// The routes that every party has.
pub fn status_routes<P: Driven>(handle: DriverHandle<P>) -> Router {
    let counted = handle.clone();
    let metrics = get(move || {
        let text = metrics::of_party(&counted);
        async move { ([(header::CONTENT_TYPE, metrics::KIND)], text) }
    });
    status(handle).route("/metrics", metrics)
}

fn status<P: Driven>(handle: DriverHandle<P>) -> Router {
    Router::new().route(
        "/v1/status",
        get(move || {
            let figures = handle.figures();
            let status = Status {
                party: handle.name().to_owned(),
                stopped: handle.stopped().map(|stop| format!("{stop:?}")),
                inputs: figures.inputs,
                records: figures.records,
                gatherings: figures.gatherings,
                record_bytes: figures.record_bytes,
                flushes: figures.flushes.count,
                flush_p50_us: figures.flushes.p50_us,
                flush_p99_us: figures.flushes.p99_us,
                links: handle.link_figures().by_name(),
            };
            async move { Json(status) }
        }),
    )
}

/// The acquirer's routes: one sale, the one-sided queue, and what it counts.
pub fn acquirer_routes(handle: DriverHandle<Acquirer>) -> Router {
    Router::new()
        .route("/v1/where/{*reference}", get(one_sale))
        .route("/v1/one-sided", get(one_sided))
        .route("/metrics", get(acquirer_metrics))
        .with_state(handle.clone())
        .merge(status(handle))
}

async fn acquirer_metrics(State(handle): State<DriverHandle<Acquirer>>) -> impl IntoResponse {
    let text = metrics::of_acquirer(&handle).await;
    ([(header::CONTENT_TYPE, metrics::KIND)], text)
}

async fn one_sale(
    State(handle): State<DriverHandle<Acquirer>>,
    Path(reference): Path<String>,
) -> Result<Json<SaleView>, (StatusCode, String)> {
    let found = handle.look(move |acquirer, now| {
        view::find(acquirer.state(), &reference).map(|sale| view::of(sale, now.wall))
    });
    match found.await {
        Ok(Some(view)) => Ok(Json(view)),
        Ok(None) => Err((
            StatusCode::NOT_FOUND,
            "the acquirer never saw this sale".to_owned(),
        )),
        Err(refused) => Err((StatusCode::SERVICE_UNAVAILABLE, format!("{refused:?}"))),
    }
}

async fn one_sided(
    State(handle): State<DriverHandle<Acquirer>>,
) -> Result<Json<Vec<SaleView>>, (StatusCode, String)> {
    let listed = handle.look(|acquirer, now| {
        acquirer
            .state()
            .one_sided()
            .map(|sale| view::of(sale, now.wall))
            .collect::<Vec<_>>()
    });
    listed
        .await
        .map(Json)
        .map_err(|refused| (StatusCode::SERVICE_UNAVAILABLE, format!("{refused:?}")))
}

/// The network's routes: new keys for a member (0800 with 101), asked for by its operator.
pub fn network_routes(handle: DriverHandle<Network>, module: PartyModule) -> Router {
    Router::new()
        .route("/v1/keys/{member}/reset", post(reset_keys))
        .with_state((handle.clone(), Arc::new(Mutex::new(module))))
        .merge(status_routes(handle))
}

async fn reset_keys(
    State((handle, module)): State<(DriverHandle<Network>, Arc<Mutex<PartyModule>>)>,
    Path(member): Path<String>,
) -> Result<StatusCode, (StatusCode, String)> {
    let member = crate::config::institution(&member)
        .map_err(|problem| (StatusCode::BAD_REQUEST, problem))?;
    let made = handle.look(move |network, now| {
        network.reset_keys(
            &Surroundings {
                module: &*module.lock().unwrap_or_else(PoisonError::into_inner),
                now,
                random: &crate::driver::random,
            },
            member,
        )
    });
    let input = made
        .await
        .map_err(|refused| (StatusCode::SERVICE_UNAVAILABLE, format!("{refused:?}")))?
        .map_err(|error| (StatusCode::NOT_FOUND, error.to_string()))?;
    handle
        .send(input)
        .map_err(|refused| (StatusCode::SERVICE_UNAVAILABLE, format!("{refused:?}")))?;
    Ok(StatusCode::ACCEPTED)
}

//! The acquirer's desk: the pages and the API for the people who work with it, on a port of their own.

pub mod api;

use crate::config::Problem;
use crate::config::acquirer::AcquirerFile;
use crate::driver::DriverHandle;
use crate::eslip::Certifier;
use crate::party::Running;
use crate::people::{self, People};
use crate::web;
use crate::webhook::subscription::Subscriptions;
use acquirer::Acquirer;
use axum::Router;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Everything the desk's pages may ask.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The acquirer.
    pub acquirer: DriverHandle<Acquirer>,
    /// Its data directory, where the archive is.
    pub data: PathBuf,
    /// Who works with it; `people.guard(routes, permission)` stands before every page.
    pub people: People,
}

/// Serves the desk of a running acquirer on `desk_listen`, with `more` routes beside its own. Must be called on the runtime.
///
/// # Errors
/// The address is not a loopback address, or it cannot be taken.
pub async fn open(
    file: &AcquirerFile,
    running: &Running<Acquirer>,
    more: Router,
) -> Result<Option<SocketAddr>, Problem> {
    let Some(address) = file.desk_listen else {
        return Ok(None);
    };
    let desk = Desk {
        acquirer: running.handle().clone(),
        data: file.data.clone(),
        people: People::open(&file.data, file.profile).map_err(|error| error.to_string())?,
    };
    let api = api::Api {
        desk: desk.clone(),
        certifier: Certifier::new(file)?.map(Arc::new),
        subscriptions: Subscriptions::open(&desk.data, &desk.people)
            .map_err(|error| error.to_string())?,
    };
    let people = people::routes(&desk.people).merge(api::routes(&api));
    let routes = web::site(routes(desk).merge(people).merge(more));
    crate::control::serve(address, routes).await.map(Some)
}

fn routes(_desk: Desk) -> Router {
    Router::new()
}

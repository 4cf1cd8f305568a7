//! The acquirer's desk: the pages and the API for the people who work with it, on a port of their own.

use crate::config::Problem;
use crate::config::acquirer::AcquirerFile;
use crate::driver::DriverHandle;
use crate::party::Running;
use crate::web;
use acquirer::Acquirer;
use axum::Router;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Everything the desk's pages may ask.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The acquirer.
    pub acquirer: DriverHandle<Acquirer>,
    /// Its data directory, where the archive is.
    pub data: PathBuf,
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
    };
    let routes = web::site(routes(desk).merge(more));
    crate::control::serve(address, routes).await.map(Some)
}

fn routes(_desk: Desk) -> Router {
    Router::new()
}

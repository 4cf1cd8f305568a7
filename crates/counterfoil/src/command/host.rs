//! `counterfoil acquirer`, `network` and `issuer`: each party as its own process.

use super::{Failure, runtime, until_told_to_stop};
use crate::config;
use crate::control;
use crate::driver::Driven;
use crate::party::{self, Running};
use axum::Router;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of a host.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Configuration file, as in examples/
    #[arg(long)]
    config: PathBuf,
}

pub(super) fn acquirer(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let file: config::acquirer::AcquirerFile =
        config::read(&arguments.config).map_err(|error| error.to_string())?;
    serve(
        file.control,
        || party::acquirer(&file),
        |running| control::acquirer_routes(running.handle().clone()),
    )
}

pub(super) fn network(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let file: config::network::NetworkFile =
        config::read(&arguments.config).map_err(|error| error.to_string())?;
    serve(
        file.control,
        || party::network(&file),
        |running| control::network_routes(running.handle().clone(), running.module().clone()),
    )
}

pub(super) fn issuer(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let file: config::issuer::IssuerFile =
        config::read(&arguments.config).map_err(|error| error.to_string())?;
    serve(
        file.control,
        || party::issuer(&file, None),
        |running| control::status_routes(running.handle().clone()),
    )
}

/// Runs a party until it is told to stop, or has to; the exit status tells which.
fn serve<P: Driven>(
    at: SocketAddr,
    start: impl FnOnce() -> Result<Running<P>, Failure>,
    routes: impl FnOnce(&Running<P>) -> Router,
) -> Result<ExitCode, Failure> {
    let runtime = runtime()?;
    let running = runtime.block_on(async {
        let running = start()?;
        control::serve(at, routes(&running)).await?;
        Ok::<_, Failure>(running)
    })?;
    let listens = running
        .address
        .map_or(String::new(), |address| format!(", listening on {address}"));
    println!("{} ready{listens}, control {at}", running.handle().name());
    let handle = running.handle().clone();
    let told = runtime.block_on(async {
        tokio::select! {
            () = until_told_to_stop() => true,
            () = handle.until_stopped() => false,
        }
    });
    if told {
        running.stop()?
    } else {
        running.join()?
    }
    Ok(ExitCode::SUCCESS)
}

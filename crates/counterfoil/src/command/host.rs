//! `counterfoil acquirer`, `network` and `issuer`: each party as its own process.

use super::{Failure, runtime, until_told_to_stop};
use crate::config;
use crate::config::acquirer::AcquirerFile;
use crate::control;
use crate::desk;
use crate::driver::Driven;
use crate::eslip;
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
    let file = AcquirerFile::read(&arguments.config).map_err(|error| error.to_string())?;
    serve(file.control, async || {
        let running = party::acquirer(&file)?;
        let opened = eslip::open(&file, &running).await?;
        desk::open(&file, &running, Router::new()).await?;
        let routes = control::acquirer_routes(running.handle().clone());
        Ok((running, routes.merge(opened.control)))
    })
}

pub(super) fn network(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let file: config::network::NetworkFile =
        config::read(&arguments.config).map_err(|error| error.to_string())?;
    serve(file.control, async || {
        let running = party::network(&file)?;
        let module = running.module().clone();
        let routes = control::network_routes(running.handle().clone(), module);
        Ok((running, routes))
    })
}

pub(super) fn issuer(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let file: config::issuer::IssuerFile =
        config::read(&arguments.config).map_err(|error| error.to_string())?;
    serve(file.control, async || {
        let running = party::issuer(&file, None)?;
        let routes = control::status_routes(running.handle().clone());
        Ok((running, routes))
    })
}

/// Runs a party until it is told to stop, or has to; the exit status tells which.
fn serve<P: Driven>(
    at: SocketAddr,
    start: impl AsyncFnOnce() -> Result<(Running<P>, Router), Failure>,
) -> Result<ExitCode, Failure> {
    let runtime = runtime()?;
    let running = runtime.block_on(async {
        let (running, routes) = start().await?;
        control::serve(at, routes).await?;
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

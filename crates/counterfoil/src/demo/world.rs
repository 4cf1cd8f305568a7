//! The demo's world: the example files' parties, with short time-outs, fresh ports and a breakable hop between each two.

use crate::config::acquirer::AcquirerFile;
use crate::config::downloads::DownloadsFile;
use crate::config::issuer::IssuerFile;
use crate::config::network::NetworkFile;
use crate::config::printer::PrinterFile;
use crate::config::terminal::TerminalFile;
use crate::config::{self, Problem};
use crate::driver::DriverHandle;
use crate::fault::Hop;
use crate::party::{self, Running};
use crate::wallet::simulator::{Settings, Simulator};
use acquirer::Acquirer;
use iso8583::frame::Framing;
use issuer::Issuer;
use network::Network;
use payment::timeouts::Ladder;
use payment::{Original, SaleKey};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// An approval unconfirmed for so long becomes a one-sided item, in the demo.
const CONFIRM_WITHIN_MS: u64 = 10_000;

/// The running world.
#[derive(Debug)]
pub struct World {
    data: PathBuf,
    acquirer: Running<Acquirer>,
    network: Running<Network>,
    issuer: Running<Issuer>,
    /// Acquirer to network.
    pub upstream: Hop,
    /// Issuer to network: the issuer is the side that connects.
    pub bank: Hop,
    /// The wallet.
    pub wallet: Simulator,
    notices: Arc<Mutex<Vec<(String, String)>>>,
    till: TerminalFile,
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Starts a wallet and tells the acquirer of it, with short times.
async fn open_wallet(data: &Path, file: &mut AcquirerFile) -> Result<Simulator, Problem> {
    let text = file.wallet.as_mut().ok_or("the example names no wallet")?;
    let listener = std::net::TcpListener::bind(loopback()).map_err(|error| error.to_string())?;
    let at = listener.local_addr().map_err(|error| error.to_string())?;
    drop(listener);
    text.url = format!("http://{at}");
    (text.poll_ms, text.pay_within_ms) = (300, 4_000);
    (text.scan_within_ms, text.revoke_after_ms) = (8_000, 1_000);
    let settings = Settings {
        credentials: text.credentials(),
        password_above_minor: 100_000,
        base: text.url.clone(),
        slow_ms: 2_000,
    };
    let wallet = Simulator::open(&data.join("wallet"), settings)?;
    crate::control::serve(at, wallet.routes()).await?;
    Ok(wallet)
}

impl World {
    /// Starts the three hosts with journals below `data`, which is emptied first. Must be called on the runtime.
    pub async fn start(data: &Path, control: SocketAddr) -> Result<Self, Problem> {
        if data.exists() {
            std::fs::remove_dir_all(data)
                .map_err(|error| format!("{}: {error}", data.display()))?;
        }
        let ladder = Ladder::DEMO;
        let mut network_file: NetworkFile =
            config::parse(include_str!("../../../../examples/network.toml"))?;
        (
            network_file.data,
            network_file.listen,
            network_file.timeouts,
        ) = (data.join("network"), loopback(), ladder);
        let network = party::network(&network_file)?;
        let at = network.address.ok_or("the network does not listen")?;
        let hop = |problem: std::io::Error| format!("fault relay: {problem}");
        let upstream = Hop::start(at, Framing::Host).await.map_err(hop)?;
        let bank = Hop::start(at, Framing::Host).await.map_err(hop)?;

        let mut issuer_file: IssuerFile =
            config::parse(include_str!("../../../../examples/issuer.toml"))?;
        (issuer_file.data, issuer_file.timeouts) = (data.join("issuer"), ladder);
        issuer_file.network.address = bank.address();
        let notices: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let kept = Arc::clone(&notices);
        let issuer = party::issuer(
            &issuer_file,
            Some(Box::new(move |notice| {
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((notice.text(true), notice.text(false)));
            })),
        )?;

        let mut acquirer_file: AcquirerFile =
            config::parse(include_str!("../../../../examples/acquirer.toml"))?;
        (
            acquirer_file.data,
            acquirer_file.listen,
            acquirer_file.timeouts,
        ) = (data.join("acquirer"), loopback(), ladder);
        acquirer_file.network.address = upstream.address();
        let downloads: DownloadsFile =
            config::parse(include_str!("../../../../examples/downloads.toml"))?;
        acquirer_file.offer = downloads.resolve()?;
        acquirer_file.confirm_within_ms = CONFIRM_WITHIN_MS;
        let wallet = open_wallet(data, &mut acquirer_file).await?;
        let acquirer = party::acquirer(&acquirer_file)?;
        acquirer_file.eslip_listen = Some(loopback());
        let opened = crate::eslip::open(&acquirer_file, &acquirer).await?;
        let routes = crate::control::acquirer_routes(acquirer.handle().clone());
        crate::control::serve(control, routes.merge(opened.control)).await?;

        let mut till: TerminalFile =
            config::parse(include_str!("../../../../examples/terminal.toml"))?;
        let printer: PrinterFile =
            config::parse(include_str!("../../../../examples/printer.toml"))?;
        till.installed = printer.resolve()?;
        till.timeouts = ladder;
        till.acquirer = acquirer.address.ok_or("the acquirer does not listen")?;
        till.query_ms = 1_000;
        till.dialogue_ms = 20_000;
        till.goods_question_ms = 5_000;
        till.idle_report_ms = 300;
        till.eslip = opened.address.map(|at| format!("http://{at}/r"));
        till.eslip_after_ms = 300;
        let world = Self {
            data: data.to_owned(),
            acquirer,
            network,
            issuer,
            upstream,
            bank,
            wallet,
            notices,
            till,
        };
        world.signed_on().await?;
        Ok(world)
    }

    /// Waits until both members have their keys from the network.
    async fn signed_on(&self) -> Result<(), Problem> {
        let (acquirer, issuer) = (self.acquirer.handle().clone(), self.issuer.handle().clone());
        super::until(std::time::Duration::from_secs(20), || async {
            let acquirer = acquirer
                .look(|a, _| a.state().signed_on())
                .await
                .unwrap_or(false);
            let issuer = issuer
                .look(|i, _| i.link().signed_on())
                .await
                .unwrap_or(false);
            (acquirer && issuer).then_some(())
        })
        .await
        .ok_or_else(|| "acquirer and issuer did not sign on to the network".to_owned())
    }

    /// The acquirer.
    pub fn acquirer(&self) -> &DriverHandle<Acquirer> {
        self.acquirer.handle()
    }

    /// The issuer.
    pub fn issuer(&self) -> &DriverHandle<Issuer> {
        self.issuer.handle()
    }

    /// How a later transaction names a sale, as its slip says.
    pub async fn named(&self, key: SaleKey) -> Result<Original, Problem> {
        let look = self.acquirer().look(move |acquirer, _| {
            let sale = acquirer.state().sale(&key)?;
            Some(Original {
                batch: key.batch,
                stan: key.stan,
                date: sale.received.wall.date(),
                rrn: Some(sale.rrn),
                approval: sale.answer.and_then(|answer| answer.approval),
            })
        });
        let found = look.await.map_err(|refused| format!("{refused:?}"))?;
        found.ok_or_else(|| format!("{key}: no such sale"))
    }

    /// Where the journals are.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The demo's ladder.
    pub fn ladder(&self) -> Ladder {
        self.till.timeouts
    }

    /// The file of a till with this number.
    pub fn till(&self, number: usize) -> TerminalFile {
        let id = format!("T{number:07}");
        TerminalFile {
            data: self.data.join(format!("terminal-{id}")),
            id,
            ..self.till.clone()
        }
    }

    /// Notices to cardholders so far, zh-CN and en.
    pub fn notices(&self) -> Vec<(String, String)> {
        self.notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Stops the hosts. Blocks: not for a runtime thread.
    pub fn stop(self) -> Result<(), String> {
        self.acquirer.stop()?;
        self.issuer.stop()?;
        self.network.stop()
    }
}

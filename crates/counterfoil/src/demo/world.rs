//! The demo's world: the example files' parties, with short time-outs, fresh ports and a breakable hop between each two.

use super::lab::{self, Lab};
use super::shop::Shop;
use super::till::Till;
use crate::config::acquirer::AcquirerFile;
use crate::config::downloads::DownloadsFile;
use crate::config::issuer::IssuerFile;
use crate::config::network::NetworkFile;
use crate::config::printer::PrinterFile;
use crate::config::terminal::{GoodsFile, TerminalFile};
use crate::config::{self, Problem};
use crate::driver::DriverHandle;
use crate::fault::Hop;
use crate::party::{self, Running};
use crate::people::{Person, Role};
use crate::printer::Bench;
use crate::wallet::simulator::{Settings, Simulator};
use acquirer::Acquirer;
use crypto::{Pan, PanToken, SecurityModule};
use iso8583::frame::Framing;
use issuer::Issuer;
use network::Network;
use payment::timeouts::Ladder;
use payment::{BARTER_UNIT, Currency, Original, SaleKey};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// An approval unconfirmed for so long becomes a one-sided item, in the demo.
const CONFIRM_WITHIN_MS: u64 = 10_000;

/// Tills whose archives the desk may read, in the demo.
const TILLS_READ: usize = 24;

/// The demo's open pages.
#[derive(Debug)]
pub struct Pages {
    /// Where they are, and whose.
    pub links: Vec<(String, (&'static str, &'static str))>,
    /// Where the desk is.
    pub desk: SocketAddr,
    shop: Arc<Shop>,
}

impl Pages {
    /// The address of somebody's page, by its English name.
    pub fn link(&self, name: &str) -> Option<&str> {
        let found = self.links.iter().find(|(_, (_, english))| *english == name);
        found.map(|(address, _)| address.as_str())
    }

    /// Between the shop's till and the acquirer.
    pub fn till_hop(&self) -> &Hop {
        &self.shop.hop
    }

    /// The shop's receipt printer.
    pub fn printer(&self) -> &Bench {
        &self.shop.printer
    }

    /// Closes the shop. Blocks: not for a runtime thread.
    pub fn stop(self) -> Result<(), String> {
        self.shop.stop()
    }
}

/// Ways to the hosts and to what can be broken between them.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    pub acquirer: DriverHandle<Acquirer>,
    pub issuer: DriverHandle<Issuer>,
    pub upstream: Hop,
    pub bank: Hop,
    pub ladder: Ladder,
    /// Whoever breaks a hop of the hosts holds it until the loop is closed again.
    pub stage: Arc<tokio::sync::Mutex<()>>,
    notices: Notices,
}

impl Hosts {
    /// Notices to cardholders so far, zh-CN and en.
    pub fn notices(&self) -> Vec<(String, String)> {
        self.notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Notices to cardholders, zh-CN and en.
type Notices = Arc<Mutex<Vec<(String, String)>>>;

/// The number of the shop's till.
const SHOP_TILL: usize = 24;

/// The running world.
#[derive(Debug)]
pub struct World {
    data: PathBuf,
    acquirer: Running<Acquirer>,
    network: Running<Network>,
    issuer: Running<Issuer>,
    /// A second bank, for transfers between banks.
    second: Running<Issuer>,
    /// The barter centre.
    centre: Running<Issuer>,
    /// Acquirer to network.
    pub upstream: Hop,
    /// Issuer to network: the issuer is the side that connects.
    pub bank: Hop,
    /// The wallet.
    pub wallet: Simulator,
    notices: Notices,
    stage: Arc<tokio::sync::Mutex<()>>,
    till: TerminalFile,
    /// Where the public pages are.
    pub public: Option<SocketAddr>,
    /// Where `counterfoil where` asks.
    pub control: SocketAddr,
    acquirer_file: AcquirerFile,
    ports: Ports,
}

fn loopback() -> SocketAddr {
    at(0)
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Where the demo's pages are, all on loopback; port 0 lets the system choose.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// What `counterfoil where` asks.
    pub control: u16,
    /// The public pages: the cardholder's, e-slips.
    pub public: u16,
    /// The desk: console, merchants' portal, API.
    pub desk: u16,
    /// The till's page.
    pub till: u16,
}

impl Ports {
    /// Those that the demo prints.
    pub const FIXED: Self = Self {
        control: 7190,
        public: 7191,
        desk: 7192,
        till: 7193,
    };
    /// Whatever is free.
    pub const FREE: Self = Self {
        control: 0,
        public: 0,
        desk: 0,
        till: 0,
    };
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
    pub async fn start(data: &Path, ports: Ports) -> Result<Self, Problem> {
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
        let listening = network.address.ok_or("the network does not listen")?;
        let hop = |problem: std::io::Error| format!("fault relay: {problem}");
        let upstream = Hop::start(listening, Framing::Host).await.map_err(hop)?;
        let bank = Hop::start(listening, Framing::Host).await.map_err(hop)?;

        let mut issuer_file: IssuerFile =
            config::parse(include_str!("../../../../examples/issuer.toml"))?;
        (issuer_file.data, issuer_file.timeouts) = (data.join("issuer"), ladder);
        issuer_file.network.address = bank.address();
        let notices = Notices::default();
        let kept = Arc::clone(&notices);
        let issuer = party::issuer(
            &issuer_file,
            Some(Box::new(move |notice| {
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((notice.text(true), notice.text(false)));
            })),
        )?;

        let more = |text, name: &str| {
            let mut file: IssuerFile = config::parse(text)?;
            (file.data, file.timeouts) = (data.join(name), ladder);
            file.network.address = listening;
            party::issuer(&file, None)
        };
        let second = more(
            include_str!("../../../../examples/second-issuer.toml"),
            "second-issuer",
        )?;
        let centre = more(
            include_str!("../../../../examples/barter-centre.toml"),
            "barter-centre",
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
        acquirer_file.eslip_listen = Some(at(ports.public));
        acquirer_file.desk_listen = Some(at(ports.desk));
        let tills = (1..=TILLS_READ).map(|number| data.join(format!("terminal-T{number:07}")));
        acquirer_file.desk_reads = [data.join("network"), data.join("issuer")]
            .into_iter()
            .chain(tills)
            .collect();
        let opened = crate::eslip::open(&acquirer_file, &acquirer).await?;
        let routes = crate::control::acquirer_routes(acquirer.handle().clone());
        let control =
            crate::control::serve(at(ports.control), routes.merge(opened.control)).await?;

        let mut till: TerminalFile =
            config::parse(include_str!("../../../../examples/terminal.toml"))?;
        let printer: PrinterFile =
            config::parse(include_str!("../../../../examples/printer.toml"))?;
        till.installed = printer.resolve()?;
        let goods: GoodsFile = config::parse(include_str!("../../../../examples/goods.toml"))?;
        till.stock = goods.goods;
        till.timeouts = ladder;
        till.acquirer = acquirer.address.ok_or("the acquirer does not listen")?;
        till.query_ms = 1_000;
        till.dialogue_ms = 20_000;
        till.goods_question_ms = 5_000;
        till.idle_report_ms = 300;
        // A till that was told no limit: the demonstration shows that the hosts refuse.
        till.percents.adjust = u16::MAX;
        till.eslip = opened.address.map(|at| format!("http://{at}/r"));
        till.eslip_after_ms = 300;
        let world = Self {
            data: data.to_owned(),
            acquirer,
            network,
            issuer,
            second,
            centre,
            upstream,
            bank,
            wallet,
            notices,
            stage: Arc::default(),
            till,
            public: opened.address,
            control,
            ports,
            acquirer_file,
        };
        world.signed_on().await?;
        Ok(world)
    }

    /// Opens the shop, its lab and the desk.
    pub async fn open_pages(&self) -> Result<Pages, Problem> {
        let public = self.public.ok_or("the public pages have no address")?;
        let (shop, shown) = Till::start(self, SHOP_TILL).await?.hand_over()?;
        let till = shop
            .open(at(self.ports.till), shown, format!("http://{public}/"))
            .await?;
        let shop = Arc::new(shop);
        let mut links = vec![
            (format!("http://{till}/"), ("收银台", "Till")),
            (
                format!("http://{public}/"),
                ("我的钱在哪里（持卡人）", "Where is my money (cardholder)"),
            ),
        ];
        let lab = Lab::new(self, Arc::clone(&shop), links.clone())?;
        let desk = crate::desk::open(&self.acquirer_file, &self.acquirer, lab::routes(lab)).await?;
        let desk = desk.ok_or("the desk has no address")?;
        let staff = Person {
            name: "demo".to_owned(),
            role: Role::Supervisor,
            merchant: None,
        };
        for (path, name) in [
            ("/console".to_owned(), ("运营台", "Console")),
            (
                format!("/merchant?merchant={}", shop.merchant),
                ("商户", "Merchant"),
            ),
        ] {
            let entry = desk
                .people
                .entry_link(&staff)
                .map_err(|refused| format!("{refused:?}"))?;
            let next = path.replace('?', "%3F").replace('=', "%3D");
            links.push((format!("http://{}{entry}?next={next}", desk.address), name));
        }
        links.push((
            format!("http://{}/lab", desk.address),
            ("故障实验室", "Fault lab"),
        ));
        Ok(Pages {
            links,
            desk: desk.address,
            shop,
        })
    }

    /// Waits until every member has its keys from the network.
    async fn signed_on(&self) -> Result<(), Problem> {
        let acquirer = self.acquirer.handle().clone();
        super::until(std::time::Duration::from_secs(20), || async {
            let acquirer = acquirer
                .look(|a, _| a.state().signed_on())
                .await
                .unwrap_or(false);
            let mut everybody = acquirer;
            for issuer in [&self.issuer, &self.second, &self.centre] {
                let look = issuer.handle().look(|i, _| i.link().signed_on());
                everybody &= look.await.unwrap_or(false);
            }
            everybody.then_some(())
        })
        .await
        .ok_or_else(|| "acquirer and issuers did not sign on to the network".to_owned())
    }

    /// The acquirer.
    pub fn acquirer(&self) -> &DriverHandle<Acquirer> {
        self.acquirer.handle()
    }

    /// The issuer.
    pub fn issuer(&self) -> &DriverHandle<Issuer> {
        self.issuer.handle()
    }

    /// Every issuer whose accounts are in `unit`.
    pub fn issuers_in(&self, unit: Currency) -> Vec<&DriverHandle<Issuer>> {
        match unit {
            BARTER_UNIT => vec![self.centre.handle()],
            _ => vec![self.issuer.handle(), self.second.handle()],
        }
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
        self.hosts().notices()
    }

    /// The issuer's name for a card.
    pub(super) fn token(&self, card: &Pan) -> Result<PanToken, Problem> {
        let sealed = self.issuer.module().card(card, crate::driver::wall().day());
        sealed
            .map(|card| card.token)
            .map_err(|error| error.to_string())
    }

    /// Ways to the hosts.
    pub(super) fn hosts(&self) -> Hosts {
        Hosts {
            acquirer: self.acquirer().clone(),
            issuer: self.issuer().clone(),
            upstream: self.upstream.clone(),
            bank: self.bank.clone(),
            ladder: self.ladder(),
            stage: Arc::clone(&self.stage),
            notices: Arc::clone(&self.notices),
        }
    }

    /// Stops the hosts. Blocks: not for a runtime thread.
    pub fn stop(self) -> Result<(), String> {
        self.acquirer.stop()?;
        self.issuer.stop()?;
        self.second.stop()?;
        self.centre.stop()?;
        self.network.stop()
    }
}

//! Starts a party of its configuration file: journal, driver, links, control port. The same for a process and for the demo.

use crate::archive::{Projector, Role};
use crate::config::acquirer::AcquirerFile;
use crate::config::issuer::IssuerFile;
use crate::config::network::NetworkFile;
use crate::config::security::PartyModule;
use crate::config::terminal::TerminalFile;
use crate::config::{Problem, Profile};
use crate::driver::{Driven, Driver, DriverHandle, Local, Settings};
use crate::fleet::{self, Fleet};
use crate::link::{
    Connecting, Dialing, Limits, Listening, connect_member, dial, listen_members, listen_terminals,
};
use crate::printer::{self, SpoolLine};
use crate::recall::recall;
use crate::trace::Tracer;
use crate::wallet::WalletAsker;
use crate::webhook::{self, Webhook};
use acquirer::Acquirer;
use iso8583::frame::Framing;
use issuer::Issuer;
use network::Network;
use payment::Institution;
use receipt::{InstalledPrinter, SpoolInput};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc;

/// What works beside a party and never holds it up.
#[derive(Debug)]
struct Beside {
    archive: Option<Projector>,
    tracer: Option<Tracer>,
}

/// A running party with its links; they end when it is stopped or dropped.
#[derive(Debug)]
pub struct Running<P: Driven> {
    driver: Driver<P>,
    beside: Beside,
    module: PartyModule,
    /// Where it listens, for a party that does.
    pub address: Option<SocketAddr>,
    /// Kept for what ends when they are dropped.
    links: (Vec<Listening>, Vec<Connecting>),
}

impl<P: Driven> Running<P> {
    /// A handle to the party.
    pub fn handle(&self) -> &DriverHandle<P> {
        self.driver.handle()
    }

    /// The projector of its archive, when it keeps one.
    pub fn archive(&self) -> Option<&Projector> {
        self.beside.archive.as_ref()
    }

    /// The party's security module.
    pub fn module(&self) -> &PartyModule {
        &self.module
    }

    /// Ends the links, makes everything durable and stops. Blocks: not for a runtime thread.
    pub fn stop(self) -> Result<(), String> {
        drop(self.links);
        self.driver.stop()?;
        let Beside { archive, tracer } = self.beside;
        tracer.into_iter().for_each(Tracer::finish);
        archive.map_or(Ok(()), |archive| {
            archive.catch_up().map_err(|error| error.to_string())
        })
    }

    /// Waits until it stops by itself or is asked to. Blocks.
    pub fn join(self) -> Result<(), String> {
        let result = self.driver.join();
        drop(self.links);
        result
    }
}

/// Where a party keeps its files, and how.
struct Place<'a> {
    data: &'a Path,
    role: Role,
    traces: Option<&'a str>,
    profile: Profile,
    archive: bool,
}

fn drive<P: Driven>(
    party: P,
    module: PartyModule,
    place: &Place<'_>,
    local: Local<P>,
) -> Result<(Driver<P>, Beside), Problem> {
    let data = place.data;
    std::fs::create_dir_all(data).map_err(|error| format!("{}: {error}", data.display()))?;
    let settings = Settings::new(
        data.join("journal.db"),
        place.role.name(),
        place.profile.name(),
    );
    let driver = Driver::start(party, Box::new(module), settings, local)
        .map_err(|error| error.to_string())?;
    let archive = match place.archive {
        true => {
            let observed = Arc::clone(driver.handle().observed());
            Some(Projector::start(data, observed).map_err(|error| error.to_string())?)
        }
        false => None,
    };
    let tracer = Tracer::start(place.traces, place.role, driver.handle())?;
    Ok((driver, Beside { archive, tracer }))
}

/// Starts an acquirer. Must be called on the runtime.
pub fn acquirer(file: &AcquirerFile) -> Result<Running<Acquirer>, Problem> {
    let (config, module) = file.resolve()?;
    let inbound = file.link()?.inbound()?;
    let outbound = file.network.link(file.profile)?.outbound()?;
    let network = config.network;
    let (recall, looks) = recall();
    let asker: Arc<OnceLock<WalletAsker>> = Arc::default();
    let wallet = Arc::clone(&asker);
    let asks_wallet = file.wallet.is_some();
    let local: Local<Acquirer> = Box::new(move |effect| match effect {
        acquirer::Effect::CaseOpened { case, key } => {
            tracing::warn!(case, sale = %key, "case opened: people must look");
        }
        acquirer::Effect::Recall { wanted, question } => recall.ask(wanted, question),
        acquirer::Effect::Wallet { request, rrn, card } if asks_wallet => {
            wallet.wait().ask(request, rrn, &card);
        }
        _ => {}
    });
    let place = Place {
        data: &file.data,
        role: Role::Acquirer,
        traces: file.traces.as_deref(),
        profile: file.profile,
        archive: file.archive,
    };
    let party = match file.archive {
        true => Acquirer::new(config).with_archive(),
        false => Acquirer::new(config),
    };
    let (driver, beside) = drive(party, module.clone(), &place, local)?;
    let looking = looks.start(file.data.clone(), driver.handle().clone());
    looking.map_err(|error| format!("recall: {error}"))?;
    if let Some(text) = &file.wallet {
        // It is set once, here.
        let _ = asker.set(WalletAsker::start(
            text,
            module.clone(),
            driver.handle().clone(),
        ));
    }
    let listening = listen_terminals(
        file.listen,
        Framing::Terminal,
        inbound,
        Limits::default(),
        driver.handle().clone(),
    )
    .map_err(|error| format!("listen {}: {error}", file.listen))?;
    let address = Some(listening.address());
    let connecting = connect_member(
        file.network.address.to_string(),
        network,
        outbound,
        Limits::default(),
        driver.handle().clone(),
    );
    Ok(Running {
        driver,
        beside,
        module,
        address,
        links: (vec![listening], vec![connecting]),
    })
}

/// Starts a network. Must be called on the runtime.
pub fn network(file: &NetworkFile) -> Result<Running<Network>, Problem> {
    let (config, module) = file.resolve()?;
    let inbound = file.link()?.inbound()?;
    let members: Vec<Institution> = config
        .members
        .iter()
        .map(|member| member.institution)
        .collect();
    let place = Place {
        data: &file.data,
        role: Role::Network,
        traces: file.traces.as_deref(),
        profile: file.profile,
        archive: file.archive,
    };
    let (driver, beside) = drive(
        Network::new(config),
        module.clone(),
        &place,
        Box::new(|_| {}),
    )?;
    let listening = listen_members(
        file.listen,
        members,
        inbound,
        Limits::default(),
        driver.handle().clone(),
    )
    .map_err(|error| format!("listen {}: {error}", file.listen))?;
    let address = Some(listening.address());
    Ok(Running {
        driver,
        beside,
        module,
        address,
        links: (vec![listening], Vec::new()),
    })
}

/// Who is told of notices to cardholders, beside log and webhook.
pub type NoticeWatch = Box<dyn FnMut(&issuer::Notice) + Send>;

/// Starts an issuer. Must be called on the runtime.
pub fn issuer(
    file: &IssuerFile,
    mut watch: Option<NoticeWatch>,
) -> Result<Running<Issuer>, Problem> {
    let (config, module) = file.resolve()?;
    let outbound = file.network.link(file.profile)?.outbound()?;
    let network = config.network;
    let webhook = file.webhook.as_ref().map(|text| {
        Webhook::start(webhook::Settings::new(
            text.url.clone(),
            text.secret.reveal().as_bytes().to_vec(),
        ))
    });
    let local: Local<Issuer> = Box::new(move |effect| {
        if let issuer::Effect::Notice(notice) = effect {
            tracing::info!(notice = %notice.text(false), "notice to the cardholder");
            if let Some(watch) = &mut watch {
                watch(&notice);
            }
            if let Some(webhook) = &webhook {
                webhook.notify(&notice_id(&notice), notice_event(&notice).to_string());
            }
        }
    });
    let place = Place {
        data: &file.data,
        role: Role::Issuer,
        traces: file.traces.as_deref(),
        profile: file.profile,
        archive: file.archive,
    };
    let (driver, beside) = drive(Issuer::new(config), module.clone(), &place, local)?;
    let connecting = connect_member(
        file.network.address.to_string(),
        network,
        outbound,
        Limits::default(),
        driver.handle().clone(),
    );
    Ok(Running {
        driver,
        beside,
        module,
        address: None,
        links: (Vec::new(), vec![connecting]),
    })
}

/// Names the notice for its receiver, who may get it twice.
fn notice_id(notice: &issuer::Notice) -> String {
    format!("{}-{:?}", notice.rrn, notice.kind).to_lowercase()
}

fn notice_event(notice: &issuer::Notice) -> serde_json::Value {
    serde_json::json!({
        "type": "cardholder.notice",
        "card": notice.card.masked(),
        "amount_minor": notice.amount.minor,
        "rrn": notice.rrn.to_string(),
        "at_ms": notice.at.0,
        "text": { "zh-CN": notice.text(true), "en": notice.text(false) },
    })
}

/// What a terminal shows, with its place in the row.
pub type Shown = (u32, terminal::Screen);

/// Starts a row of terminals; what they show arrives on the returned channel. Must be called on the runtime.
pub fn terminals(
    file: &TerminalFile,
) -> Result<(Running<Fleet>, mpsc::UnboundedReceiver<Shown>), Problem> {
    let (configs, module) = file.resolve()?;
    let outbound = file.link()?.outbound()?;
    let places = configs.len() as u32;
    let (screens, shown) = mpsc::unbounded_channel();
    let lines: Arc<OnceLock<Vec<SpoolLine>>> = Arc::default();
    let spools = Arc::clone(&lines);
    let local: Local<Fleet> = Box::new(move |effect| match effect.effect {
        terminal::Effect::Show(screen) => {
            // Nobody may be looking any more; the journal has it all the same.
            let _ = screens.send((effect.place, screen));
        }
        terminal::Effect::Printer(spool) => {
            if let Some(line) = spools.wait().get(effect.place as usize) {
                let _ = line.blocking_send(spool);
            }
        }
        terminal::Effect::Send { .. } | terminal::Effect::HangUp { .. } => {}
    });
    let place = Place {
        data: &file.data,
        role: Role::Terminal,
        traces: file.traces.as_deref(),
        profile: file.profile,
        archive: file.archive,
    };
    let (driver, beside) = drive(Fleet::new(configs), module.clone(), &place, local)?;
    let dialing = match file.connections {
        0 => Dialing::Short,
        lines => Dialing::Kept { lines },
    };
    dial(
        file.acquirer.to_string(),
        Framing::Terminal,
        dialing,
        outbound,
        Limits::default(),
        driver.handle().clone(),
    );
    if let Some(address) = &file.printer {
        let installed = InstalledPrinter {
            line_bytes_per_s: address.line_bytes_per_s(),
            ..file.installed
        };
        install(driver.handle(), places, installed)?;
    }
    let printers = file.printer.as_ref().map_or(Vec::new(), |address| {
        (0..places)
            .map(|place| printer::connect(address.clone(), place, driver.handle().clone()))
            .collect()
    });
    let _ = lines.set(printers);
    Ok((
        Running {
            driver,
            beside,
            module,
            address: None,
            links: (Vec::new(), Vec::new()),
        },
        shown,
    ))
}

/// Tells every spool what its printer's word is worth, before the first line to a printer is opened.
fn install(
    handle: &DriverHandle<Fleet>,
    places: u32,
    installed: InstalledPrinter,
) -> Result<(), Problem> {
    for place in 0..places {
        let input = terminal::Input::Printer(SpoolInput::Installed(installed));
        handle
            .send(fleet::Input::One(place, Box::new(input)))
            .map_err(|refused| refused.to_string())?;
    }
    Ok(())
}

//! The measured world: acquirer, network and issuer as child processes of this program, the tills in this process.
//!
//! Every party flushes its own journal before it answers. What a child leaves on disk is all that the audit reads.

use super::machine;
use crate::archive;
use crate::authority::{Authority, CERTIFICATE_DAYS};
use crate::config::{self, Problem, terminal::TerminalFile};
use crate::fault::Hop;
use crate::link::{Identity, TerminalRow};
use iso8583::frame::Framing;
use payment::timeouts::Ladder;
use serde::Deserialize;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use tokio::runtime::Runtime;

/// How long a process may take until it answers.
const START: Duration = Duration::from_secs(60);
/// Listening ports lie below the range that clients draw from.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// Cards, one for each till at most.
pub(super) const CARDS: u32 = 1_000;
/// First digits of the cards, and their length without the check digit.
const CARD_BODY: &str = "622848100000000";
/// The cards' PIN and expiry, published test values.
pub(super) const PIN: &str = "123456";
pub(super) const EXPIRY: u16 = 3_012;
/// Master keys of their chips, published test values.
pub(super) const IMK: &str = "F0C34A8124CEE0A91A0B034AA97D6EAC";
pub(super) const SMI: &str = "46B0AA84C9AB2CC87FBD7C736E515C06";

/// Which time-outs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ladders {
    /// As shipped.
    Default,
    /// The demo's short ones, to see healing without a long wait.
    Demo,
}

/// What world to build.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) data: PathBuf,
    pub(super) terminals: u16,
    pub(super) connections: u16,
    /// The issuer's cards have chips.
    pub(super) chip: bool,
    pub(super) ladders: Ladders,
    /// A breakable hop between acquirer and network.
    pub(super) breakable: bool,
    /// TLS on every link, with an authority of the world's own.
    pub(super) tls: bool,
    /// The acquirer opens its desk.
    pub(super) desk: bool,
}

/// The running world; dropping it ends the processes.
pub(super) struct World {
    hosts: Vec<Host>,
    data: PathBuf,
    pub(super) runtime: Runtime,
    pub(super) till: TerminalFile,
    pub(super) hop: Option<Hop>,
    /// Where the acquirer's desk is.
    pub(super) desk: Option<SocketAddr>,
}

struct Host {
    name: &'static str,
    child: Child,
    control: SocketAddr,
}

impl Drop for Host {
    fn drop(&mut self) {
        // Everything it has answered is on disk; a kill loses nothing, and the audit reads what is there.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process has used so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Usage {
    /// Name, CPU microseconds, control port, milliseconds that the archive is behind.
    pub(super) hosts: Vec<(&'static str, u64, Status, u64)>,
    /// This process: load tool and tills.
    pub(super) own_cpu_us: u64,
    pub(super) machine_us: (u64, u64),
}

/// Of a party's control port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Status {
    pub(super) records: u64,
    pub(super) record_bytes: u64,
    pub(super) flushes: u64,
    pub(super) flush_p50_us: u64,
    pub(super) flush_p99_us: u64,
}

impl World {
    pub(super) fn start(plan: &Plan) -> Result<Self, Problem> {
        let data = &plan.data;
        let problem = |error: std::io::Error| format!("{}: {error}", data.display());
        if data.exists() {
            fs::remove_dir_all(data).map_err(problem)?;
        }
        fs::create_dir_all(data).map_err(problem)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let links = if plan.tls {
            Links::secured(plan)?
        } else {
            Links::plain()
        };
        let mut ports = free_ports();
        let mut port = || ports.next().ok_or("no free port below 32000".to_owned());
        let at = Addresses {
            acquirer: port()?,
            network: port()?,
            controls: [port()?, port()?, port()?],
            desk: plan.desk.then(&mut port).transpose()?,
        };
        let mut hosts = vec![Host::start(
            "network",
            at.controls[1],
            &network_toml(plan, &at, &links),
            data,
        )?];
        let hop = match plan.breakable {
            true => Some(
                runtime
                    .block_on(Hop::start(at.network, Framing::Host))
                    .map_err(|error| format!("fault relay: {error}"))?,
            ),
            false => None,
        };
        let upstream = hop.as_ref().map_or(at.network, Hop::address);
        hosts.push(Host::start(
            "issuer",
            at.controls[2],
            &issuer_toml(plan, &at, &links),
            data,
        )?);
        let acquirer = acquirer_toml(plan, &at, upstream, &links);
        hosts.push(Host::start("acquirer", at.controls[0], &acquirer, data)?);
        let till = config::parse(&terminal_toml(plan, &at, &links))?;
        Ok(Self {
            hosts,
            data: data.clone(),
            runtime,
            till,
            hop,
            desk: at.desk,
        })
    }

    /// CPU time and flushes up to now.
    pub(super) fn usage(&self) -> Result<Usage, Problem> {
        let hosts = self.hosts.iter().map(|host| {
            let cpu = machine::process_cpu_us(host.child.id())
                .ok_or(format!("{} has ended", host.name))?;
            let lag =
                archive::lag(&self.data.join(host.name)).map_err(|error| error.to_string())?;
            Ok((host.name, cpu, status(host.control)?, lag.ms))
        });
        Ok(Usage {
            hosts: hosts.collect::<Result<_, Problem>>()?,
            own_cpu_us: machine::process_cpu_us(std::process::id()).unwrap_or_default(),
            machine_us: machine::machine_cpu_us().unwrap_or_default(),
        })
    }

    /// CPU microseconds that the acquirer has used.
    pub(super) fn acquirer_cpu_us(&self) -> Result<u64, Problem> {
        let acquirer = self.hosts.iter().find(|host| host.name == "acquirer");
        let used = acquirer.and_then(|host| machine::process_cpu_us(host.child.id()));
        used.ok_or("the acquirer has ended".to_owned())
    }

    /// Ends the processes; gives where their journals are.
    pub(super) fn stop(self) -> PathBuf {
        self.data
    }
}

impl Host {
    fn start(
        name: &'static str,
        control: SocketAddr,
        toml: &str,
        data: &Path,
    ) -> Result<Self, Problem> {
        let config = data.join(format!("{name}.toml"));
        fs::write(&config, toml).map_err(|error| format!("{}: {error}", config.display()))?;
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        let child = command
            .arg(name)
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("{name}: {error}"))?;
        let mut host = Self {
            name,
            child,
            control,
        };
        let until = Instant::now() + START;
        while status(control).is_err() {
            if let Ok(Some(ended)) = host.child.try_wait() {
                return Err(format!("{name}: {ended}"));
            }
            if Instant::now() > until {
                return Err(format!("{name} did not start within {START:?}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(host)
    }
}

fn status(control: SocketAddr) -> Result<Status, Problem> {
    let mut answer = ureq::get(format!("http://{control}/v1/status"))
        .call()
        .map_err(|error| error.to_string())?;
    let text = answer
        .body_mut()
        .read_to_string()
        .map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// Ports that nobody listens on now, beginning at another one for each process.
fn free_ports() -> impl Iterator<Item = SocketAddr> {
    let (first, count) = (PORTS.start, u32::from(PORTS.end - PORTS.start));
    let begin = std::process::id().wrapping_mul(61) % count;
    (0..count).filter_map(move |n| {
        let port = first + u16::try_from((begin + n) % count).ok()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        TcpListener::bind(address).is_ok().then_some(address)
    })
}

struct Addresses {
    acquirer: SocketAddr,
    network: SocketAddr,
    controls: [SocketAddr; 3],
    desk: Option<SocketAddr>,
}

/// What the files say of their links, one line each.
struct Links {
    to_acquirer: String,
    to_network: String,
    of_acquirer: String,
    of_issuer: String,
    of_terminals: String,
}

impl Links {
    fn plain() -> Self {
        let plain = || "plain = true\n".to_owned();
        Self {
            to_acquirer: plain(),
            to_network: plain(),
            of_acquirer: plain(),
            of_issuer: plain(),
            of_terminals: plain(),
        }
    }

    fn secured(plan: &Plan) -> Result<Self, Problem> {
        let now = SystemTime::now();
        let mut authority = Authority::create(&plan.data.join("authority"), now)?;
        let mut line = |identity: Identity, server: Option<&str>| {
            let (files, _) = authority.issue(&identity, CERTIFICATE_DAYS, now)?;
            let [ca, certificate, key, crl] =
                [&files.ca, &files.certificate, &files.key, &files.crl].map(|f| toml_text(f));
            let name = server.map_or(String::new(), |name| format!(", name = \"{name}\""));
            Ok::<_, Problem>(format!(
                "tls = {{ ca = {ca}, certificate = {certificate}, key = {key}, crl = {crl}{name} }}\n"
            ))
        };
        let (acquirer, network) = ("acquirer.example", "network.example");
        let server = |name: &str| Identity::Server(name.to_owned());
        let member = |code| config::institution(code).map(Identity::Member);
        let terminals = TerminalRow::new("T0000001", u32::from(plan.terminals), MERCHANT)?;
        Ok(Self {
            to_acquirer: line(server(acquirer), None)?,
            to_network: line(server(network), None)?,
            of_acquirer: line(member("48500001")?, Some(network))?,
            of_issuer: line(member("1030000")?, Some(network))?,
            of_terminals: line(Identity::Terminals(terminals), Some(acquirer))?,
        })
    }
}

const ACQUIRER_KEK: &str = "clear:A1B2C3D4E5F60718293A4B5C6D7E8F90";
const ISSUER_KEK: &str = "clear:1A2B3C4D5E6F708192A3B4C5D6E7F809";
const TMK: &str = "clear:0123456789ABCDEFFEDCBA9876543210";
const MERCHANT: &str = "898100053110001";

/// What every file begins with. The sandbox's keys are published values.
fn head(plan: &Plan, name: &str, last: &str) -> String {
    let data = toml_text(&plan.data.join(name));
    let keys = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E";
    format!("profile = \"sandbox\"\ndata = {data}\nlocal_master_key = \"clear:{keys}{last}\"\n")
}

fn toml_text(path: &Path) -> String {
    // A JSON string is a basic string of TOML as well.
    serde_json::Value::String(path.to_string_lossy().into_owned()).to_string()
}

fn ladder(plan: &Plan) -> String {
    let Ladder {
        issuer_ms,
        network_ms,
        acquirer_ms,
        terminal_ms,
    } = match plan.ladders {
        Ladders::Default => Ladder::default(),
        Ladders::Demo => Ladder::DEMO,
    };
    format!(
        "[timeouts]\nissuer_ms = {issuer_ms}\nnetwork_ms = {network_ms}\nacquirer_ms = {acquirer_ms}\nterminal_ms = {terminal_ms}\n"
    )
}

fn acquirer_toml(plan: &Plan, at: &Addresses, upstream: SocketAddr, links: &Links) -> String {
    let desk = at
        .desk
        .map_or_else(String::new, |at| format!("desk_listen = \"{at}\"\n"));
    format!(
        "{}{}{desk}listen = \"{}\"\ncontrol = \"{}\"\ninstitution = \"48500001\"\n{}\
         [network]\ninstitution = \"10000\"\naddress = \"{upstream}\"\nkek = \"{ACQUIRER_KEK}\"\n{}\
         [[merchants]]\nid = \"{MERCHANT}\"\nname = \"Bench\"\ncategory = 5411\n\
         [[terminals]]\nid = \"T0000001\"\ncount = {}\nmerchant = \"{MERCHANT}\"\ntmk = \"{TMK}\"\n",
        head(plan, "acquirer", "1F"),
        links.to_acquirer,
        at.acquirer,
        at.controls[0],
        ladder(plan),
        links.of_acquirer,
        plan.terminals,
    )
}

fn network_toml(plan: &Plan, at: &Addresses, links: &Links) -> String {
    format!(
        "{}{}listen = \"{}\"\ncontrol = \"{}\"\ninstitution = \"10000\"\n{}\
         [[members]]\ninstitution = \"48500001\"\nname_zh = \"收单\"\nname_en = \"Acquirer\"\nkek = \"{ACQUIRER_KEK}\"\n\
         [[members]]\ninstitution = \"1030000\"\nname_zh = \"银行\"\nname_en = \"Bank\"\nkek = \"{ISSUER_KEK}\"\n\
         [[routes]]\nprefix = \"622848\"\nissuer = \"1030000\"\n",
        head(plan, "network", "2F"),
        links.to_network,
        at.network,
        at.controls[1],
        ladder(plan),
    )
}

fn issuer_toml(plan: &Plan, at: &Addresses, links: &Links) -> String {
    let (keys, chip) = match plan.chip {
        true => (
            format!("[chip]\nimk = \"clear:{IMK}\"\nsmi = \"clear:{SMI}\"\n"),
            "chip = \"01\"\n",
        ),
        false => (String::new(), ""),
    };
    format!(
        "{}control = \"{}\"\ninstitution = \"1030000\"\npvk = \"clear:0B1C2D3E4F5061728394A5B6C7D8E9FA\"\n{}{keys}\
         [network]\ninstitution = \"10000\"\naddress = \"{}\"\nkek = \"{ISSUER_KEK}\"\n{}\
         [[cards]]\npan = \"{CARD_BODY}0\"\ncount = {CARDS}\npin = \"{PIN}\"\nholder = \"Bench\"\nexpiry = {EXPIRY}\n\
         balance_minor = 900000000000\ndaily_limit_minor = 900000000000\ndaily_count_limit = 4000000000\n{chip}",
        head(plan, "issuer", "3F"),
        at.controls[2],
        ladder(plan),
        at.network,
        links.of_issuer,
    )
}

fn terminal_toml(plan: &Plan, at: &Addresses, links: &Links) -> String {
    format!(
        "{}{}acquirer = \"{}\"\nconnections = {}\nid = \"T0000001\"\ncount = {}\nmerchant = \"{MERCHANT}\"\n\
         merchant_name = \"Bench\"\nacquirer_name = \"Bench\"\ntmk = \"{TMK}\"\nidle_report_ms = 86400000\n{}",
        head(plan, "terminal", "4F"),
        links.of_terminals,
        at.acquirer,
        plan.connections,
        plan.terminals,
        ladder(plan),
    )
}

/// The numbers of the cards, made as the issuer makes them.
pub(super) fn cards() -> impl Iterator<Item = String> {
    let first: u64 = CARD_BODY.parse().unwrap_or_default();
    (0..u64::from(CARDS)).filter_map(move |n| {
        let body = (first + n).to_string();
        let check = crypto::luhn_check_digit(body.as_bytes())?;
        Some(format!("{body}{}", char::from(check)))
    })
}

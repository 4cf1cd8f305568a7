//! The acquirer's public port: where a cardholder's money is, and the certificates that prove how a sale ended.
//!
//! Pages move no money and hold no more of a card than four digits; the listener is loopback only, whatever faces the
//! public stands before it and names the peer in `X-Forwarded-For`.

mod found;
pub(crate) mod limit;
mod money;
mod ticket;

pub(crate) use found::chain;
pub use limit::{FACT_MISSES_PER_HOUR, MISS_PAGES, PAGES_PER_MINUTE, PEERS_MAX};
pub use money::{FOLLOWERS_MAX, FORM_BYTES_MAX};
pub use ticket::{TICKET_LIFE, TICKETS_MAX};

use crate::config::Problem;
use crate::config::acquirer::AcquirerFile;
use crate::config::issuer::WebhookText;
use crate::config::keys::Keyring;
use crate::config::security::PartyModule;
use crate::driver::DriverHandle;
use crate::outbox::{Outbox, Refusal};
use crate::party::Running;
use crate::{view, web, webhook};
use acquirer::Acquirer;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use crypto::{KeyUsage, SecurityModule, WrappedKey};
use limit::Limit;
use money::{Asks, Fact};
use payment::certificate::{PAYLOAD_LENGTH, Signed};
use payment::{LinkId, MerchantId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use ticket::Tickets;
use tokio::sync::Semaphore;

/// Where the public key is published.
pub const KEY_PATH: &str = "/.well-known/counterfoil-certificate-key";
const VERIFY: &str = include_str!("../../../docs/verify.html");
/// Certificates in one answer of the control port.
pub const EXPORT_LINES_MAX: u32 = 1_000;

/// Signs certificates, on demand.
#[derive(Debug)]
pub struct Certifier {
    module: Mutex<PartyModule>,
    key: WrappedKey,
    public: [u8; 32],
}

impl Certifier {
    /// The key of the acquirer's file, in a module of its own.
    ///
    /// # Errors
    /// The key does not load.
    pub fn new(file: &AcquirerFile) -> Result<Option<Self>, Problem> {
        let Some(text) = &file.certificate_key else {
            return Ok(None);
        };
        let keys = Keyring::open(
            file.local_master_key.as_ref(),
            file.security.as_ref(),
            file.profile,
            file.key_store.as_deref(),
        )?;
        let key = text.load(&keys, KeyUsage::Certificate, "certificate_key")?;
        let module = keys.module;
        let public = module
            .certificate_key(&key)
            .map_err(|error| error.to_string())?;
        Ok(Some(Self {
            module: Mutex::new(module),
            key,
            public,
        }))
    }

    /// The public key, as hex.
    pub fn public_hex(&self) -> String {
        self.public
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect()
    }

    fn sign(&self, payload: [u8; PAYLOAD_LENGTH]) -> Result<Signed, String> {
        let module = self.module.lock().unwrap_or_else(PoisonError::into_inner);
        let signature = module
            .sign_certificate(&self.key, &payload)
            .map_err(|error| error.to_string())?;
        Ok(Signed { payload, signature })
    }

    /// Each of them signed.
    ///
    /// # Errors
    /// The module refused.
    pub(crate) fn sign_all(
        &self,
        payloads: &[[u8; PAYLOAD_LENGTH]],
    ) -> Result<Vec<Signed>, String> {
        payloads.iter().map(|payload| self.sign(*payload)).collect()
    }
}

/// Everything the pages need.
#[derive(Clone, Debug)]
struct Desk {
    handle: DriverHandle<Acquirer>,
    data: PathBuf,
    certifier: Option<Arc<Certifier>>,
    merchants: Arc<BTreeMap<MerchantId, String>>,
    peers: Arc<Mutex<Limit<IpAddr>>>,
    facts: Arc<Mutex<Limit<Fact>>>,
    tickets: Arc<Mutex<Tickets>>,
    /// Places of pages that are kept live.
    followers: Arc<Semaphore>,
    outbox: Option<Arc<Outbox>>,
    /// The public address that messages carry.
    base: Option<String>,
}

/// Where the pages are served, and the routes for the control port.
#[derive(Debug)]
pub struct Opened {
    /// Where the public pages are served, when they are.
    pub address: Option<SocketAddr>,
    /// `/v1/certificate…`, for the control port.
    pub control: Router,
}

/// Serves the public pages of a running acquirer as its file says. Must be called on the runtime.
///
/// # Errors
/// The key does not load, or the address cannot be taken.
pub async fn open(file: &AcquirerFile, running: &Running<Acquirer>) -> Result<Opened, Problem> {
    let (config, _) = file.resolve()?;
    let merchants = config
        .merchants
        .into_iter()
        .map(|(id, setup)| (id, setup.name));
    let desk = Desk {
        handle: running.handle().clone(),
        data: file.data.clone(),
        certifier: Certifier::new(file)?.map(Arc::new),
        merchants: Arc::new(merchants.collect()),
        peers: Arc::new(Mutex::new(Limit::of_peers())),
        facts: Arc::new(Mutex::new(Limit::of_facts())),
        tickets: Arc::default(),
        followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
        outbox: outbox(file)?.map(Arc::new),
        base: file.eslip.clone(),
    };
    let address = match file.eslip_listen {
        Some(address) => Some(serve(address, desk.clone()).await?),
        None => None,
    };
    let control = Router::new()
        .route("/v1/certificates", get(export))
        .route("/v1/certificate-key", get(key))
        .route("/v1/certificate/{*reference}", get(of_sale))
        .route("/v1/send/{*reference}", post(send_sale))
        .with_state(desk);
    Ok(Opened { address, control })
}

/// The outbox, where a gateway is configured.
fn outbox(file: &AcquirerFile) -> Result<Option<Outbox>, Problem> {
    let gateway = |text: &Option<WebhookText>| {
        let text = text.as_ref()?;
        let secret = text.secret.reveal().as_bytes().to_vec();
        Some(webhook::Settings::new(text.url.clone(), secret))
    };
    if file.sms.is_none() && file.mail.is_none() {
        return Ok(None);
    }
    if file.eslip.is_none() {
        return Err("sms and mail need eslip, the public address of the links".to_owned());
    }
    Outbox::open(&file.data, gateway(&file.sms), gateway(&file.mail)).map(Some)
}

async fn serve(address: SocketAddr, desk: Desk) -> Result<SocketAddr, Problem> {
    if !address.ip().is_loopback() {
        return Err(format!(
            "eslip_listen {address}: must be a loopback address"
        ));
    }
    let routes = Router::new()
        .route("/", get(money::ask).post(money::find))
        .route("/{way}/{id}", get(money::page))
        .route("/{way}/{id}/slip.svg", get(money::picture))
        .route("/{way}/{id}/send", post(money::send))
        .route("/{way}/{id}/declare", post(money::declare))
        .route("/{way}/{id}/events", get(money::events))
        .route("/verify", get(verify))
        .route(KEY_PATH, get(key))
        .fallback(money::nowhere)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(desk);
    let routes = web::site(routes);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| format!("eslip_listen {address}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    Ok(address)
}

/// The same for a cashier or an operator, by the control port.
async fn send_sale(
    State(desk): State<Desk>,
    Path(reference): Path<String>,
    axum::Json(asked): axum::Json<Asks>,
) -> Result<StatusCode, (StatusCode, String)> {
    let found = desk.handle.look(move |acquirer, _| {
        view::find(acquirer.state(), &reference).and_then(|sale| sale.link)
    });
    let link = found
        .await
        .map_err(|refused| unavailable(format!("{refused:?}")))?
        .ok_or((
            StatusCode::NOT_FOUND,
            "no such sale, or it has no link".to_owned(),
        ))?;
    desk.send(asked.to.trim().to_owned(), link)
        .await
        .map(|()| StatusCode::ACCEPTED)
        .map_err(|refusal| (StatusCode::BAD_REQUEST, refusal.words().1.to_owned()))
}

/// The slip of the sale behind a link as a picture; none where it has none or the archive does not know it yet.
pub(crate) fn slip_picture(data: &std::path::Path, link: LinkId, merchant: &str) -> Option<String> {
    let mut found = found::find(data, found::Named::Link(link)).ok()??;
    found.view.merchant = merchant.to_owned();
    pages::cardholder::picture(&found.view)
}

impl Desk {
    async fn send(&self, to: String, link: LinkId) -> Result<(), Refusal> {
        let (Some(outbox), Some(base)) = (self.outbox.clone(), self.base.clone()) else {
            return Err(Refusal::Channel);
        };
        tokio::task::spawn_blocking(move || outbox.send(&to, link, &base))
            .await
            .map_err(|error| Refusal::Disk(error.to_string()))?
    }

    fn merchant<'a>(&'a self, id: &'a str) -> &'a str {
        MerchantId::parse(id.as_bytes())
            .and_then(|id| self.merchants.get(&id))
            .map_or(id, String::as_str)
    }
}

async fn verify(State(desk): State<Desk>) -> Response {
    let key = desk
        .certifier
        .as_ref()
        .map(|certifier| certifier.public_hex());
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; media-src blob:; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    // The page asks nobody, so the key is written into it.
    let key = format!("value=\"{}\"", key.unwrap_or_default());
    let html = VERIFY.replacen("value=\"\"", &key, 1);
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
}

async fn key(State(desk): State<Desk>) -> Result<String, StatusCode> {
    let certifier = desk.certifier.as_ref().ok_or(StatusCode::NOT_FOUND)?;
    Ok(certifier.public_hex() + "\n")
}

/// A certificate as the control port gives it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shown {
    /// Number in the chain.
    pub number: u64,
    /// How the sale ended.
    pub outcome: payment::certificate::CertifiedOutcome,
    /// When, China time.
    pub at: String,
    /// The text of its QR code.
    pub text: String,
}

async fn of_sale(
    State(desk): State<Desk>,
    Path(reference): Path<String>,
) -> Result<axum::Json<Vec<Shown>>, (StatusCode, String)> {
    let found = desk.handle.look(move |acquirer, _| {
        view::find(acquirer.state(), &reference).map(acquirer::SaleRecord::key)
    });
    let key = found
        .await
        .map_err(|refused| unavailable(format!("{refused:?}")))?
        .ok_or((
            StatusCode::NOT_FOUND,
            "the acquirer never saw this sale".to_owned(),
        ))?;
    let data = desk.data.clone();
    let payloads = tokio::task::spawn_blocking(move || found::of_sale(&data, key))
        .await
        .map_err(unavailable)?
        .map_err(unavailable)?;
    let certifier = desk.certifier()?;
    let signed = certifier.sign_all(&payloads).map_err(unavailable)?;
    let shown = signed.iter().map(|signed| {
        let certificate = payment::Certificate::of_payload(&signed.payload).map_err(unavailable)?;
        Ok(Shown {
            number: certificate.number,
            outcome: certificate.outcome,
            at: certificate.at.text(),
            text: signed.text(),
        })
    });
    shown.collect::<Result<_, _>>().map(axum::Json)
}

/// Where an export goes on.
#[derive(Debug, Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn export(
    State(desk): State<Desk>,
    Query(After { after }): Query<After>,
) -> Result<String, (StatusCode, String)> {
    let certifier = desk.certifier()?;
    let data = desk.data.clone();
    let payloads = tokio::task::spawn_blocking(move || chain(&data, after, EXPORT_LINES_MAX))
        .await
        .map_err(unavailable)?
        .map_err(unavailable)?;
    let signed = certifier.sign_all(&payloads).map_err(unavailable)?;
    Ok(signed.iter().map(|signed| signed.text() + "\n").collect())
}

impl Desk {
    fn certifier(&self) -> Result<&Certifier, (StatusCode, String)> {
        let none = "this acquirer has no certificate_key".to_owned();
        self.certifier
            .as_deref()
            .ok_or((StatusCode::NOT_FOUND, none))
    }
}

fn unavailable(problem: impl ToString) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, problem.to_string())
}

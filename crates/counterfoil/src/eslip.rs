//! The e-slip: what a cardholder sees behind the link on a slip, and the certificates that prove how a sale ended.
//!
//! Pages move no money and hold no more of a card than four digits; the listener is loopback only, whatever faces the
//! public stands before it and names the peer in `X-Forwarded-For`.

mod found;
mod limit;
mod page;

pub(crate) use found::chain;
pub use limit::{MISS_PAGES, PAGES_PER_MINUTE, PEERS_MAX};

use crate::config::Problem;
use crate::config::acquirer::AcquirerFile;
use crate::config::issuer::WebhookText;
use crate::config::keys::Keyring;
use crate::config::security::PartyModule;
use crate::driver::DriverHandle;
use crate::outbox::{Outbox, Refusal};
use crate::party::Running;
use crate::{view, webhook};
use acquirer::Acquirer;
use axum::Router;
use axum::extract::{ConnectInfo, Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use crypto::{KeyUsage, SecurityModule, WrappedKey};
use found::{Found, Status};
use limit::Limit;
use payment::certificate::{PAYLOAD_LENGTH, Signed};
use payment::{LinkId, MerchantId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Where the public key is published.
pub const KEY_PATH: &str = "/.well-known/counterfoil-certificate-key";
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
    limit: Arc<Mutex<Limit>>,
    outbox: Option<Arc<Outbox>>,
    /// The public address that messages carry.
    base: Option<String>,
}

/// Where the pages are served, and the routes for the control port.
#[derive(Debug)]
pub struct Opened {
    /// Where e-slips are served, when they are.
    pub address: Option<SocketAddr>,
    /// `/v1/certificate…`, for the control port.
    pub control: Router,
}

/// Serves the e-slips of a running acquirer as its file says. Must be called on the runtime.
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
        limit: Arc::default(),
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
        .route("/r/{id}", get(eslip))
        .route("/R/{id}", get(eslip))
        .route("/r/{id}/slip.svg", get(picture))
        .route("/r/{id}/send", post(send))
        .route("/verify", get(verify))
        .route(KEY_PATH, get(key))
        .fallback(async || missing())
        .with_state(desk);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| format!("eslip_listen {address}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    Ok(address)
}

async fn eslip(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match desk.visit(peer_of(&headers, peer.ip()), &id).await {
        Ok((found, certificates)) => {
            let merchant = desk.merchant(&found.merchant);
            let sends = desk.outbox.is_some();
            told(
                StatusCode::OK,
                page::eslip(&found, merchant, &certificates, sends),
            )
        }
        Err(refused) => refused,
    }
}

/// What a cardholder asks for.
#[derive(Debug, Deserialize)]
struct Asked {
    to: String,
    consent: Option<String>,
}

/// Sends the link to the address that the cardholder typed and agreed to.
async fn send(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(asked): Form<Asked>,
) -> Response {
    let found = match desk.visit(peer_of(&headers, peer.ip()), &id).await {
        Ok((found, _)) => found,
        Err(refused) => return refused,
    };
    if asked.consent.is_none() {
        return told(
            StatusCode::BAD_REQUEST,
            page::not_sent(&found, page::CONSENT_WANTED),
        );
    }
    match desk.send(asked.to.trim().to_owned(), found.link).await {
        Ok(()) => told(StatusCode::ACCEPTED, page::sent(&found)),
        Err(refusal) => told(
            StatusCode::BAD_REQUEST,
            page::not_sent(&found, refusal.words()),
        ),
    }
}

/// The same for a cashier or an operator, by the control port.
async fn send_sale(
    State(desk): State<Desk>,
    Path(reference): Path<String>,
    axum::Json(asked): axum::Json<Asked>,
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

/// The slip as a picture, for whoever keeps pictures.
async fn picture(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = match desk.visit(peer_of(&headers, peer.ip()), &id).await {
        Ok((found, _)) => found,
        Err(refused) => return refused,
    };
    match page::picture(&found, desk.merchant(&found.merchant)) {
        Some(svg) => ([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response(),
        None => missing(),
    }
}

/// The slip of the sale behind a link as a picture; none where it has none or the archive does not know it yet.
pub(crate) fn slip_picture(data: &std::path::Path, link: LinkId, merchant: &str) -> Option<String> {
    let found = found::find(data, link).ok()??;
    page::picture(&found, merchant)
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

    /// The sale behind a link, or what its visitor is told instead; wrong guesses are counted against the visitor.
    async fn visit(&self, peer: IpAddr, id: &str) -> Result<(Found, Vec<Signed>), Response> {
        if !self.limit().admits(peer, Instant::now()) {
            return Err(told(StatusCode::TOO_MANY_REQUESTS, page::too_often()));
        }
        let found = match LinkId::parse(id) {
            Some(link) => self.find(link).await,
            None => Ok(None),
        };
        match found {
            Ok(Some(found)) => Ok(found),
            Ok(None) => {
                self.limit().missed(peer, Instant::now());
                Err(missing())
            }
            Err(problem) => {
                tracing::warn!(%problem, "an e-slip could not be shown");
                Err(told(StatusCode::SERVICE_UNAVAILABLE, page::unavailable()))
            }
        }
    }

    fn limit(&self) -> std::sync::MutexGuard<'_, Limit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn merchant<'a>(&'a self, id: &'a str) -> &'a str {
        MerchantId::parse(id.as_bytes())
            .and_then(|id| self.merchants.get(&id))
            .map_or(id, String::as_str)
    }

    /// The sale in the archive, with what the acquirer says of it now, and its certificates.
    async fn find(&self, link: LinkId) -> Result<Option<(Found, Vec<Signed>)>, String> {
        let data = self.data.clone();
        let found = tokio::task::spawn_blocking(move || found::find(&data, link))
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())?;
        let Some(mut found) = found else {
            return Ok(None);
        };
        let reference = found.reference();
        let live = self.handle.look(move |acquirer, now| {
            let sale = view::find(acquirer.state(), &reference)?;
            let rail = sale.request.kind.row().rail;
            Status::live(&view::of(sale, now.wall), rail, sale.evidence.beads())
        });
        // A stopped acquirer has said its last word in the archive.
        if let Ok(Some(status)) = live.await {
            found.status = status;
        }
        let certificates = match &self.certifier {
            Some(certifier) => certifier.sign_all(&found.payloads)?,
            None => Vec::new(),
        };
        Ok(Some((found, certificates)))
    }
}

/// The peer as the relay before us names it: the last entry, which the relay itself wrote.
fn peer_of(headers: &HeaderMap, peer: IpAddr) -> IpAddr {
    headers
        .get("x-forwarded-for")
        .and_then(|value| value.to_str().ok())
        .and_then(|list| list.rsplit(',').next())
        .and_then(|last| last.trim().parse().ok())
        .unwrap_or(peer)
}

async fn verify(State(desk): State<Desk>) -> Response {
    let key = desk
        .certifier
        .as_ref()
        .map(|certifier| certifier.public_hex());
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; media-src blob:; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let html = page::verify(key.as_deref());
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
}

async fn key(State(desk): State<Desk>) -> Result<String, StatusCode> {
    let certifier = desk.certifier.as_ref().ok_or(StatusCode::NOT_FOUND)?;
    Ok(certifier.public_hex() + "\n")
}

fn missing() -> Response {
    told(StatusCode::NOT_FOUND, page::missing())
}

/// A page that nobody keeps, indexes, frames or tells others about.
fn told(status: StatusCode, html: String) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; \
                  base-uri 'none'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::HeaderName::from_static("x-robots-tag"),
            "noindex, nofollow, noarchive",
        ),
    ];
    (status, headers, Html(html)).into_response()
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

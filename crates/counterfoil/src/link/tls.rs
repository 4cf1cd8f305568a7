//! TLS 1.3 with certificates on both sides, and a revocation list that is read again when it changes.
//!
//! Invariants: there is no resumption and no early data, so every connection proves its key and has its certificate judged
//! anew; a certificate that is revoked later loses its open connections; a handshake is bounded in time, bytes and number.

use super::counts::{Counts, LinkCount};
use super::identity::Identity;
use super::ms;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{CertificateError, ClientConfig, RootCertStore, ServerConfig};
use std::fmt;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use webpki::{CertRevocationList, EndEntityCert, OwnedCertRevocationList};
use zeroize::Zeroizing;

/// Handshakes under way at once for one listener; beyond it newcomers are refused, and those who are in stay.
pub const HANDSHAKES_MAX: usize = 4_096;
/// Bytes that the other side may send until its handshake is complete.
pub const HANDSHAKE_BYTES_MAX: usize = 32 * 1_024;
/// Milliseconds between two looks at the files of certificates and at the revocation list.
pub const TRUST_POLL_MS: u64 = 500;
/// Bytes of a file of certificates, of a key or of a revocation list.
pub const TRUST_FILE_BYTES_MAX: u64 = 4 * 1_024 * 1_024;

/// The files that a side of a link proves itself and judges the other one with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Certificates of the authorities that are believed, PEM.
    pub ca: PathBuf,
    /// The own certificate, and the ones between it and the authority, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM; nobody but its owner may read it.
    pub key: PathBuf,
    /// Revocation lists of the authorities, PEM; one that has expired is none.
    pub crl: PathBuf,
}

/// A file of [`Credentials`] that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.why)
    }
}

impl std::error::Error for CredentialsError {}

impl Credentials {
    /// Reads the files once, as a link will.
    ///
    /// # Errors
    /// The first file that is not taken.
    pub fn check(&self) -> Result<(), CredentialsError> {
        Trust::read(self).map(drop)
    }

    fn files(&self) -> [&Path; 4] {
        [&self.ca, &self.certificate, &self.key, &self.crl]
    }
}

/// How a port is protected.
#[derive(Clone, Debug)]
pub enum Inbound {
    /// Not at all.
    Plain,
    /// By TLS.
    Tls(Tls),
}

/// How a connection to somebody is protected.
#[derive(Clone, Debug)]
pub enum Outbound {
    /// Not at all.
    Plain,
    /// By TLS; the other side's certificate must be for this name.
    Tls(Tls, ServerName<'static>),
}

impl Inbound {
    /// Shakes hands; `None` when that failed, which is counted and logged.
    pub(super) async fn secure(
        &self,
        tcp: TcpStream,
        handshake_ms: u64,
        counts: &Counts,
    ) -> Option<Stream> {
        match self {
            Self::Plain => Some(Stream { tcp, session: None }),
            Self::Tls(tls) => {
                let from = tcp.peer_addr().ok();
                let result = timeout(ms(handshake_ms), tls.accept(tcp)).await;
                shaken(
                    result.unwrap_or_else(|_| Err(Refusal::slow())),
                    counts,
                    &from,
                )
            }
        }
    }
}

impl Outbound {
    /// Shakes hands; `None` when that failed, which is counted and logged.
    pub(super) async fn secure(
        &self,
        tcp: TcpStream,
        handshake_ms: u64,
        counts: &Counts,
    ) -> Option<Stream> {
        match self {
            Self::Plain => Some(Stream { tcp, session: None }),
            Self::Tls(tls, name) => {
                let result = timeout(ms(handshake_ms), tls.connect(tcp, name.clone())).await;
                shaken(
                    result.unwrap_or_else(|_| Err(Refusal::slow())),
                    counts,
                    name,
                )
            }
        }
    }
}

fn shaken(
    result: Result<Stream, Refusal>,
    counts: &Counts,
    with: &impl fmt::Debug,
) -> Option<Stream> {
    match result {
        Ok(stream) => {
            counts.add(LinkCount::TlsSecured, 1);
            Some(stream)
        }
        Err(Refusal { count, why }) => {
            counts.add(count, 1);
            tracing::info!(?with, reason = count.name(), why, "no handshake");
            None
        }
    }
}

/// A connection that may carry frames.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) tcp: TcpStream,
    pub(super) session: Option<Session>,
}

/// The TLS part of a connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) tls: rustls::Connection,
    pub(super) standing: Standing,
    /// Whom the other side's certificate names.
    pub(super) identity: Option<Identity>,
}

/// Certificates of one side, kept up to date with their files.
#[derive(Clone, Debug)]
pub struct Tls {
    trust: watch::Receiver<Arc<Trust>>,
    handshakes: Arc<Semaphore>,
}

impl Tls {
    /// Reads the files, and again whenever they change. Must be called on the runtime.
    ///
    /// # Errors
    /// The first file that is not taken. Later on a file that is not taken leaves everything as it was.
    pub fn open(credentials: Credentials) -> Result<Self, CredentialsError> {
        let stamp = Stamp::of(&credentials);
        let (told, trust) = watch::channel(Arc::new(Trust::read(&credentials)?));
        tokio::spawn(keep_up(credentials, stamp, told));
        Ok(Self {
            trust,
            handshakes: Arc::new(Semaphore::new(HANDSHAKES_MAX)),
        })
    }

    async fn accept(&self, tcp: TcpStream) -> Result<Stream, Refusal> {
        let Ok(_place) = self.handshakes.try_acquire() else {
            return Err(Refusal::new(LinkCount::Crowded, "too many handshakes"));
        };
        let mut trust = self.trust.clone();
        let acceptor = TlsAcceptor::from(trust.borrow_and_update().server());
        let (bounded, tls) = acceptor.accept(Bounded::new(tcp)).await?.into_inner();
        Stream::secured(bounded.tcp, tls.into(), trust)
    }

    async fn connect(&self, tcp: TcpStream, name: ServerName<'static>) -> Result<Stream, Refusal> {
        let mut trust = self.trust.clone();
        let connector = TlsConnector::from(trust.borrow_and_update().client());
        let (bounded, tls) = connector
            .connect(name, Bounded::new(tcp))
            .await?
            .into_inner();
        Stream::secured(bounded.tcp, tls.into(), trust)
    }
}

impl Stream {
    fn secured(
        tcp: TcpStream,
        tls: rustls::Connection,
        trust: watch::Receiver<Arc<Trust>>,
    ) -> Result<Self, Refusal> {
        let unreadable = || Refusal::new(LinkCount::TlsBroken, "a certificate that cannot be read");
        let certificate = tls
            .peer_certificates()
            .and_then(<[_]>::first)
            .ok_or_else(unreadable)?;
        let certificate = EndEntityCert::try_from(certificate).map_err(|_| unreadable())?;
        let identity = Identity::of(&certificate);
        let standing = Standing {
            issuer: certificate.issuer().into(),
            serial: certificate.serial().into(),
            trust,
        };
        Ok(Self {
            tcp,
            session: Some(Session {
                tls,
                standing,
                identity,
            }),
        })
    }
}

/// What the other side's certificate is worth as time goes on.
#[derive(Debug)]
pub(super) struct Standing {
    issuer: Box<[u8]>,
    serial: Box<[u8]>,
    trust: watch::Receiver<Arc<Trust>>,
}

impl Standing {
    /// Resolves when the certificate is on the revocation list.
    pub(super) async fn until_revoked(&mut self) {
        loop {
            if self.trust.changed().await.is_err() {
                return std::future::pending().await;
            }
            let trust = Arc::clone(&self.trust.borrow_and_update());
            if trust.revokes(&self.issuer, &self.serial) {
                return;
            }
        }
    }
}

/// What the files say now.
pub(super) struct Trust {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    revoked: Vec<CertRevocationList<'static>>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust")
    }
}

impl Trust {
    /// For the side that was connected to.
    pub(super) fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    /// For the side that connects.
    pub(super) fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.client)
    }

    pub(super) fn read(credentials: &Credentials) -> Result<Self, CredentialsError> {
        let Credentials {
            ca,
            certificate,
            key,
            crl,
        } = credentials;
        let mut roots = RootCertStore::empty();
        for authority in pem::<CertificateDer<'static>>(ca)? {
            roots.add(authority).map_err(|error| refuse(ca, error))?;
        }
        let roots = Arc::new(roots);
        let chain = pem::<CertificateDer<'static>>(certificate)?;
        let key = private_key(key)?;
        let lists = pem::<CertificateRevocationListDer<'static>>(crl)?;
        let revoked = lists
            .iter()
            .map(|list| OwnedCertRevocationList::from_der(list).map(CertRevocationList::from))
            .collect::<Result<_, _>>()
            .map_err(|error| refuse(crl, error))?;
        let provider = Arc::new(ring::default_provider());
        let mismatch = |error| refuse(certificate, error);

        let judge =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
                .with_crls(lists.clone())
                .enforce_revocation_expiration()
                .build()
                .map_err(|error| refuse(crl, error))?;
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(mismatch)?
            .with_client_cert_verifier(judge)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(mismatch)?;
        // A resumed session would not have its certificate judged again.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        // Early data can be replayed.
        server.max_early_data_size = 0;

        Ok(Self {
            server: Arc::new(server),
            client: Arc::new(client(provider, roots, lists, chain, key, credentials)?),
            revoked,
        })
    }

    fn revokes(&self, issuer: &[u8], serial: &[u8]) -> bool {
        self.revoked
            .iter()
            .filter(|list| list.issuer() == issuer)
            // A list that cannot be searched revokes.
            .any(|list| !matches!(list.find_serial(serial), Ok(None)))
    }
}

fn client(
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    lists: Vec<CertificateRevocationListDer<'static>>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    credentials: &Credentials,
) -> Result<ClientConfig, CredentialsError> {
    let mismatch = |error| refuse(&credentials.certificate, error);
    let judge = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
        .with_crls(lists)
        .enforce_revocation_expiration()
        .build()
        .map_err(|error| refuse(&credentials.crl, error))?;
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(mismatch)?
        .with_webpki_verifier(judge)
        .with_client_auth_cert(chain, key)
        .map_err(mismatch)?;
    client.resumption = Resumption::disabled();
    client.enable_early_data = false;
    Ok(client)
}

fn pem<T: PemObject>(file: &Path) -> Result<Vec<T>, CredentialsError> {
    let objects: Vec<T> = T::pem_slice_iter(&contents(file)?)
        .collect::<Result<_, _>>()
        .map_err(|error| refuse(file, error))?;
    if objects.is_empty() {
        return Err(refuse(file, "holds nothing of what it is named for"));
    }
    Ok(objects)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, CredentialsError> {
    let mode = metadata(file)?.mode();
    if mode & 0o077 != 0 {
        return Err(refuse(
            file,
            format!(
                "mode {:04o} lets others read a private key; chmod 0600",
                mode & 0o777
            ),
        ));
    }
    let text = Zeroizing::new(contents(file)?);
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| refuse(file, error))
}

fn contents(file: &Path) -> Result<Vec<u8>, CredentialsError> {
    if metadata(file)?.len() > TRUST_FILE_BYTES_MAX {
        return Err(refuse(file, "too long"));
    }
    std::fs::read(file).map_err(|error| refuse(file, error))
}

fn metadata(file: &Path) -> Result<Metadata, CredentialsError> {
    std::fs::metadata(file).map_err(|error| refuse(file, error))
}

fn refuse(file: &Path, why: impl fmt::Display) -> CredentialsError {
    CredentialsError {
        file: file.to_owned(),
        why: why.to_string(),
    }
}

/// Which version of the files was read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp([Option<(SystemTime, u64, u64)>; 4]);

impl Stamp {
    fn of(credentials: &Credentials) -> Self {
        Self(credentials.files().map(|file| {
            let metadata = std::fs::metadata(file).ok()?;
            Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
        }))
    }
}

/// Reads the files again when they change, until nobody asks any more.
async fn keep_up(credentials: Credentials, mut seen: Stamp, told: watch::Sender<Arc<Trust>>) {
    loop {
        tokio::select! {
            () = sleep(ms(TRUST_POLL_MS)) => {}
            () = told.closed() => return,
        }
        let stamp = Stamp::of(&credentials);
        if stamp == seen {
            continue;
        }
        seen = stamp;
        match Trust::read(&credentials) {
            Ok(trust) => {
                tracing::info!(crl = %credentials.crl.display(), "certificates and revocation list read again");
                told.send_replace(Arc::new(trust));
            }
            Err(error) => {
                tracing::error!(%error, "not taken; what was read before stays in force");
            }
        }
    }
}

/// Why there is no connection.
#[derive(Debug)]
struct Refusal {
    count: LinkCount,
    why: String,
}

impl Refusal {
    fn new(count: LinkCount, why: impl fmt::Display) -> Self {
        Self {
            count,
            why: why.to_string(),
        }
    }

    fn slow() -> Self {
        Self::new(LinkCount::TlsSlow, "not complete in time")
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        let tls = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let count = match tls {
            Some(error) => judged(error),
            None if error.kind() == io::ErrorKind::FileTooLarge => LinkCount::TlsGarbage,
            None => LinkCount::TlsGone,
        };
        Self::new(count, error)
    }
}

/// What an error of TLS is counted as.
pub(super) fn judged(error: &rustls::Error) -> LinkCount {
    use rustls::Error as E;
    match error {
        E::NoCertificatesPresented => LinkCount::TlsNoCertificate,
        E::InvalidCertificate(error) => match error {
            CertificateError::Revoked => LinkCount::TlsRevoked,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => LinkCount::TlsExpired,
            CertificateError::UnknownRevocationStatus
            | CertificateError::ExpiredRevocationList
            | CertificateError::ExpiredRevocationListContext { .. } => LinkCount::TlsNoList,
            CertificateError::NotValidForName
            | CertificateError::NotValidForNameContext { .. }
            | CertificateError::InvalidPurpose
            | CertificateError::InvalidPurposeContext { .. } => LinkCount::TlsUnnamed,
            _ => LinkCount::TlsUnknownAuthority,
        },
        E::PeerIncompatible(_) => LinkCount::TlsIncompatible,
        E::AlertReceived(_) => LinkCount::TlsRefused,
        E::InvalidMessage(_) | E::InappropriateMessage { .. } => LinkCount::TlsGarbage,
        _ => LinkCount::TlsBroken,
    }
}

/// A connection of which a handshake may read only so much.
#[derive(Debug)]
struct Bounded {
    tcp: TcpStream,
    bytes_left: usize,
}

impl Bounded {
    fn new(tcp: TcpStream) -> Self {
        Self {
            tcp,
            bytes_left: HANDSHAKE_BYTES_MAX,
        }
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.bytes_left == 0 {
            let too_long = "the handshake is too long";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::FileTooLarge, too_long)));
        }
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.tcp).poll_read(context, buffer);
        let read = buffer.filled().len() - before;
        self.bytes_left = self.bytes_left.saturating_sub(read);
        poll
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

//! A small certificate authority for the sandbox: one folder, one key, leaves for terminals, members and servers, and the
//! revocation list.
//!
//! Invariants: a certificate is in the register before it is handed out, so each can be revoked; a private key is readable
//! by its owner only; one command at a time works on a folder.

use crate::config::Problem;
use crate::link::{Credentials, Identity};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SanType, SerialNumber,
};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// Days for which the authority and its revocation list are good.
pub const AUTHORITY_DAYS: u64 = 3_650;
/// Days for which a certificate is good unless said otherwise.
pub const CERTIFICATE_DAYS: u64 = 365;
/// Seconds by which clocks of two sides may differ when a certificate is new.
const CLOCKS_APART: Duration = Duration::from_secs(3_600);

const CA: &str = "ca.pem";
const CA_KEY: &str = "ca.key";
const CRL: &str = "crl.pem";
const REGISTER: &str = "issued.json";
const DAY_S: u64 = 86_400;

/// An authority's folder, held by this process.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    register: Vec<Issued>,
    /// Keeps other processes out until it is dropped.
    _held: File,
}

/// A certificate that was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Its serial number, hex.
    pub serial: String,
    /// Whom it names.
    pub name: String,
    /// Good from, in seconds since 1970.
    pub not_before_s: u64,
    /// Good until, in seconds since 1970.
    pub not_after_s: u64,
    /// Revoked at, in seconds since 1970.
    pub revoked_s: Option<u64>,
}

impl Authority {
    /// Makes a folder with a new key, its certificate and an empty revocation list.
    ///
    /// # Errors
    /// A folder that holds an authority already, or cannot be written.
    pub fn create(folder: &Path, now: SystemTime) -> Result<Self, Problem> {
        fs::create_dir_all(folder).map_err(|error| named(folder, &error))?;
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let params = authority_params(&key, now);
        let certificate = params
            .self_signed(&key)
            .map_err(|error| error.to_string())?;
        write_private(&folder.join(CA_KEY), &key.serialize_pem())?;
        write_whole(&folder.join(CA), certificate.pem().as_bytes())?;
        let authority = Self::of_key(folder, key, Vec::new())?;
        authority.write_register()?;
        authority.write_crl(now)?;
        Ok(authority)
    }

    /// Opens a folder.
    ///
    /// # Errors
    /// A folder that holds no authority.
    pub fn open(folder: &Path) -> Result<Self, Problem> {
        let path = folder.join(CA_KEY);
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(|e| named(&path, &e))?);
        let key = KeyPair::from_pem(&text).map_err(|error| named(&path, &error))?;
        let mut authority = Self::of_key(folder, key, Vec::new())?;
        let path = folder.join(REGISTER);
        let text = fs::read_to_string(&path).map_err(|error| named(&path, &error))?;
        authority.register = serde_json::from_str(&text).map_err(|error| named(&path, &error))?;
        Ok(authority)
    }

    fn of_key(folder: &Path, key: KeyPair, register: Vec<Issued>) -> Result<Self, Problem> {
        let path = folder.join(CA_KEY);
        let held = File::open(&path).map_err(|error| named(&path, &error))?;
        held.lock().map_err(|error| named(&path, &error))?;
        Ok(Self {
            folder: folder.to_owned(),
            issuer: Issuer::new(authority_params(&key, UNIX_EPOCH), key),
            register,
            _held: held,
        })
    }

    /// Issues a certificate with a key of its own, good for so many days from now.
    ///
    /// # Errors
    /// A certificate of that name that lies in the folder already, or a folder that cannot be written.
    pub fn issue(
        &mut self,
        identity: &Identity,
        days: u64,
        now: SystemTime,
    ) -> Result<(Credentials, Issued), Problem> {
        let until = now + Duration::from_secs(days.saturating_mul(DAY_S));
        self.issue_for(identity, now - CLOCKS_APART..until, now)
    }

    /// Issues a certificate for a time of any length, past ones too.
    ///
    /// # Errors
    /// As for [`Authority::issue`].
    pub fn issue_for(
        &mut self,
        identity: &Identity,
        valid: Range<SystemTime>,
        now: SystemTime,
    ) -> Result<(Credentials, Issued), Problem> {
        let stem = stem(identity)?;
        let credentials = Credentials {
            ca: self.folder.join(CA),
            certificate: self.folder.join(format!("{stem}.pem")),
            key: self.folder.join(format!("{stem}.key")),
            crl: self.folder.join(CRL),
        };
        if credentials.key.exists() {
            return Err(format!(
                "{}: issued already; move the old files away first",
                credentials.key.display()
            ));
        }
        let serial = serial()?;
        let params = leaf_params(identity, &valid, &serial)?;
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(|error| error.to_string())?;
        let issued = Issued {
            serial: hex(&serial),
            name: identity.to_string(),
            not_before_s: seconds(valid.start),
            not_after_s: seconds(valid.end),
            revoked_s: None,
        };
        self.register.push(issued.clone());
        self.write_register()?;
        // A list that is older than the certificate would do; a fresh one costs nothing.
        self.write_crl(now)?;
        write_private(&credentials.key, &key.serialize_pem())?;
        write_whole(&credentials.certificate, certificate.pem().as_bytes())?;
        Ok((credentials, issued))
    }

    /// Puts a certificate on the revocation list. One that is there already stays as it is, and the list is written anew.
    ///
    /// # Errors
    /// A serial number that was never issued here, or a folder that cannot be written.
    pub fn revoke(&mut self, serial: &str, now: SystemTime) -> Result<Issued, Problem> {
        let issued = self
            .register
            .iter_mut()
            .find(|issued| issued.serial.eq_ignore_ascii_case(serial))
            .ok_or_else(|| {
                format!("no certificate with the serial number {serial} was issued here")
            })?;
        issued.revoked_s.get_or_insert(seconds(now));
        let issued = issued.clone();
        self.write_register()?;
        self.write_crl(now)?;
        Ok(issued)
    }

    /// Everything that was issued, oldest first.
    pub fn issued(&self) -> &[Issued] {
        &self.register
    }

    fn write_register(&self) -> Result<(), Problem> {
        let text = serde_json::to_string_pretty(&self.register).map_err(|e| e.to_string())?;
        write_whole(&self.folder.join(REGISTER), (text + "\n").as_bytes())
    }

    fn write_crl(&self, now: SystemTime) -> Result<(), Problem> {
        let revoked = self.register.iter().filter_map(|issued| {
            Some(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&unhex(&issued.serial)?),
                revocation_time: (UNIX_EPOCH + Duration::from_secs(issued.revoked_s?)).into(),
                reason_code: None,
                invalidity_date: None,
            })
        });
        let list = CertificateRevocationListParams {
            this_update: (now - CLOCKS_APART).into(),
            next_update: (now + Duration::from_secs(AUTHORITY_DAYS * DAY_S)).into(),
            crl_number: SerialNumber::from(seconds(now)),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).map_err(|e| e.to_string())?;
        let pem = list.pem().map_err(|error| error.to_string())?;
        write_whole(&self.folder.join(CRL), pem.as_bytes())
    }
}

/// The authority's own certificate. Its name follows from its key, so that two authorities never share one.
fn authority_params(key: &KeyPair, now: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = now.checked_sub(CLOCKS_APART).unwrap_or(now).into();
    params.not_after = (now + Duration::from_secs(AUTHORITY_DAYS * DAY_S)).into();
    let id = params.key_identifier(key);
    let name = format!(
        "Counterfoil sandbox authority {}",
        hex(&id[..8.min(id.len())])
    );
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn leaf_params(
    identity: &Identity,
    valid: &Range<SystemTime>,
    serial: &[u8],
) -> Result<CertificateParams, Problem> {
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(serial));
    params.not_before = valid.start.into();
    params.not_after = valid.end.into();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.distinguished_name.remove(DnType::CommonName);
    params
        .distinguished_name
        .push(DnType::CommonName, identity.to_string());
    let refuse = |error: rcgen::Error| error.to_string();
    match identity {
        Identity::Server(name) => {
            let name = name.as_str().try_into().map_err(refuse)?;
            params.subject_alt_names.push(SanType::DnsName(name));
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        }
        Identity::Terminals(_) | Identity::Member(_) => {
            for uri in identity.uris() {
                let uri = uri.try_into().map_err(refuse)?;
                params.subject_alt_names.push(SanType::URI(uri));
            }
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }
    }
    Ok(params)
}

/// What the files of a certificate are called.
fn stem(identity: &Identity) -> Result<String, Problem> {
    let stem = match identity {
        Identity::Terminals(row) => row.stem(),
        Identity::Member(member) => format!("member-{}", member.0),
        Identity::Server(name) => name.clone(),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let own = [CA, CA_KEY, CRL].map(|file| file.split('.').next().unwrap_or_default());
    if stem.starts_with('.') || !stem.bytes().all(plain) || own.contains(&&*stem) {
        return Err(format!("\"{stem}\" cannot name a certificate here"));
    }
    Ok(stem)
}

/// Sixteen random bytes that read as one positive number without a leading zero.
fn serial() -> Result<[u8; 16], Problem> {
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(|error| error.to_string())?;
    serial[0] = serial[0] & 0x3f | 0x40;
    Ok(serial)
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    pairs.collect()
}

/// Writes a file that only its owner may read, and that was not there before.
fn write_private(path: &Path, text: &str) -> Result<(), Problem> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| named(path, &error))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| named(path, &error))
}

/// Puts a whole file in the place of an older one: a reader sees one or the other.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    written.map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &dyn std::fmt::Display) -> Problem {
    format!("{}: {error}", path.display())
}

//! Accounts: a name, a role, a password and for staff a second factor.
//!
//! Invariants: an unknown name costs the same work and gets the same answer as a wrong password; after
//! [`TRIES_MAX`] wrong tries the right password does not open either; a code of the second factor opens once.

use super::audit::Entry;
use super::store::{People, Trouble, hex, same_token};
use super::{Opened, Person, Role};
use argon2::{Algorithm, Argon2, Params, Version};
use payment::{MerchantId, Wall};
use rusqlite::{Connection, OptionalExtension, params};
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

/// Wrong tries after which an account is locked (PCI DSS 8.3.4).
pub const TRIES_MAX: u32 = 10;
/// How long it is locked, in milliseconds (PCI DSS 8.3.4).
pub const LOCKED_MS: i64 = 30 * 60 * 1_000;
/// Shortest password, in characters (PCI DSS 8.3.6).
pub const PASSWORD_CHARACTERS_MIN: usize = 12;
/// Longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// Longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// What Argon2id costs: memory in KiB and passes, one lane (security reference §1.16).
const COST: (u32, u32) = (19_456, 2);

/// Why somebody does not come in, or an account is not changed.
#[derive(Debug)]
pub enum Refused {
    /// Name, password or code is wrong, or the account is locked or disabled: the answer never says which.
    SignIn,
    /// The password is too short or too long.
    Password,
    /// The name is empty, too long, or has characters other than letters, digits, `-`, `_` and `.`.
    Name,
    /// There is such an account already.
    Exists,
    /// There is no such account.
    Unknown,
    /// A merchant's account needs a merchant, one of staff must have none.
    Merchant,
    /// The code is not the one that the new second factor shows.
    Code,
    /// The disk refused.
    Trouble(Trouble),
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Trouble(error.into())
    }
}

impl Refused {
    /// The words, zh-CN and en.
    pub const fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::SignIn => (
                "用户名、密码或验证码不对，或账户暂时锁定",
                "Name, password or code is not right, or the account is locked for a while",
            ),
            Self::Password => (
                "密码至少 12 个字符",
                "A password needs at least 12 characters",
            ),
            Self::Name => (
                "用户名只能用字母、数字、短横线、下划线和点",
                "A name has letters, digits, -, _ and . only",
            ),
            Self::Exists => ("已有这个用户", "There is such an account already"),
            Self::Unknown => ("没有这个用户", "There is no such account"),
            Self::Merchant => (
                "商户账户要有商户号，员工账户不能有",
                "A merchant's account needs a merchant, one of staff must have none",
            ),
            Self::Code => ("验证码不对", "The code is not right"),
            Self::Trouble(_) => (
                "暂时不能处理，请稍后再试",
                "Not possible at the moment; try again later",
            ),
        }
    }
}

/// An account as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Account {
    /// Who.
    pub person: Person,
    /// The second factor is in use.
    pub second_factor: bool,
    /// Locked until then, after too many wrong tries.
    pub locked_until_ms: Option<i64>,
    /// Cannot come in.
    pub disabled: bool,
}

/// What a sign-in is decided by.
struct Row {
    person: Person,
    salt: Option<[u8; 16]>,
    hash: Option<[u8; 32]>,
    factor: Option<[u8; 16]>,
    factor_on: bool,
    factor_step: u64,
    failures: u32,
    locked_until: Wall,
    disabled: bool,
}

fn row_of(disk: &Connection, name: &str) -> rusqlite::Result<Option<Row>> {
    disk.query_row(
        "SELECT name, role, merchant, salt, hash, factor, factor_on, factor_step, failures, locked_until_ms, disabled
         FROM person WHERE name = ?1",
        [name],
        |row| {
            Ok(Row {
                person: person(row)?,
                salt: row.get(3)?,
                hash: row.get(4)?,
                factor: row.get(5)?,
                factor_on: row.get(6)?,
                factor_step: row.get::<_, i64>(7)? as u64,
                failures: row.get(8)?,
                locked_until: Wall(row.get(9)?),
                disabled: row.get(10)?,
            })
        },
    )
    .optional()
}

/// Name, role and merchant from the first three columns; a role of another version is nobody's.
pub(super) fn person(row: &rusqlite::Row<'_>) -> rusqlite::Result<Person> {
    let (role, merchant): (String, Option<String>) = (row.get(1)?, row.get(2)?);
    Ok(Person {
        name: row.get(0)?,
        role: Role::of(&role).ok_or(rusqlite::Error::InvalidQuery)?,
        merchant: merchant.and_then(|text| MerchantId::parse(text.as_bytes())),
    })
}

/// The person of an account that may come in.
pub(super) fn active(disk: &Connection, name: &str) -> rusqlite::Result<Option<Person>> {
    let found = row_of(disk, name)?.filter(|row| !row.disabled);
    Ok(found.map(|row| row.person))
}

impl People {
    /// Adds an account.
    ///
    /// # Errors
    /// [`Refused::Name`], [`Refused::Password`], [`Refused::Merchant`], [`Refused::Exists`] or the disk.
    pub fn add(&self, by: &str, person: &Person, password: &str) -> Result<(), Refused> {
        is_name(&person.name)?;
        belongs(person)?;
        is_password(password)?;
        let (salt, hash) = self.hashed_password(password);
        self.write(|write, entries| {
            if !add_person(write, person)? {
                return Err(Refused::Exists);
            }
            write.execute(
                "UPDATE person SET salt = ?2, hash = ?3 WHERE name = ?1",
                params![person.name, salt, *hash],
            )?;
            entries.push(Entry::new(by, "person.added", &person.name).changed(&(), person));
            Ok(())
        })
    }

    /// Every account, by name.
    ///
    /// # Errors
    /// The disk refused.
    pub fn list(&self) -> Result<Vec<Account>, Trouble> {
        let now = self.now().0;
        let disk = self.disk();
        let mut select = disk.prepare(
            "SELECT name, role, merchant, factor_on, locked_until_ms, disabled FROM person ORDER BY name",
        )?;
        let rows = select.query_map([], |row| {
            Ok(Account {
                person: person(row)?,
                second_factor: row.get(3)?,
                locked_until_ms: row.get::<_, Option<i64>>(4)?.filter(|until| *until > now),
                disabled: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Shuts an account out, with all its sessions, or lets it in again and unlocks it.
    ///
    /// # Errors
    /// [`Refused::Unknown`] or the disk.
    pub fn disable(&self, by: &str, name: &str, disabled: bool) -> Result<(), Refused> {
        self.write(|write, entries| {
            let changed = write.execute(
                "UPDATE person SET disabled = ?2, failures = 0, locked_until_ms = 0 WHERE name = ?1",
                params![name, disabled],
            )?;
            if changed == 0 {
                return Err(Refused::Unknown);
            }
            write.execute("DELETE FROM session WHERE name = ?1", [name])?;
            let act = if disabled { "person.disabled" } else { "person.enabled" };
            entries.push(Entry::new(by, act, name).changed(&!disabled, &disabled));
            Ok(())
        })
    }

    /// A new password; every session of the account ends.
    ///
    /// # Errors
    /// [`Refused::Password`], [`Refused::Unknown`] or the disk.
    pub fn set_password(&self, by: &str, name: &str, password: &str) -> Result<(), Refused> {
        is_password(password)?;
        let (salt, hash) = self.hashed_password(password);
        self.write(|write, entries| {
            let changed = write.execute(
                "UPDATE person SET salt = ?2, hash = ?3 WHERE name = ?1",
                params![name, salt, *hash],
            )?;
            if changed == 0 {
                return Err(Refused::Unknown);
            }
            write.execute("DELETE FROM session WHERE name = ?1", [name])?;
            entries.push(Entry::new(by, "person.password", name));
            Ok(())
        })
    }

    /// Opens a session for who knows the password, and the code of a second factor that is in use.
    ///
    /// # Errors
    /// [`Refused::SignIn`] or the disk.
    pub fn sign_in(&self, name: &str, password: &str, code: &str) -> Result<Opened, Refused> {
        if password.len() > PASSWORD_BYTES_MAX || name.len() > NAME_BYTES_MAX {
            return Err(Refused::SignIn);
        }
        let known = row_of(&self.disk(), name)?;
        let salt = known.as_ref().and_then(|row| row.salt).unwrap_or_default();
        // The work is the same for a name that nobody has.
        let hash = self.hash(password, &salt);
        let now = self.now();
        // Whether it is counted, locked or opened is decided in one transaction, however many try at once.
        let opened: rusqlite::Result<Option<Opened>> = self.write(|write, entries| {
            let Some(row) = row_of(write, name)? else {
                return Ok(None);
            };
            if row.locked_until > now || row.disabled {
                return Ok(None);
            }
            let known = same(row.hash.as_ref(), &hash);
            let step = match row.factor.filter(|_| row.factor_on) {
                Some(factor) => self.step(&factor, code, now).filter(|step| *step > row.factor_step),
                None => Some(row.factor_step),
            };
            let (true, Some(step)) = (known, step) else {
                self.count(write, entries, &row)?;
                return Ok(None);
            };
            write.execute(
                "UPDATE person SET failures = 0, locked_until_ms = 0, factor_step = ?2 WHERE name = ?1",
                params![name, step as i64],
            )?;
            entries.push(Entry::new(name, "signed_in", name));
            let strong = row.factor_on || !row.person.role.is_staff();
            self.open_session(write, &row.person, strong).map(Some)
        });
        opened?.ok_or(Refused::SignIn)
    }

    fn count(
        &self,
        write: &Connection,
        entries: &mut Vec<Entry>,
        row: &Row,
    ) -> rusqlite::Result<()> {
        let name = &row.person.name;
        let failures = row.failures + 1;
        let locks = failures >= TRIES_MAX;
        let until = if locks { self.now().0 + LOCKED_MS } else { 0 };
        if locks {
            tracing::warn!(name, "an account is locked after too many wrong tries");
            entries.push(Entry::new(name, "person.locked", name));
        }
        write.execute(
            "UPDATE person SET failures = ?2, locked_until_ms = ?3 WHERE name = ?1",
            params![name, if locks { 0 } else { failures }, until],
        )?;
        Ok(())
    }

    /// Begins a second factor and gives its secret as base32 for an authenticator; it counts once a code was shown.
    ///
    /// # Errors
    /// The disk refused.
    pub fn begin_factor(&self, name: &str) -> Result<Zeroizing<String>, Trouble> {
        self.write(|write, _| {
            let pending = row_of(write, name)?.and_then(|row| row.factor.filter(|_| !row.factor_on));
            let factor = match pending {
                // A page that is loaded again shows the same code.
                Some(factor) => factor,
                None => {
                    let factor = fresh();
                    write.execute(
                        "UPDATE person SET factor = ?2, factor_on = 0, factor_step = 0 WHERE name = ?1 AND factor_on = 0",
                        params![name, factor],
                    )?;
                    factor
                }
            };
            Ok(Zeroizing::new(base32(&*self.factor(&factor))))
        })
    }

    /// Takes the new second factor into use when `code` is what it shows; the session is opened anew.
    ///
    /// # Errors
    /// [`Refused::Code`] or the disk.
    pub fn confirm_factor(&self, name: &str, code: &str) -> Result<Opened, Refused> {
        let now = self.now();
        self.write(|write, entries| {
            let row = row_of(write, name)?.filter(|row| !row.disabled && !row.factor_on);
            let row = row.ok_or(Refused::Code)?;
            let step = row.factor.and_then(|factor| self.step(&factor, code, now));
            let step = step.ok_or(Refused::Code)?;
            write.execute(
                "UPDATE person SET factor_on = 1, factor_step = ?2 WHERE name = ?1",
                params![name, step as i64],
            )?;
            write.execute("DELETE FROM session WHERE name = ?1", [name])?;
            entries.push(Entry::new(name, "person.second_factor", name));
            Ok(self.open_session(write, &row.person, true)?)
        })
    }

    /// Takes a second factor away, for somebody who lost it; they begin a new one at the next sign-in.
    ///
    /// # Errors
    /// [`Refused::Unknown`] or the disk.
    pub fn reset_factor(&self, by: &str, name: &str) -> Result<(), Refused> {
        self.write(|write, entries| {
            let changed = write.execute(
                "UPDATE person SET factor = NULL, factor_on = 0, factor_step = 0 WHERE name = ?1",
                [name],
            )?;
            if changed == 0 {
                return Err(Refused::Unknown);
            }
            write.execute("DELETE FROM session WHERE name = ?1", [name])?;
            entries.push(Entry::new(by, "person.second_factor_reset", name));
            Ok(())
        })
    }

    /// A fresh salt, and the hash of a password with it.
    pub(super) fn hashed_password(&self, password: &str) -> ([u8; 16], Zeroizing<[u8; 32]>) {
        let salt = fresh();
        (salt, self.hash(password, &salt))
    }

    fn hash(&self, password: &str, salt: &[u8; 16]) -> Zeroizing<[u8; 32]> {
        let pepper = self.derived("password-pepper-v1", b"");
        let mut hash = Zeroizing::new([0; 32]);
        let (memory_kib, passes) = COST;
        let params =
            Params::new(memory_kib, passes, 1, Some(32)).expect("the named cost is a valid one");
        Argon2::new_with_secret(&*pepper, Algorithm::Argon2id, Version::V0x13, params)
            .expect("a pepper of 32 bytes is taken")
            .hash_password_into(password.as_bytes(), salt, &mut *hash)
            .expect("salt and output have valid lengths");
        hash
    }

    /// The secret of a second factor: derived, so that it is stored nowhere.
    fn factor(&self, factor: &[u8; 16]) -> Zeroizing<[u8; 20]> {
        let derived = self.derived("second-factor-v1", factor);
        let mut secret = Zeroizing::new([0; 20]);
        secret.copy_from_slice(&derived[..20]);
        secret
    }

    /// The step of a code (RFC 6238: SHA-1, six digits, 30 s, one step of tolerance).
    fn step(&self, factor: &[u8; 16], code: &str, now: Wall) -> Option<u64> {
        totp(*self.factor(factor)).check(code.trim(), now.0.max(0) as u64 / 1_000)
    }
}

fn totp(secret: [u8; 20]) -> Totp {
    Builder::new()
        .with_secret(Secret::new(Box::new(secret)))
        .build_noncompliant()
}

/// RFC 4648, without padding, as authenticators take it.
fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1))
        .collect();
    bits.chunks(5)
        .map(|chunk| {
            let value = (0..5).fold(0, |value, n| {
                value << 1 | chunk.get(n).copied().unwrap_or(0)
            });
            char::from(LETTERS[usize::from(value)])
        })
        .collect()
}

/// Compared by the hashes of both, so that time tells nothing.
fn same(stored: Option<&[u8; 32]>, made: &[u8; 32]) -> bool {
    stored.is_some_and(|stored| same_token(&hex(stored), &hex(made)))
}

fn fresh() -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&crate::driver::random()[..16]);
    bytes
}

pub(super) fn is_name(name: &str) -> Result<(), Refused> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let taken = !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(plain);
    taken.then_some(()).ok_or(Refused::Name)
}

pub(super) fn belongs(person: &Person) -> Result<(), Refused> {
    let fits = person.role.is_staff() != person.merchant.is_some();
    fits.then_some(()).ok_or(Refused::Merchant)
}

pub(super) fn is_password(password: &str) -> Result<(), Refused> {
    let long = password.chars().count() >= PASSWORD_CHARACTERS_MIN;
    let taken = long && password.len() <= PASSWORD_BYTES_MAX;
    taken.then_some(()).ok_or(Refused::Password)
}

/// Writes down somebody new, without a password; `false` when there is one of that name.
pub(super) fn add_person(write: &Connection, person: &Person) -> rusqlite::Result<bool> {
    let merchant = person.merchant.map(|merchant| merchant.to_string());
    let added = write.execute(
        "INSERT INTO person(name, role, merchant) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![person.name, person.role.name(), merchant],
    )?;
    Ok(added > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1, the last six of its eight digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(
                totp(*b"12345678901234567890").generate(seconds).to_string(),
                code
            );
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (bytes, text) in [("f", "MY"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }
}

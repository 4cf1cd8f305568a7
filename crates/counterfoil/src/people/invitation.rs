//! Invitations: a new account is proposed by one person, approved by another, and opened once by whoever sets its first
//! password.
//!
//! Invariant: the link is stored nowhere. It is derived for the one who approved, works once and for a day, and an account
//! that has a password cannot be opened by it.

use super::account::{add_person, belongs, is_name, is_password};
use super::audit::Entry;
use super::proposals::Refusal;
use super::store::{People, Trouble, hashed, hex};
use super::{Person, Refused, Role};
use payment::MerchantId;
use rusqlite::{OptionalExtension, Transaction, params};

/// An invitation works for so long, in milliseconds.
pub const INVITED_MS: i64 = 24 * 60 * 60 * 1_000;

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS invitation(token BLOB PRIMARY KEY, name TEXT NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID;";

/// The person of a new account, when there can be such a one.
pub(super) fn invited(name: &str, role: Role, merchant: Option<&str>) -> Result<Person, Refusal> {
    let number = merchant.map(|text| MerchantId::parse(text.as_bytes()).ok_or(Refusal::Senseless));
    let person = Person {
        name: name.to_owned(),
        role,
        merchant: number.transpose()?,
    };
    let fits = is_name(name).is_ok() && belongs(&person).is_ok();
    fits.then_some(person).ok_or(Refusal::Senseless)
}

/// There is no account of this name yet.
pub(super) fn is_free(write: &Transaction<'_>, name: &str) -> Result<(), Refusal> {
    let taken: bool = write.query_row(
        "SELECT EXISTS(SELECT 1 FROM person WHERE name = ?1)",
        [name],
        |row| row.get(0),
    )?;
    (!taken).then_some(()).ok_or(Refusal::Taken)
}

impl People {
    /// Makes the account that a proposal is about, without a password, and its invitation.
    pub(super) fn invite(
        &self,
        write: &Transaction<'_>,
        person: &Person,
        proposal: u64,
    ) -> Result<(), Refusal> {
        let made = add_person(write, person)?;
        if !made {
            return Err(Refusal::Changed);
        }
        let (now, token) = (self.now().0, self.token(proposal));
        write.execute("DELETE FROM invitation WHERE until_ms < ?1", [now])?;
        write.execute(
            "INSERT INTO invitation VALUES(?1, ?2, ?3)",
            params![hashed(&token), person.name, now + INVITED_MS],
        )?;
        Ok(())
    }

    /// The link of an invitation that was not used and has not run out.
    ///
    /// # Errors
    /// The disk refused.
    pub(super) fn invitation(&self, proposal: u64) -> Result<Option<String>, Trouble> {
        let token = self.token(proposal);
        let name = self.invited(&token)?;
        Ok(name.map(|_| format!("/welcome/{token}")))
    }

    /// Whom a link invites.
    ///
    /// # Errors
    /// The disk refused.
    pub fn invited(&self, token: &str) -> Result<Option<String>, Trouble> {
        let found = self.disk().query_row(
            "SELECT name FROM invitation WHERE token = ?1 AND until_ms >= ?2",
            params![hashed(token), self.now().0],
            |row| row.get(0),
        );
        Ok(found.optional()?)
    }

    /// Sets the first password of the account that a link invites to; the link works no more.
    ///
    /// # Errors
    /// [`Refused::Password`], [`Refused::Unknown`] or the disk.
    pub fn accept(&self, token: &str, password: &str) -> Result<(), Refused> {
        is_password(password)?;
        // A link that is none costs no hash.
        self.invited(token)?.ok_or(Refused::Unknown)?;
        let (salt, hash) = self.hashed_password(password);
        self.write(|write, entries| {
            let name: Option<String> = write
                .query_row(
                    "DELETE FROM invitation WHERE token = ?1 AND until_ms >= ?2 RETURNING name",
                    params![hashed(token), self.now().0],
                    |row| row.get(0),
                )
                .optional()?;
            let name = name.ok_or(Refused::Unknown)?;
            let set = write.execute(
                "UPDATE person SET salt = ?2, hash = ?3 WHERE name = ?1 AND hash IS NULL AND disabled = 0",
                params![name, salt, *hash],
            )?;
            if set == 0 {
                return Err(Refused::Unknown);
            }
            entries.push(Entry::new(&name, "person.accepted", &name));
            Ok(())
        })
    }

    fn token(&self, proposal: u64) -> String {
        hex(&self.derived("invitation-v1", &proposal.to_be_bytes())[..16])
    }
}

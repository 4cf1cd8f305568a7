//! Keys of the API: a machine that acts for somebody, with a role and a merchant of its own.
//!
//! Invariant: the key itself is shown once, when it is made; what is stored is its hash.

use super::account::{belongs, is_name};
use super::audit::Entry;
use super::store::{People, Trouble, drawn, hashed};
use super::{Person, Refused, Role};
use payment::MerchantId;
use rusqlite::{OptionalExtension, params};

/// What every key begins with, so that one that was published by mistake is found.
const BEGINS: &str = "cfk_";

/// A key as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ApiKey {
    /// Its number.
    pub id: u64,
    /// What it is for; it stands in the audit log as `key:…`.
    pub label: String,
    /// What it may do.
    pub role: Role,
    /// Whose data it sees.
    pub merchant: Option<String>,
    /// It opens nothing any more.
    pub revoked: bool,
}

impl People {
    /// Makes a key and gives it, this once.
    ///
    /// # Errors
    /// [`Refused::Name`], [`Refused::Merchant`] or the disk.
    pub fn make_key(
        &self,
        by: &str,
        label: &str,
        role: Role,
        merchant: Option<MerchantId>,
    ) -> Result<String, Refused> {
        is_name(label)?;
        let person = Person {
            name: format!("key:{label}"),
            role,
            merchant,
        };
        belongs(&person)?;
        let key = format!("{BEGINS}{}{}", drawn(), drawn());
        self.write(|write, entries| {
            let merchant = merchant.map(|merchant| merchant.to_string());
            write.execute(
                "INSERT INTO api_key(hash, label, role, merchant, made_ms) VALUES(?1, ?2, ?3, ?4, ?5)",
                params![hashed(&key), label, role.name(), merchant, self.now().0],
            )?;
            entries.push(Entry::new(by, "key.made", label).changed(&(), &person));
            Ok::<_, Refused>(())
        })?;
        Ok(key)
    }

    /// Who acts with this key.
    ///
    /// # Errors
    /// The disk refused.
    pub fn of_key(&self, key: &str) -> Result<Option<Person>, Trouble> {
        if !key.starts_with(BEGINS) {
            return Ok(None);
        }
        let found = self.disk().query_row(
            "SELECT 'key:' || label, role, merchant FROM api_key WHERE hash = ?1 AND revoked = 0",
            [hashed(key)],
            super::account::person,
        );
        Ok(found.optional()?)
    }

    /// Every key.
    ///
    /// # Errors
    /// The disk refused.
    pub fn keys(&self) -> Result<Vec<ApiKey>, Trouble> {
        let disk = self.disk();
        let mut select =
            disk.prepare("SELECT id, label, role, merchant, revoked FROM api_key ORDER BY id")?;
        let rows = select.query_map([], |row| {
            let role: String = row.get(2)?;
            Ok(ApiKey {
                id: row.get::<_, i64>(0)? as u64,
                label: row.get(1)?,
                role: Role::of(&role).ok_or(rusqlite::Error::InvalidQuery)?,
                merchant: row.get(3)?,
                revoked: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Ends a key.
    ///
    /// # Errors
    /// [`Refused::Unknown`] or the disk.
    pub fn revoke_key(&self, by: &str, id: u64) -> Result<(), Refused> {
        self.write(|write, entries| {
            let label: Option<String> = write
                .query_row(
                    "UPDATE api_key SET revoked = 1 WHERE id = ?1 AND revoked = 0 RETURNING label",
                    [i64::try_from(id).unwrap_or(-1)],
                    |row| row.get(0),
                )
                .optional()?;
            let label = label.ok_or(Refused::Unknown)?;
            entries.push(Entry::new(by, "key.revoked", label).changed(&false, &true));
            Ok(())
        })
    }
}

//! Sessions: who is signed in where, by an opaque id of 128 bits of which only the hash is stored.
//!
//! Invariants: an id is drawn anew at every sign-in and every change of rights; a session ends after [`IDLE_MS`] without a
//! request, after [`ABSOLUTE_MS`] in any case, and at once with the account or its rights.

use super::account::{active, add_person, belongs, is_name, person};
use super::audit::Entry;
use super::store::{People, Trouble, drawn, hashed};
use super::{Person, Refused};
use crate::config::Profile;
use payment::Wall;
use rusqlite::{Connection, OptionalExtension, params};

/// A session without a request for so long is over, in milliseconds (PCI DSS 8.2.8).
pub const IDLE_MS: i64 = 15 * 60 * 1_000;
/// A session is over after so long in any case, in milliseconds.
pub const ABSOLUTE_MS: i64 = 8 * 3_600 * 1_000;
/// Who approves must have signed in within so long, in milliseconds.
pub const FRESH_MS: i64 = 15 * 60 * 1_000;
/// A sandbox's entry link works for so long, in milliseconds, and once.
pub const ENTRY_MS: i64 = 60 * 60 * 1_000;
/// A request is written down as the latest at most once in so long, in milliseconds: reading costs no write.
const SEEN_MS: i64 = 20_000;

/// A session that was just opened: what the browser gets.
#[derive(Debug)]
pub struct Opened {
    /// The id; it is stored nowhere.
    pub id: String,
    /// Whose.
    pub person: Person,
}

/// A session that a request came with. Every route behind the sign-in finds it as an axum `Extension`.
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose.
    pub person: Person,
    /// The token that every form of this session carries in the field `csrf`, and every script in `x-csrf-token`.
    pub csrf: String,
    /// Opened with everything that the role asks for; without it only the second factor can be set up.
    pub strong: bool,
    /// When they signed in.
    pub signed_in: Wall,
    pub(super) key: [u8; 32],
}

impl Session {
    /// They signed in a short while ago, as an approval asks.
    pub fn is_fresh(&self, now: Wall) -> bool {
        now.0 - self.signed_in.0 <= FRESH_MS
    }
}

impl People {
    /// Opens a session within the transaction of what allowed it.
    pub(super) fn open_session(
        &self,
        write: &Connection,
        person: &Person,
        strong: bool,
    ) -> rusqlite::Result<Opened> {
        let (id, now) = (drawn(), self.now().0);
        write.execute(
            "DELETE FROM session WHERE seen_ms < ?1 OR signed_in_ms < ?2",
            [now - IDLE_MS, now - ABSOLUTE_MS],
        )?;
        write.execute(
            "INSERT INTO session VALUES(?1, ?2, ?3, ?4, ?5, ?5)",
            params![hashed(&id), person.name, drawn(), strong, now],
        )?;
        Ok(Opened {
            id,
            person: person.clone(),
        })
    }

    /// The session of an id, if it still counts; asking keeps it from going idle.
    ///
    /// # Errors
    /// The disk refused.
    pub fn session(&self, id: &str) -> Result<Option<Session>, Trouble> {
        let (key, now) = (hashed(id), self.now().0);
        let disk = self.disk();
        let found = disk
            .query_row(
                "SELECT p.name, p.role, p.merchant, s.csrf, s.strong, s.signed_in_ms, s.seen_ms
                 FROM session s JOIN person p ON p.name = s.name WHERE s.id = ?1 AND p.disabled = 0
                 AND s.seen_ms > ?2 AND s.signed_in_ms > ?3",
                params![key, now - IDLE_MS, now - ABSOLUTE_MS],
                |row| {
                    let session = Session {
                        person: person(row)?,
                        csrf: row.get(3)?,
                        strong: row.get(4)?,
                        signed_in: Wall(row.get(5)?),
                        key,
                    };
                    Ok((session, row.get::<_, i64>(6)?))
                },
            )
            .optional()?;
        let Some((session, seen)) = found else {
            return Ok(None);
        };
        if now - seen > SEEN_MS {
            disk.execute(
                "UPDATE session SET seen_ms = ?2 WHERE id = ?1",
                params![key, now],
            )?;
        }
        Ok(Some(session))
    }

    /// Ends a session; every tab of it is signed out.
    ///
    /// # Errors
    /// The disk refused.
    pub fn sign_out(&self, session: &Session) -> Result<(), Trouble> {
        self.write(|write, entries| {
            write.execute("DELETE FROM session WHERE id = ?1", [session.key])?;
            let name = &session.person.name;
            entries.push(Entry::new(name, "signed_out", name));
            Ok(())
        })
    }

    /// A link that signs somebody in once, for a sandbox's demo; an account that is not there is made, without a password.
    ///
    /// # Errors
    /// [`Refused::SignIn`] in production, [`Refused::Name`], [`Refused::Merchant`] or the disk.
    pub fn entry_link(&self, person: &Person) -> Result<String, Refused> {
        if self.profile() == Profile::Production {
            return Err(Refused::SignIn);
        }
        is_name(&person.name)?;
        belongs(person)?;
        let (token, now) = (drawn(), self.now().0);
        self.write(|write, entries| {
            let made = add_person(write, person)?;
            if made {
                entries
                    .push(Entry::new("sandbox", "person.added", &person.name).changed(&(), person));
            }
            write.execute("DELETE FROM entry WHERE until_ms < ?1", [now])?;
            write.execute(
                "INSERT INTO entry VALUES(?1, ?2, ?3)",
                params![hashed(&token), person.name, now + ENTRY_MS],
            )?;
            Ok::<_, Refused>(())
        })?;
        Ok(format!("/enter/{token}"))
    }

    /// Opens the session that an entry link stands for; a second time it does not.
    ///
    /// # Errors
    /// [`Refused::SignIn`] or the disk.
    pub fn enter(&self, token: &str) -> Result<Opened, Refused> {
        if self.profile() == Profile::Production {
            return Err(Refused::SignIn);
        }
        let now = self.now().0;
        let opened: rusqlite::Result<Option<Opened>> = self.write(|write, entries| {
            let name: Option<String> = write
                .query_row(
                    "DELETE FROM entry WHERE token = ?1 AND until_ms >= ?2 RETURNING name",
                    params![hashed(token), now],
                    |row| row.get(0),
                )
                .optional()?;
            let Some(name) = name else { return Ok(None) };
            let Some(person) = active(write, &name)? else {
                return Ok(None);
            };
            entries.push(Entry::new(&name, "entered", &name));
            self.open_session(write, &person, true).map(Some)
        });
        opened?.ok_or(Refused::SignIn)
    }
}

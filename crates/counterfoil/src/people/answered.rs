//! Requests of the API that were answered, by their idempotency key.
//!
//! Invariant: a key whose request did nothing is free again; a key whose request did something gives the same answer for
//! as long as the file lives, which is as long as a dispute about it.

use super::store::{People, Trouble};
use rusqlite::{OptionalExtension, params};

/// What a key says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It was never used, or what it was used for did nothing: it is this request's now.
    New,
    /// This very request was answered so.
    Answered(u16, String),
    /// This very request is under way, or ended without a word.
    UnderWay,
    /// It belongs to another request.
    Another,
}

impl People {
    /// Takes a key for a request of this fingerprint.
    ///
    /// # Errors
    /// The disk refused.
    pub(crate) fn take_key(
        &self,
        who: &str,
        key: &str,
        asked: &[u8; 32],
    ) -> Result<Asked, Trouble> {
        self.write(|write, _| {
            let found = write
                .query_row(
                    "SELECT asked, status, body FROM answered WHERE who = ?1 AND key = ?2",
                    [who, key],
                    |row| {
                        let before: [u8; 32] = row.get(0)?;
                        let (status, body): (Option<u16>, Option<String>) =
                            (row.get(1)?, row.get(2)?);
                        Ok((before, status.zip(body)))
                    },
                )
                .optional()?;
            Ok(match found {
                Some((before, _)) if before != *asked => Asked::Another,
                Some((_, Some((status, body)))) => Asked::Answered(status, body),
                Some((_, None)) => Asked::UnderWay,
                None => {
                    write.execute(
                        "INSERT INTO answered(who, key, asked, at_ms) VALUES(?1, ?2, ?3, ?4)",
                        params![who, key, asked, self.now().0],
                    )?;
                    Asked::New
                }
            })
        })
    }

    /// Keeps the answer of what was done, or frees the key of what was not.
    ///
    /// # Errors
    /// The disk refused.
    pub(crate) fn settle_key(
        &self,
        who: &str,
        key: &str,
        answer: Option<(u16, &str)>,
    ) -> Result<(), Trouble> {
        self.write(|write, _| {
            match answer {
                Some((status, body)) => write.execute(
                    "UPDATE answered SET status = ?3, body = ?4 WHERE who = ?1 AND key = ?2",
                    params![who, key, status, body],
                )?,
                None => write.execute(
                    "DELETE FROM answered WHERE who = ?1 AND key = ?2",
                    [who, key],
                )?,
            };
            Ok(())
        })
    }
}

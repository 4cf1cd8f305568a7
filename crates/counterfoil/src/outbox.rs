//! Messages with the link of an e-slip, asked for by a cardholder: kept on disk until a gateway took them or they are given up.
//!
//! A message holds an address and a link, nothing of a card; the address is forgotten once the message is over. A gateway
//! may see a message twice after a crash, always under the same id.

use crate::webhook::{GAP_MS, Mailbag, Notice, Settings, send_all};
use payment::LinkId;
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// Messages that may wait; beyond it new ones are refused.
pub const WAITING_MAX: u32 = 10_000;
/// Messages for one e-slip, however often they are asked for.
pub const PER_LINK_MAX: u32 = 5;
/// Attempts until a message is given up.
pub const ATTEMPTS_MAX: u32 = 16;
/// Longest address.
pub const ADDRESS_MAX: usize = 120;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS message(id INTEGER PRIMARY KEY, channel TEXT NOT NULL, address TEXT, link TEXT NOT NULL,
        json TEXT, asked_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, next_ms INTEGER, state TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS message_next ON message(channel, next_ms) WHERE next_ms IS NOT NULL;
    CREATE TABLE IF NOT EXISTS attempt(message INTEGER NOT NULL, number INTEGER NOT NULL, at_ms INTEGER NOT NULL,
        refused TEXT, PRIMARY KEY(message, number)) WITHOUT ROWID;";

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// To a telephone.
    Sms,
    /// To a mailbox.
    Mail,
}

impl Channel {
    const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Mail => "mail",
        }
    }

    /// The channel that an address calls for; none for what is no address.
    pub fn of(address: &str) -> Option<Self> {
        let plain =
            address.len() <= ADDRESS_MAX && address.bytes().all(|byte| byte.is_ascii_graphic());
        let digits = address.strip_prefix('+').unwrap_or(address);
        let phone =
            (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        match address.split_once('@') {
            _ if !plain => None,
            None => phone.then_some(Self::Sms),
            Some((name, host)) => {
                let host_is_whole = host.contains('.')
                    && !host.contains('@')
                    && !host.starts_with('.')
                    && !host.ends_with('.');
                (!name.is_empty() && host_is_whole && !address.contains(['<', '>', ',', ';', '"']))
                    .then_some(Self::Mail)
            }
        }
    }
}

/// Why a message is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Neither a telephone number nor a mail address.
    Address,
    /// No gateway of this channel is configured.
    Channel,
    /// This e-slip was sent often enough, or too many messages wait.
    Full,
    /// The disk refused.
    Disk(String),
}

impl Refusal {
    /// The words, zh-CN and en.
    pub const fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Address => (
                "请填写手机号或邮箱",
                "A telephone number or a mail address, please",
            ),
            Self::Channel => (
                "这里不提供这种发送方式",
                "This way of sending is not offered here",
            ),
            Self::Full => ("发送次数已到上限", "It was sent often enough"),
            Self::Disk(_) => (
                "暂时不能发送，请稍后再试",
                "Not possible at the moment; try again later",
            ),
        }
    }
}

/// The outbox; its senders end when it is dropped, and what waits stays on disk.
#[derive(Debug)]
pub struct Outbox {
    channels: Vec<Arc<Sender>>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Sender {
    channel: Channel,
    settings: Settings,
    file: Arc<Mutex<Connection>>,
    state: Mutex<bool>,
    changed: Condvar,
}

impl Outbox {
    /// Opens the outbox in `data` with a gateway for each channel that has one.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(
        data: &Path,
        sms: Option<Settings>,
        mail: Option<Settings>,
    ) -> Result<Self, String> {
        let path = data.join("outbox.db");
        let opened = || {
            let connection = Connection::open(&path)?;
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(SCHEMA)?;
            Ok(connection)
        };
        let connection =
            opened().map_err(|error: rusqlite::Error| format!("{}: {error}", path.display()))?;
        let file = Arc::new(Mutex::new(connection));
        let gateways = [(Channel::Sms, sms), (Channel::Mail, mail)];
        let channels: Vec<Arc<Sender>> = gateways
            .into_iter()
            .filter_map(|(channel, settings)| {
                Some(Arc::new(Sender {
                    channel,
                    settings: settings?,
                    file: Arc::clone(&file),
                    state: Mutex::new(false),
                    changed: Condvar::new(),
                }))
            })
            .collect();
        let threads = channels
            .iter()
            .map(|sender| {
                let sender = Arc::clone(sender);
                std::thread::spawn(move || send_all(&*sender, &sender.settings))
            })
            .collect();
        Ok(Self { channels, threads })
    }

    /// True when there is any way to send.
    pub fn offers(&self) -> bool {
        !self.channels.is_empty()
    }

    /// Takes a message; it is on disk when this returns.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn send(&self, address: &str, link: LinkId, base: &str) -> Result<(), Refusal> {
        let channel = Channel::of(address).ok_or(Refusal::Address)?;
        let sender = self
            .channels
            .iter()
            .find(|sender| sender.channel == channel);
        let sender = sender.ok_or(Refusal::Channel)?;
        let json = message(channel, address, &link.below(base));
        sender
            .take(address, link, &json)
            .map_err(|error| Refusal::Disk(error.to_string()))?
            .then_some(())
            .ok_or(Refusal::Full)?;
        // Taken once, so that the sender either sees the message or waits already.
        drop(sender.ended());
        sender.changed.notify_one();
        Ok(())
    }
}

/// What the gateway gets: words in both languages, and the link.
fn message(channel: Channel, to: &str, link: &str) -> String {
    serde_json::json!({
        "type": "eslip.link",
        "channel": channel.name(),
        "to": to,
        "link": link,
        "subject": { "zh-CN": "您的电子小票", "en": "Your e-slip" },
        "text": { "zh-CN": format!("您的电子小票：{link}"), "en": format!("Your e-slip: {link}") },
    })
    .to_string()
}

impl Drop for Outbox {
    fn drop(&mut self) {
        for sender in &self.channels {
            *sender.ended() = true;
            sender.changed.notify_one();
        }
        for thread in self.threads.drain(..) {
            // A sender that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

impl Sender {
    fn ended(&self) -> MutexGuard<'_, bool> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn disk(&self) -> MutexGuard<'_, Connection> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False when there is no room.
    fn take(&self, address: &str, link: LinkId, json: &str) -> rusqlite::Result<bool> {
        let disk = self.disk();
        let count = |sql: &str| disk.query_row(sql, [link.to_string()], |row| row.get::<_, u32>(0));
        let of_link = count("SELECT count(*) FROM message WHERE link = ?1")?;
        let waiting = count("SELECT count(*) FROM message WHERE next_ms IS NOT NULL AND ?1 <> ''")?;
        if of_link >= PER_LINK_MAX || waiting >= WAITING_MAX {
            return Ok(false);
        }
        disk.execute(
            "INSERT INTO message(channel, address, link, json, asked_ms, attempts, next_ms, state)
             VALUES(?1, ?2, ?3, ?4, ?5, 0, ?5, 'waiting')",
            params![
                self.channel.name(),
                address,
                link.to_string(),
                json,
                now_ms()
            ],
        )?;
        Ok(true)
    }

    /// The message that is due first, and when.
    fn first(&self) -> rusqlite::Result<Option<(Notice, i64)>> {
        let query =
            "SELECT id, json, next_ms FROM message WHERE channel = ?1 AND next_ms IS NOT NULL
            ORDER BY next_ms, id LIMIT 1";
        self.disk()
            .query_row(query, [self.channel.name()], |row| {
                let (id, json): (i64, String) = (row.get(0)?, row.get(1)?);
                let notice = Notice {
                    id: format!("eslip-{id}").into(),
                    json: json.into(),
                };
                Ok((notice, row.get(2)?))
            })
            .optional()
    }

    /// Writes an attempt down; a message that is over keeps neither address nor text.
    fn attempted(&self, notice: &Notice, refused: Option<&str>) -> rusqlite::Result<()> {
        let id: i64 = notice.id.trim_start_matches("eslip-").parse().unwrap_or(0);
        let mut disk = self.disk();
        let write = disk.transaction()?;
        let attempts: u32 = write.query_row(
            "SELECT attempts + 1 FROM message WHERE id = ?1",
            [id],
            |row| row.get(0),
        )?;
        write.execute(
            "INSERT INTO attempt VALUES(?1, ?2, ?3, ?4)",
            params![id, attempts, now_ms(), refused],
        )?;
        match refused {
            Some(_) if attempts < ATTEMPTS_MAX => {
                let (first_ms, longest_ms) = self.settings.gap_ms;
                let gap_ms = first_ms
                    .saturating_mul(1 << (attempts - 1).min(32))
                    .min(longest_ms);
                let next = now_ms() + gap_ms as i64;
                write.execute(
                    "UPDATE message SET attempts = ?2, next_ms = ?3 WHERE id = ?1",
                    params![id, attempts, next],
                )?;
            }
            _ => {
                let state = if refused.is_none() {
                    "sent"
                } else {
                    "given up"
                };
                write.execute(
                    "UPDATE message SET attempts = ?2, next_ms = NULL, address = NULL, json = NULL, state = ?3 WHERE id = ?1",
                    params![id, attempts, state],
                )?;
            }
        }
        write.commit()
    }
}

impl Mailbag for Sender {
    fn next(&self) -> Option<Notice> {
        let mut ended = self.ended();
        loop {
            if *ended {
                return None;
            }
            let wait_ms = match self.first() {
                Ok(Some((notice, at))) if at <= now_ms() => return Some(notice),
                Ok(Some((_, at))) => (at - now_ms()).clamp(1, GAP_MS.1 as i64) as u64,
                Ok(None) => GAP_MS.1,
                Err(error) => {
                    tracing::warn!(%error, "the outbox does not read");
                    GAP_MS.0
                }
            };
            let waited = self
                .changed
                .wait_timeout(ended, Duration::from_millis(wait_ms));
            ended = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn taken(&self, notice: &Notice) {
        if let Err(error) = self.attempted(notice, None) {
            tracing::warn!(id = &*notice.id, %error, "a message was sent and could not be marked");
        }
    }

    fn refused(&self, notice: &Notice, why: &str) {
        tracing::warn!(id = &*notice.id, error = why, "a message was not taken");
        if let Err(error) = self.attempted(notice, Some(why)) {
            tracing::warn!(id = &*notice.id, %error, "an attempt could not be marked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (address, channel) in [
            ("13800138000", Some(Channel::Sms)),
            ("+8613800138000", Some(Channel::Sms)),
            ("li@example.cn", Some(Channel::Mail)),
            ("", None),
            ("138", None),
            ("6228480000000123000", None),
            ("li@example", None),
            ("li@@example.cn", None),
            ("a@b.c\r\nBcc: x@y.z", None),
            ("a@b.cn,c@d.cn", None),
            ("李@example.cn", None),
        ] {
            assert_eq!(Channel::of(address), channel, "{address}");
        }
    }
}

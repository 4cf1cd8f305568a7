//! What keeps the console's pages live: the board as the hub has made it, and one sale as the archives tell of it.

use super::Desk;
use super::console::told;
use super::hub::{Hub, Shown};
use crate::people::Session;
use crate::web::live::{Parts, Source};
use pages::Lang;
use pages::console::sale;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Milliseconds between two looks at a sale whose page is open: each reads the archives.
pub const SALE_LOOK_MS: u64 = 1_000;

/// One who looks.
pub(super) struct Viewer {
    boards: watch::Receiver<Arc<Shown>>,
    lang: Lang,
    hop: Option<usize>,
}

impl Viewer {
    /// Somebody who looks at the board, or at the loops that are open at one bead.
    pub(super) fn new(hub: &Hub, lang: Lang, hop: Option<usize>) -> Self {
        Self {
            boards: hub.boards(),
            lang,
            hop,
        }
    }
}

impl Source for Viewer {
    async fn next(&mut self) -> Option<Parts> {
        self.boards.changed().await.ok()?;
        let shown = Arc::clone(&self.boards.borrow_and_update());
        Some(shown.parts(self.lang, self.hop).clone())
    }
}

/// One who reads the page of one sale.
pub(super) struct Reader {
    pub(super) desk: Desk,
    pub(super) lang: Lang,
    pub(super) session: Option<Session>,
    pub(super) named: (String, u32, u32),
}

impl Source for Reader {
    async fn next(&mut self) -> Option<Parts> {
        tokio::time::sleep(Duration::from_millis(SALE_LOOK_MS)).await;
        let told = told(&self.desk, self.named.clone(), self.session.as_ref()).await;
        let (page, as_of) = told.ok()??;
        let parts = sale::parts(self.lang, &page, &as_of).into_iter();
        Some(parts.map(|(id, html)| (id, html.into())).collect())
    }
}
